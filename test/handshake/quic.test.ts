import test from 'ava';
import { factsOf, type HandshakeFacts } from '../../src/handshake/facts.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { initialKeys } from '../../src/handshake/quic-keys.ts';
import { candidateVersions } from '../../src/handshake/quic-versions.ts';
import {
  ACK,
  CLIENT_ID,
  cryptoFrame,
  cryptoFrames,
  DRAFT_29,
  gquicHello,
  initialPacket,
  longHeader,
  PING,
  QUIC_V1,
  QUIC_V2,
  RESERVED,
  retryPacket,
  SERVER_ID,
  versionNegotiation,
} from '../helpers/quic.ts';
import { datagrams, makeRecord, type TestSegment } from '../helpers/records.ts';
import { clientHello, serverHello } from '../helpers/tls.ts';

const HELLO = clientHello({ sni: 'quic.example', alpn: ['h3'], versions: [0x0304] });
const ANSWER = serverHello();

function facts(segments: readonly TestSegment[]): HandshakeFacts {
  return factsOf(handshakeOf(makeRecord({ protocol: 17, segments })));
}

// RFC 9001 A.1 and RFC 9369 A.1: one connection id, two versions.
const VECTORS: readonly [
  version: number,
  side: 'client' | 'server',
  ...keys: string[],
][] = [
  [
    QUIC_V1,
    'client',
    '1f369613dd76d5467730efcbe3b1a22d',
    'fa044b2f42a3fd3b46fb255c',
    '9f50449e04a0e810283a1e9933adedd2',
  ],
  [
    QUIC_V1,
    'server',
    'cf3a5331653c364c88f0f379b6067e37',
    '0ac1493ca1905853b0bba03e',
    'c206b8d9b9f0f37644430b490eeaa314',
  ],
  [
    QUIC_V2,
    'client',
    '8b1a0bc121284290a29e0971b5cd045d',
    '91f73e2351d8fa91660e909f',
    '45b95e15235d6f45a6b19cbcb0294ba9',
  ],
  [
    QUIC_V2,
    'server',
    '82db637861d55e1d011f19ea71d5d2a7',
    'dd13c276499c0249d3310652',
    'edf6d05c83121201b436e16877593c3a',
  ],
];
for (const [number, side, ...keys] of VECTORS) {
  test(`keys of the ${side} are those of the RFC, version 0x${number.toString(16)}`, (t) => {
    const [version] = candidateVersions(number);
    if (version === undefined) return t.fail();
    const { key, iv, hp } = initialKeys(version, CLIENT_ID, side);
    t.deepEqual(
      [key, iv, hp].map((bytes) => Buffer.from(bytes).toString('hex')),
      keys,
    );
  });
}

const one = initialPacket({ frames: [cryptoFrame(0, HELLO)], paddedTo: 1_160 });
const [first, second, third] = cryptoFrames(HELLO, [60, 100]) as [Buffer, Buffer, Buffer];
const ARRIVALS: readonly [title: string, ...sent: Uint8Array[]][] = [
  ['in one packet', one],
  [
    'in frames out of order, among others',
    initialPacket({ frames: [third, PING, ACK, Buffer.alloc(7), first, second] }),
  ],
  [
    'over two datagrams, the second one first',
    initialPacket({ number: 1, frames: [second, third] }),
    initialPacket({ number: 0, frames: [first] }),
  ],
  [
    'in two packets of one datagram, behind early data',
    Buffer.concat([
      longHeader(QUIC_V1, 1, CLIENT_ID, Buffer.alloc(0)),
      Buffer.from([0x40, 30]),
      Buffer.alloc(30, 0x55),
      initialPacket({ frames: [first] }),
      initialPacket({ number: 1, frames: [second, third] }),
    ]),
  ],
  ['twice', one, one],
  [
    'with overlapping frames',
    initialPacket({
      frames: [
        cryptoFrame(0, HELLO.subarray(0, 90)),
        cryptoFrame(40, HELLO.subarray(40)),
      ],
    }),
  ],
];
for (const [title, ...sent] of ARRIVALS) {
  test(`a ClientHello that comes ${title} is read`, (t) => {
    const found = facts(datagrams(...sent.map((bytes) => ['up', bytes] as const)));
    t.is(found.kind, 'quic');
    t.is(found.sni, 'quic.example');
    t.is(found.alpn, 'h3');
    t.is(found.version, 'TLS 1.3');
    t.is(found.quicVersion, 'v1');
    t.is(found.state, 'partial');
  });
}

const answer = (options: { version?: number } = {}): Buffer =>
  initialPacket({
    ...options,
    from: 'server',
    destination: Buffer.alloc(0),
    source: SERVER_ID,
    keyId: CLIENT_ID,
    frames: [ACK, cryptoFrame(0, ANSWER)],
  });

for (const version of [QUIC_V1, QUIC_V2, DRAFT_29]) {
  test(`both hellos of version 0x${version.toString(16)} make a full handshake`, (t) => {
    const found = facts(
      datagrams(
        ['up', initialPacket({ version, frames: [cryptoFrame(0, HELLO)] })],
        ['down', answer({ version })],
      ),
    );
    t.is(found.state, 'full');
    t.true(found.serverHello);
  });
}

test('a server that answers in a compatible version is understood', (t) => {
  const found = facts(datagrams(['up', one], ['down', answer({ version: QUIC_V2 })]));
  t.is(found.state, 'full');
  t.is(found.quicVersion, 'v2');
});

