import test from 'ava';
import { HANDSHAKE_BYTES } from '../../src/features/shapes.ts';
import type { CanaryField } from '../../src/handshake/canary.ts';
import { RETRY_RANDOM } from '../../src/handshake/hello.ts';
import { occlude } from '../../src/handshake/occlusion.ts';
import { helloOf, seen } from '../helpers/hellos.ts';
import { clientHello, serverHello } from '../helpers/tls.ts';

/** The whole occluded message, as hex. */
function visible(message: Uint8Array, shown: readonly CanaryField[] = []): string {
  const hello = helloOf(message);
  return hello === undefined
    ? 'no hello'
    : Buffer.from(seen(hello, shown)).toString('hex');
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
    '0033 000a 0008 0a0a 0000 001d 0000', // key_share, groups with keys of no bytes
  ].join('');
  const hex = extensions.replaceAll(' ', '');
  const bytes = hex.length / 2;
  const length = (more: number): string => (bytes + more).toString(16).padStart(6, '0');
  const extensionsLength = bytes.toString(16).padStart(4, '0');
  const noRandom = '00'.repeat(32);
  t.is(
    visible(message),
    `01${length(41)}0303${noRandom}00 0000 0100${extensionsLength}${hex}`.replaceAll(
      ' ',
      '',
    ),
  );
  t.is(
    visible(message, ['cipherInfo']),
    `01${length(45)}0303${noRandom}00 0004 0a0a1301 0100${extensionsLength}${hex}`.replaceAll(
      ' ',
      '',
    ),
  );
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
  t.not(visible(a, ['cipherInfo']), visible(b, ['cipherInfo']));
  t.is(
    visible(serverHello({ cipherSuite: 0x1301 })),
    visible(serverHello({ cipherSuite: 0x1303 })),
  );
});

test('padding leaves no trace, as its presence depends on the length of the name', (t) => {
  t.is(visible(clientHello({ padding: 30 })), visible(clientHello({})));
});

test('a ServerHello shows version and group, nothing of randoms and keys', (t) => {
  const zeros = '00'.repeat(32);
  t.is(
    visible(serverHello()),
    // type, length; TLS 1.2; no random, session id, suite; no compression; extensions: version 1.3, group x25519
    `02000036 0303 ${zeros} 00 0000 00 000e 002b0002 0304 00330004001d0000`.replaceAll(
      ' ',
      '',
    ),
  );
});

test('a HelloRetryRequest is told by its random, which is a constant', (t) => {
  const retry = visible(
    serverHello({ random: RETRY_RANDOM, keyShare: Buffer.from('001d', 'hex') }),
  );
  t.true(retry.includes(Buffer.from(RETRY_RANDOM).toString('hex')));
  t.true(retry.endsWith('00330002001d'));
});

test('a hello longer than the space is cut, its lengths are those of the whole', (t) => {
  const hello = helloOf(
    clientHello({ alpn: Array.from({ length: 100 }, () => 'protocol') }),
  );
  if (hello === undefined) return t.fail();
  const cut = new Uint8Array(HANDSHAKE_BYTES);
  const whole = new Uint8Array(4_000);
  const length = occlude(hello, { shown: [] }, whole);
  t.is(occlude(hello, { shown: [] }, cut), length);
  t.deepEqual(cut, whole.subarray(0, HANDSHAKE_BYTES));
  t.is(Buffer.from(whole).readUIntBE(1, 3), length - 4);
});
