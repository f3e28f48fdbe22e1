import test from 'ava';
import { factsOf, type HandshakeFacts } from '../../src/handshake/facts.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { HandshakeCounts } from '../../src/handshake/handshake-counts.ts';
import { RETRY_RANDOM } from '../../src/handshake/hello.ts';
import { initialPacket, longHeader } from '../helpers/quic.ts';
import { datagrams, makeRecord } from '../helpers/records.ts';
import { clientHello, records, serverHello, type TestHello } from '../helpers/tls.ts';

const SYN = { initialSequenceUp: 1, initialSequenceDown: 1 };

function factsWith(hello: TestHello, down?: Uint8Array): HandshakeFacts {
  const segments = [
    { direction: 'up' as const, sequence: 1, bytes: records(clientHello(hello)) },
    ...(down === undefined
      ? []
      : [{ direction: 'down' as const, sequence: 1, bytes: records(down) }]),
  ];
  return factsOf(handshakeOf(makeRecord({ ...SYN, segments })));
}

const HYBRID: readonly [number, Buffer] = [0x11ec, Buffer.alloc(1_216, 1)];
const PSK: readonly [number, Buffer] = [41, Buffer.alloc(40)];

const CASES: readonly [
  title: string,
  hello: TestHello,
  down: Uint8Array | undefined,
  facts: Partial<HandshakeFacts>,
][] = [
  ['a plain hello', {}, undefined, { ech: false, grease: false, resumption: false }],
  ['a session id', { sessionId: Buffer.alloc(20) }, undefined, { sessionIdBytes: 20 }],
  ['an empty ticket', { ticket: Buffer.alloc(0) }, undefined, { resumption: false }],
  ['a ticket', { ticket: Buffer.alloc(9) }, undefined, { resumption: true }],
  ['a pre-shared key', { more: [PSK] }, undefined, { resumption: true }],
  ['GREASE among the suites', { cipherSuites: [0x3a3a] }, undefined, { grease: true }],
  [
    'GREASE among the extensions',
    { more: [[0xdada, Buffer.alloc(1)]] },
    undefined,
    { grease: true },
  ],
  [
    'an encrypted hello, the name being the outer one',
    { sni: 'public.example', ech: Buffer.alloc(200) },
    undefined,
    { ech: true, echAnswered: false, sni: 'public.example' },
  ],
  [
    'a post-quantum key share, longer than a segment',
    { sni: 'hybrid.example', keyShares: [HYBRID] },
    undefined,
    { sni: 'hybrid.example' },
  ],
  [
    'a HelloRetryRequest',
    {},
    serverHello({ random: RETRY_RANDOM, keyShare: Buffer.from('001d', 'hex') }),
    { retry: true, serverHello: true, state: 'full' },
  ],
];
for (const [title, hello, down, expected] of CASES) {
  test(`${title} is told`, (t) => {
    t.like(factsWith(hello, down), expected);
  });
}

test('a server that takes ECH up in its HelloRetryRequest is told', (t) => {
  const retry = serverHello({
    random: RETRY_RANDOM,
    keyShare: Buffer.from('001d', 'hex'),
  });
  // Type fe0d with 8 bytes of confirmation, draft-ietf-tls-esni section 7.2.1; lengths of extensions and message with it.
  const ech = Buffer.concat([Buffer.from('fe0d0008', 'hex'), Buffer.alloc(8, 1)]);
  const answered = Buffer.concat([retry, ech]);
  answered.writeUIntBE(answered.byteLength - 4, 1, 3);
  const extensionsAt = 4 + 2 + 32 + 1 + 32 + 2 + 1;
  answered.writeUInt16BE(answered.byteLength - extensionsAt - 2, extensionsAt);
  t.true(factsWith({ ech: Buffer.alloc(200) }, answered).echAnswered);
});

test('a ClientHello whose first segment is missing is not made up from the rest', (t) => {
  const stream = records(clientHello({ sni: 'lost.example' }));
  const down = records(serverHello());
  const flow = makeRecord({
    ...SYN,
    segments: [
      { direction: 'up', sequence: 61, bytes: stream.subarray(60) },
      { direction: 'down', sequence: 1, bytes: down },
    ],
  });
  const facts = factsOf(handshakeOf(flow));
  t.false(facts.clientHello);
  t.true(facts.serverHello);
  t.is(facts.state, 'partial');
});

test('a server that answered a second SYN with other numbers is read all the same', (t) => {
  const down = records(serverHello());
  const flow = makeRecord({
    ...SYN,
    segments: [
      { direction: 'up', sequence: 1, bytes: records(clientHello({ sni: 'a.example' })) },
      { direction: 'down', sequence: 900_000, bytes: down.subarray(0, 30) },
      { direction: 'down', sequence: 900_030, bytes: down.subarray(30) },
    ],
  });
  t.is(factsOf(handshakeOf(flow)).state, 'full');
});

test('flows are counted by kind, version and state, and hostile versions do not make it grow', (t) => {
  const counts = new HandshakeCounts();
  const quic = (bytes: Uint8Array) =>
    handshakeOf(makeRecord({ protocol: 17, segments: datagrams(['up', bytes]) }));
  counts.add(quic(initialPacket({ frames: [Buffer.alloc(40)] })));
  counts.add(handshakeOf(makeRecord({})));
  t.deepEqual(counts.byName(), { none: 1, 'quic v1 none': 1 });
  for (let version = 0; version < 1_000; version++) {
    const header = longHeader(0x7700_0000 + version, 0, Buffer.alloc(8), Buffer.alloc(8));
    counts.add(quic(Buffer.concat([header, Buffer.alloc(1_200)])));
  }
  const names = counts.byName();
  t.true(Object.keys(names).length <= 65);
  t.true((names.others ?? 0) > 900);
});