test('a client that goes on under the id that its server chose is understood', (t) => {
  const later = initialPacket({
    number: 1,
    destination: SERVER_ID,
    keyId: CLIENT_ID,
    frames: [second, third],
  });
  const found = facts(
    datagrams(
      ['up', initialPacket({ frames: [first] })],
      ['down', answer()],
      ['up', later],
    ),
  );
  t.is(found.sni, 'quic.example');
  t.is(found.state, 'full');
});

test('after a Retry the keys follow from the new connection id', (t) => {
  const again = initialPacket({
    destination: SERVER_ID,
    token: Buffer.from('a token of the server', 'latin1'),
    frames: [cryptoFrame(0, HELLO)],
  });
  const reply = initialPacket({
    from: 'server',
    destination: Buffer.alloc(0),
    keyId: SERVER_ID,
    frames: [cryptoFrame(0, ANSWER)],
  });
  const found = facts(
    datagrams(
      ['up', one],
      ['down', retryPacket(Buffer.alloc(0), SERVER_ID)],
      ['up', again],
      ['down', reply],
    ),
  );
  t.true(found.retry);
  t.is(found.state, 'full');
  t.is(found.sni, 'quic.example');
});

test('a reserved version is opened like the version that it is made like, and negotiated', (t) => {
  const provoking = initialPacket({
    version: RESERVED,
    like: DRAFT_29,
    frames: [cryptoFrame(0, HELLO)],
    paddedTo: 1_180,
  });
  t.is(facts(datagrams(['up', provoking])).sni, 'quic.example');
  const flow = datagrams(
    ['up', provoking],
    ['down', versionNegotiation([DRAFT_29, QUIC_V1])],
    [
      'up',
      initialPacket({ destination: Buffer.alloc(8, 4), frames: [cryptoFrame(0, HELLO)] }),
    ],
  );
  t.is(facts(flow).quicVersion, 'v1');
  t.true(
    handshakeOf(makeRecord({ protocol: 17, segments: flow })).quic?.versionNegotiation,
  );
});

test('a flow whose first packet went the other way is read, roles turned', (t) => {
  const found = facts(datagrams(['down', one], ['up', answer()]));
  t.is(found.state, 'full');
  t.is(found.sni, 'quic.example');
});

test('a packet of an unknown version is QUIC of which nothing is read', (t) => {
  const unknown = Buffer.concat([
    longHeader(0x1234_5678, 0, CLIENT_ID, SERVER_ID),
    Buffer.alloc(1_200, 9),
  ]);
  const found = facts(datagrams(['up', unknown]));
  t.is(found.kind, 'quic');
  t.is(found.state, 'none');
  t.is(found.quicVersion, '0x12345678');
  t.is(facts(datagrams(['up', unknown.subarray(0, 300)])).kind, null);
});

test('a packet that was tampered with is not believed', (t) => {
  const tampered = Buffer.from(one);
  tampered[200] = (tampered[200] ?? 0) ^ 1;
  const found = facts(datagrams(['up', tampered]));
  t.is(found.kind, 'quic');
  t.is(found.state, 'none');
});

test('of a packet that the capture cut, what is there is read', (t) => {
  const [segment] = datagrams(['up', one.subarray(0, 400)]);
  if (segment === undefined) return t.fail();
  t.is(facts([{ ...segment, captureCut: true }]).sni, 'quic.example');
  t.is(facts([segment]).sni, null);
});

test('a CHLO of gQUIC is read in a header of its own and in one like IETF QUIC', (t) => {
  const chlo = gquicHello({ sni: 'gquic.example' });
  const own = Buffer.concat([
    Buffer.from([0x09]),
    CLIENT_ID,
    Buffer.from('Q043', 'latin1'),
    Buffer.alloc(1 + 12 + 4),
    chlo,
  ]);
  const like = initialPacket({ version: 0x5130_3530, frames: [cryptoFrame(0, chlo, 8)] });
  for (const [bytes, version] of [
    [own, 'Q043'],
    [like, 'Q050'],
  ] as const) {
    const found = facts(datagrams(['up', bytes]));
    t.is(found.sni, 'gquic.example');
    t.is(found.quicVersion, version);
    t.is(found.state, 'partial');
  }
});

test('a flow of packets that none of the keys fit costs a bounded number of tries', (t) => {
  // As many packets as a record holds, each with an id of its own.
  const packets = Array.from({ length: 300 }, (_, i) => {
    const id = Buffer.alloc(8, i);
    id.writeUInt32BE(i);
    return Buffer.concat([
      longHeader(QUIC_V1, 0, id, id),
      Buffer.from([0, 0x40, 24]),
      Buffer.alloc(24, i),
    ]);
  });
  const flow = makeRecord({
    protocol: 17,
    segments: datagrams(...packets.map((bytes) => ['up', bytes] as const)),
  });
  const { state, quic } = handshakeOf(flow);
  t.is(state, 'none');
  t.is(quic?.openings, 12);
});

test('a packet without the fixed bit, or short and of a reserved version, makes no flow QUIC', (t) => {
  const plain = Buffer.from(one);
  plain[0] = (plain[0] ?? 0) & ~0x40;
  const short = Buffer.concat([
    longHeader(RESERVED, 0, CLIENT_ID, SERVER_ID),
    Buffer.alloc(100, 9),
  ]);
  for (const bytes of [plain, short]) t.is(facts(datagrams(['up', bytes])).kind, null);
});
