import test from 'ava';
import fc from 'fast-check';
import { factsOf } from '../../src/handshake/facts.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { RETRY_RANDOM } from '../../src/handshake/hello.ts';
import { streamStart } from '../../src/handshake/reassembly.ts';
import { makeRecord, type TestSegment } from '../helpers/records.ts';
import { clientHello, records, serverHello } from '../helpers/tls.ts';

const START = 0xffff_ff00; // wraps within the first segments

/** `stream` cut at `cuts`, as segments of one direction. */
function segmentsOf(
  stream: Uint8Array,
  cuts: readonly number[],
  direction: 'up' | 'down' = 'up',
): TestSegment[] {
  const edges = [0, ...cuts, stream.byteLength];
  return edges.slice(0, -1).map((from, i) => ({
    direction,
    sequence: (START + from) >>> 0,
    bytes: stream.subarray(from, edges[i + 1]),
  }));
}

const HELLO = records(
  clientHello({
    sni: 'www.example.org',
    alpn: ['h2', 'http/1.1'],
    versions: [0x0304, 0x0303],
  }),
);
const BOTH = { initialSequenceUp: START, initialSequenceDown: START };

const ARRIVALS: readonly [title: string, segments: readonly TestSegment[]][] = [
  ['in one segment', segmentsOf(HELLO, [])],
  [
    'byte by byte',
    segmentsOf(
      HELLO,
      Array.from({ length: HELLO.byteLength - 1 }, (_, i) => i + 1),
    ),
  ],
  ['in three segments, the last first', segmentsOf(HELLO, [40, 90]).reverse()],
  [
    'with a segment sent twice',
    [...segmentsOf(HELLO, [40, 90]), ...segmentsOf(HELLO, [40, 90])],
  ],
  [
    'with segments that overlap',
    [
      { direction: 'up', sequence: START, bytes: HELLO.subarray(0, 80) },
      { direction: 'up', sequence: START + 33, bytes: HELLO.subarray(33, 100) },
      { direction: 'up', sequence: START + 60, bytes: HELLO.subarray(60) },
    ],
  ],
  [
    'behind a keep-alive from before its start',
    [
      { direction: 'up', sequence: START - 1, bytes: Uint8Array.of(0) },
      ...segmentsOf(HELLO, []),
    ],
  ],
];
for (const [title, segments] of ARRIVALS) {
  test(`a ClientHello that comes ${title} is read`, (t) => {
    const facts = factsOf(handshakeOf(makeRecord({ ...BOTH, segments })));
    t.is(facts.sni, 'www.example.org');
    t.is(facts.alpn, 'h2,http/1.1');
    t.is(facts.version, 'TLS 1.3');
    t.is(facts.state, 'partial');
  });
}

test('without a SYN the lowest sequence number starts the stream', (t) => {
  const flow = makeRecord({ segments: segmentsOf(HELLO, [40, 90]).reverse() });
  t.is(factsOf(handshakeOf(flow)).sni, 'www.example.org');
});

test('a missing segment leaves what stands before it', (t) => {
  const [first, , third] = segmentsOf(HELLO, [70, 90]);
  const segments = [first, third].filter((s) => s !== undefined);
  const facts = factsOf(handshakeOf(makeRecord({ ...BOTH, segments })));
  t.true(facts.clientHello);
  t.is(facts.state, 'partial');
  t.is(
    streamStart(
      makeRecord({ ...BOTH, segments }),
      'up',
      segments.map((s) => ({ ...s, captureCut: false })),
    ).byteLength,
    70,
  );
});

test('a ClientHello over several records is read', (t) => {
  const message = clientHello({ sni: 'many.records.example' });
  const flow = makeRecord({ ...BOTH, segments: segmentsOf(records(message, 50), []) });
  t.is(factsOf(handshakeOf(flow)).sni, 'many.records.example');
});

test('both hellos whole make a full handshake with the version that the server chose', (t) => {
  const segments = [
    ...segmentsOf(HELLO, []),
    ...segmentsOf(records(serverHello()), [], 'down'),
  ];
  const facts = factsOf(handshakeOf(makeRecord({ ...BOTH, segments })));
  t.is(facts.state, 'full');
  t.is(facts.version, 'TLS 1.3');
  t.true(facts.serverHello);
});

test('a HelloRetryRequest and the second ClientHello are told apart and kept in order', (t) => {
  const changeCipherSpec = Buffer.from('140303000101', 'hex');
  const up = Buffer.concat([
    HELLO,
    changeCipherSpec,
    records(clientHello({ sni: 'again.example' })),
  ]);
  const down = Buffer.concat([
    records(serverHello({ random: RETRY_RANDOM, keyShare: Buffer.from('001d', 'hex') })),
    changeCipherSpec,
    records(serverHello()),
  ]);
  const flow = makeRecord({
    ...BOTH,
    segments: [...segmentsOf(up, []), ...segmentsOf(down, [], 'down')],
  });
  t.deepEqual(
    handshakeOf(flow).hellos.map((hello) => hello.kind),
    ['client', 'retry', 'client', 'server'],
  );
});

test('an ECH extension is told', (t) => {
  const message = clientHello({ sni: 'outer.example', ech: Buffer.alloc(100, 3) });
  const flow = makeRecord({ ...BOTH, segments: segmentsOf(records(message), []) });
  t.true(factsOf(handshakeOf(flow)).ech);
});

test('bytes of a host name that are not printable are escaped', (t) => {
  const message = clientHello({ sni: 'a\nb\\c.example' });
  const flow = makeRecord({ ...BOTH, segments: segmentsOf(records(message), []) });
  t.is(factsOf(handshakeOf(flow)).sni, 'a\\x0ab\\x5cc.example');
});

test('a flow that is not TLS shows no handshake', (t) => {
  const segments = segmentsOf(Buffer.from('GET / HTTP/1.1\r\n\r\n'), []);
  t.is(handshakeOf(makeRecord({ ...BOTH, segments })).kind, undefined);
});

test('a UDP flow is left alone', (t) => {
  t.is(
    handshakeOf(makeRecord({ protocol: 17, segments: segmentsOf(HELLO, []) })).kind,
    undefined,
  );
});

test('whatever bytes a flow holds, reading its handshake never throws', (t) => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    // A real hello with some bytes changed reaches deeper than noise does.
    fc
      .array(fc.tuple(fc.nat(HELLO.byteLength - 1), fc.nat(255)), { maxLength: 8 })
      .map((changes) => {
        const bytes = Uint8Array.from(HELLO);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      }),
  );
  fc.assert(
    fc.property(hostile, hostile, fc.boolean(), fc.nat(), (up, down, syn, sequence) => {
      const segments: TestSegment[] = [
        { direction: 'up', sequence: sequence >>> 0, bytes: up },
        { direction: 'down', sequence: 1, bytes: down },
        { direction: 'up', sequence: START, bytes: HELLO },
      ];
      const flow = makeRecord(syn ? { segments, ...BOTH } : { segments });
      factsOf(handshakeOf(flow));
    }),
    { numRuns: 500 },
  );
  t.pass();
});
