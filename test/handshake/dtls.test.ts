import test from 'ava';
import { factsOf, type HandshakeFacts } from '../../src/handshake/facts.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { datagrams, makeRecord, type TestSegment } from '../helpers/records.ts';
import { clientHello, dtlsFragments, serverHello } from '../helpers/tls.ts';

const DTLS_12 = 0xfefd;
const HELLO = clientHello({
  legacyVersion: DTLS_12,
  cookie: Buffer.alloc(0),
  sni: 'dtls.example',
});
const ANSWER = serverHello();

function facts(segments: readonly TestSegment[]): HandshakeFacts {
  return factsOf(handshakeOf(makeRecord({ protocol: 17, segments })));
}

const up = (bytes: Uint8Array) => ['up', bytes] as const;
const down = (bytes: Uint8Array) => ['down', bytes] as const;
const [whole] = dtlsFragments(HELLO, 0) as [Buffer];
const [first, second, third] = dtlsFragments(HELLO, 0, [30, 80]) as [
  Buffer,
  Buffer,
  Buffer,
];
/** RFC 8489: what WebRTC asks before it speaks DTLS. */
const STUN = Buffer.concat([Buffer.from('000100002112a442', 'hex'), Buffer.alloc(12, 5)]);

const ARRIVALS: readonly [title: string, segments: readonly TestSegment[]][] = [
  ['in one record', datagrams(up(whole))],
  ['in fragments out of order', datagrams(up(third), up(first), up(second))],
  ['in fragments of one datagram', datagrams(up(Buffer.concat([first, second, third])))],
  ['with a fragment sent twice', datagrams(up(first), up(first), up(second), up(third))],
  ['behind STUN', datagrams(up(STUN), down(STUN), up(whole))],
  ['from the other side', datagrams(up(STUN), down(whole))],
];
for (const [title, segments] of ARRIVALS) {
  test(`a ClientHello of DTLS that comes ${title} is read`, (t) => {
    const found = facts(segments);
    t.is(found.kind, 'dtls');
    t.is(found.sni, 'dtls.example');
    t.is(found.version, 'DTLS 1.2');
  });
}

test('a ClientHello that a cookie sends round again comes twice', (t) => {
  const again = clientHello({
    legacyVersion: DTLS_12,
    cookie: Buffer.alloc(20, 1),
    sni: 'dtls.example',
  });
  const [verify] = dtlsFragments(Buffer.from('03000003fefd00', 'hex'), 0) as [Buffer];
  const [second] = dtlsFragments(again, 1) as [Buffer];
  const [answer] = dtlsFragments(ANSWER, 1) as [Buffer];
  const handshake = handshakeOf(
    makeRecord({
      protocol: 17,
      segments: datagrams(up(whole), down(verify), up(second), down(answer)),
    }),
  );
  t.deepEqual(
    handshake.hellos.map(({ kind }) => kind),
    ['client', 'server', 'client'],
  );
  t.is(handshake.state, 'full');
});

test('a missing fragment leaves what stands before it', (t) => {
  t.is(facts(datagrams(up(first), up(third))).state, 'none');
  const [long, , tail] = dtlsFragments(HELLO, 0, [60, 80]) as [Buffer, Buffer, Buffer];
  const found = facts(datagrams(up(long), up(tail)));
  t.true(found.clientHello);
  t.is(found.state, 'partial');
});

test('the latest version that a client of DTLS offers is the least number', (t) => {
  const hello = clientHello({
    legacyVersion: DTLS_12,
    cookie: Buffer.alloc(0),
    versions: [0xfefd, 0xfefc],
  });
  t.is(facts(datagrams(up(dtlsFragments(hello, 0)[0] as Buffer))).version, 'DTLS 1.3');
});

test('encrypted records and other messages are passed over', (t) => {
  const encrypted = Buffer.from(whole);
  // The epoch.
  encrypted[4] = 1;
  t.is(facts(datagrams(up(encrypted))).kind, null);
  const finished = dtlsFragments(
    Buffer.concat([Buffer.from('1400000c', 'hex'), Buffer.alloc(12)]),
    2,
  );
  t.is(facts(datagrams(up(finished[0] as Buffer))).kind, null);
});
