import test from 'ava';
import fc from 'fast-check';
import { HANDSHAKE_BYTES } from '../../src/features/shapes.ts';
import { parseHello } from '../../src/handshake/hello.ts';
import { occlude } from '../../src/handshake/occlusion.ts';
import { clientHello, serverHello, type TestHello } from '../helpers/tls.ts';

/** The occluded bytes of a hello as hex, trailing zeros cut. */
function visible(message: Buffer, cipherInfo = false): string {
  const hello = parseHello({
    type: message[0] ?? 0,
    length: message.readUIntBE(1, 3),
    body: message.subarray(4),
  });
  if (hello === undefined) return 'no hello';
  const into = new Uint8Array(HANDSHAKE_BYTES);
  occlude(hello, { cipherInfo }, into);
  return Buffer.from(into)
    .toString('hex')
    .replace(/(00)+$/, '');
}

test('an occluded ClientHello holds what the table in occlusion.ts says, byte for byte', (t) => {
  const message = clientHello({
    sni: 'secret.example',
    alpn: ['h2'],
    versions: [0x5a5a, 0x0304],
    keyShares: [
      [0x7a7a, Buffer.alloc(1)],
      [29, Buffer.alloc(32, 1)],
    ],
    cipherSuites: [0x2a2a, 0x1301],
    padding: 17,
  });
  const extensions = [
    '0000 0000', // server_name, nothing of it
    '000a 0006 0004 001d 0017', // supported_groups
    '0010 0005 0003 02 6832', // ALPN h2
    '002b 0005 04 0a0a 0304', // supported_versions, GREASE made one value
    '0033 0004 0a0a 001d', // key_share, groups only
  ].join('');
  const hex = extensions.replaceAll(' ', '');
  const bytes = hex.length / 2;
  const length = (more: number): string => (bytes + more).toString(16).padStart(6, '0');
  const extensionsLength = bytes.toString(16).padStart(4, '0');
  t.is(visible(message), `01${length(6)}03030100${extensionsLength}${hex}`);
  t.is(
    visible(message, true),
    `01${length(12)}030300040a0a13010100${extensionsLength}${hex}`,
  );
});

const bytes = (max: number) => fc.uint8Array({ maxLength: max });
const canary = fc.record({
  sni: fc.string({ minLength: 1, maxLength: 200 }),
  random: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  sessionId: bytes(32),
  keyShares: fc.tuple(bytes(1200)).map(([key]) => [[29, key] as const]),
  ticket: bytes(300),
  ech: bytes(300),
  padding: fc.nat(400),
  cipherSuites: fc.array(fc.nat(0xffff), { maxLength: 40 }),
});

test('two ClientHellos that differ only in canary fields, by content or length, look the same', (t) => {
  const shared: TestHello = { alpn: ['h2', 'http/1.1'], versions: [0x0304] };
  fc.assert(
    fc.property(canary, canary, (a, b) => {
      return (
        visible(clientHello({ ...shared, ...a })) ===
        visible(clientHello({ ...shared, ...b }))
      );
    }),
  );
  t.pass();
});

test('what is no canary field still shows', (t) => {
  const plain = visible(clientHello({ alpn: ['h2'] }));
  t.not(visible(clientHello({ alpn: ['http/1.1'] })), plain);
  t.not(visible(clientHello({ alpn: ['h2'], versions: [0x0304] })), plain);
  t.not(visible(clientHello({ alpn: ['h2'], sni: 'x' })), plain);
});

test('cipher info is seen only where it is switched on', (t) => {
  const a = clientHello({ cipherSuites: [0x1301] });
  const b = clientHello({ cipherSuites: [0xc02b, 0x1303] });
  t.is(visible(a), visible(b));
  t.not(visible(a, true), visible(b, true));
  t.is(
    visible(serverHello({ cipherSuite: 0x1301 })),
    visible(serverHello({ cipherSuite: 0x1303 })),
  );
});

test('padding leaves no trace, as its presence depends on the length of the name', (t) => {
  t.is(visible(clientHello({ padding: 30 })), visible(clientHello({})));
});

test('a ServerHello shows version and group, nothing of randoms and keys', (t) => {
  t.is(
    visible(serverHello()),
    // type, length 17; TLS 1.2; no compression; 12 bytes of extensions: version 1.3, group x25519
    '020000110303' + '00' + '000c' + '002b00020304' + '00330002001d',
  );
});

test('a hello longer than the space is cut', (t) => {
  const long = visible(
    clientHello({ alpn: Array.from({ length: 100 }, () => 'protocol') }),
  );
  t.is(long.length, 2 * HANDSHAKE_BYTES);
});
