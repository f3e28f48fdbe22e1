// `sluice flows --handshake` as a user sees it.

import test from 'ava';
import { classicPcap } from '../helpers/captures.ts';
import { cryptoFrame, initialPacket } from '../helpers/quic.ts';
import { jsonLines, sluice } from '../helpers/sluice.ts';
import { clientHello } from '../helpers/tls.ts';

const LINKTYPE_RAW = 101;
const NAME = 'secret.example';
const HELLO = clientHello({ sni: NAME, alpn: ['h3'], versions: [0x0304] });

/** A datagram from 10.0.0.1 to 10.0.0.2. */
function udpPacket(payload: Uint8Array): Buffer {
  const head = Buffer.from(
    '45000000000040004011000000000000' + '0000000000000000000000000000',
    'hex',
  ).subarray(0, 28);
  head.writeUInt16BE(28 + payload.byteLength, 2);
  head.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  head.writeUInt16BE(40_000, 20);
  head.writeUInt16BE(443, 22);
  head.writeUInt16BE(8 + payload.byteLength, 24);
  return Buffer.concat([head, payload]);
}

const CAPTURE = classicPcap(
  [
    {
      bytes: udpPacket(
        initialPacket({ frames: [cryptoFrame(0, HELLO)], paddedTo: 1_160 }),
      ),
      seconds: 1_700_000_000,
      nanoseconds: 0,
    },
  ],
  { littleEndian: true, nanoseconds: false, linkType: LINKTYPE_RAW },
);

test('a dump marks what is occluded, and shows what a model sees', async (t) => {
  const { code, stdout, stderr } = await sluice(['flows', '--handshake', '-'], CAPTURE);
  t.is(code, 0);
  const lines = stdout.split('\n');
  t.true(lines.includes(`  ClientHello, ${HELLO.byteLength} bytes`));
  t.true(
    lines.some((line) => /^ {4}0000 {2}01 00 00 \w\w 03 03\[07 .*\] random$/.test(line)),
  );
  t.true(lines.some((line) => line.endsWith('serverName')));
  const from = lines.findIndex((line) => line.startsWith('  a model sees '));
  t.true(from > 0);
  const seen = lines
    .slice(from + 1)
    .map((line) => line.slice(8).replaceAll(' ', ''))
    .join('');
  t.false(seen.includes(Buffer.from(NAME).toString('hex')));
  // No escape sequences where nobody looks at a terminal.
  t.false(stdout.includes('\x1b'));
  t.regex(stderr, /handshakes: quic v1 partial 1\n/);
});

test('a line of --handshake --json tells each hello and what became of it', async (t) => {
  const { stdout } = await sluice(['flows', '--handshake', '--json', '-'], CAPTURE);
  const [line] = jsonLines(stdout);
  const { hellos } = (line ?? {}) as { hellos?: Record<string, unknown>[] };
  const hello = hellos?.[0] ?? {};
  t.like(hello, {
    kind: 'client',
    whole: true,
    read: true,
    bytes: HELLO.byteLength,
    version: '0303',
    cipherSuites: ['1301', '1302'],
    extensions: ['0000', '000a', '0010', '002b'],
    alpn: ['h3'],
    versions: ['0304'],
  });
  const occluded = hello.occluded as { from: number; to: number; field: string }[];
  const name = occluded.find(({ field }) => field === 'serverName');
  t.true(HELLO.subarray(name?.from, name?.to).includes(NAME));
  t.is((hello.seen as string).length, 2 * (hello.seenBytes as number));
});

test('without --handshake a line has no hellos', async (t) => {
  const { stdout } = await sluice(['flows', '--json', '-'], CAPTURE);
  t.false('hellos' in (jsonLines(stdout)[0] ?? {}));
});
