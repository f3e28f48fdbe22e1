import test from 'ava';
import { factsOf } from '../../src/handshake/facts.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { makeRecord, type TestSegment } from '../helpers/records.ts';
import { clientHello, records, serverHello } from '../helpers/tls.ts';

const HELLO = records(clientHello({ sni: 'behind.example' }));
const ANSWER = records(serverHello());

/** What both sides say before the ClientHello, in turns: the client's lines and the server's. */
const PREAMBLES: readonly [
  title: string,
  up: readonly string[],
  down: readonly string[],
][] = [
  [
    'SMTP STARTTLS',
    ['EHLO me\r\n', 'STARTTLS\r\n'],
    ['220 hi\r\n', '250 ok\r\n', '220 go\r\n'],
  ],
  ['IMAP STARTTLS', ['a STARTTLS\r\n'], ['* OK ready\r\n', 'a OK begin\r\n']],
  ['POP3 STLS', ['STLS\r\n'], ['+OK\r\n', '+OK begin\r\n']],
  ['FTP AUTH TLS', ['AUTH TLS\r\n'], ['220 ftp\r\n', '234 proceed\r\n']],
  [
    'XMPP starttls',
    ["<stream:stream to='x'>", '<starttls/>'],
    ['<stream:features/>', '<proceed/>'],
  ],
  ['HTTP CONNECT', ['CONNECT a:443 HTTP/1.1\r\n\r\n'], ['HTTP/1.1 200 OK\r\n\r\n']],
  [
    'SOCKS5',
    ['\x05\x01\x00', '\x05\x01\x00\x03\x01a\x01\xbb'],
    ['\x05\x00', '\x05\x00\x00\x01\0\0\0\0\0\0'],
  ],
  ['PROXY protocol', ['PROXY TCP4 10.0.0.1 10.0.0.2 1 443\r\n'], []],
  ['PostgreSQL SSLRequest', ['\x00\x00\x00\x08\x04\xd2\x16\x2f'], ['S']],
];

/** `parts` as segments of a direction, one behind the other. */
function segmentsOf(
  parts: readonly Uint8Array[],
  direction: 'up' | 'down',
): TestSegment[] {
  let sequence = 1;
  return parts.map((bytes) => {
    const segment = { direction, sequence, bytes };
    sequence += bytes.byteLength;
    return segment;
  });
}

const BOTH = { initialSequenceUp: 1, initialSequenceDown: 1 };
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

for (const [title, up, down] of PREAMBLES) {
  test(`TLS behind ${title} is found on both sides`, (t) => {
    const flow = makeRecord({
      ...BOTH,
      segments: [
        ...segmentsOf([...up.map(latin1), HELLO], 'up'),
        ...segmentsOf([...down.map(latin1), ANSWER], 'down'),
      ],
    });
    const facts = factsOf(handshakeOf(flow));
    t.is(facts.state, 'full');
    t.is(facts.sni, 'behind.example');
    t.is(facts.preambleBytes, up.join('').length);
  });
}

test('a preamble in one segment with the ClientHello is told from it', (t) => {
  const both = Buffer.concat([latin1('PROXY TCP4 a b 1 2\r\n'), HELLO]);
  const flow = makeRecord({ ...BOTH, segments: segmentsOf([both], 'up') });
  t.is(factsOf(handshakeOf(flow)).sni, 'behind.example');
});

test('without a preamble there are no bytes of it', (t) => {
  const flow = makeRecord({ ...BOTH, segments: segmentsOf([HELLO], 'up') });
  t.is(factsOf(handshakeOf(flow)).preambleBytes, 0);
});

test('a flow whose client answers, as it was seen from its middle on, is read with roles turned', (t) => {
  const flow = makeRecord({
    segments: [...segmentsOf([ANSWER], 'up'), ...segmentsOf([HELLO], 'down')],
  });
  const facts = factsOf(handshakeOf(flow));
  t.is(facts.state, 'full');
  t.is(facts.sni, 'behind.example');
});

test('bytes that only look like the start of a record are no TLS', (t) => {
  const noise = Buffer.alloc(4_000, 0x16);
  const near = Buffer.from(HELLO);
  // The version of the hello itself.
  near[9] = 7;
  for (const bytes of [noise, Buffer.concat([latin1('GET / HTTP/1.1\r\n'), near])]) {
    const flow = makeRecord({ ...BOTH, segments: segmentsOf([bytes], 'up') });
    t.is(handshakeOf(flow).kind, undefined);
  }
});
