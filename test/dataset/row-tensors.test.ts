// A row of a data set holds what a flow looked like after any number of packets: features of it are those of the cut record.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import {
  featuresOfRow,
  handshakeColumns,
  lookColumns,
  packetColumns,
  statisticsOf,
} from '../../src/dataset/row-tensors.ts';
import {
  type FeatureSpec,
  type Features,
  featuresOf,
  PAPER_PACKETS,
} from '../../src/features/features.ts';
import { PAPER_RULE, PAYLOAD_RULE } from '../../src/features/packet-rule.ts';
import { EARLY_PACKETS, SERIES_STEPS_MAX } from '../../src/features/shapes.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { cutRecord } from '../../src/flow/cut-record.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { emptySummary, readFlows } from '../../src/flow/read-flows.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { makeRecord, type TestPacket, type TestSegment } from '../helpers/records.ts';
import { ROOT } from '../helpers/sluice.ts';
import { clientHello, records, serverHello } from '../helpers/tls.ts';

const SPECS: readonly FeatureSpec[] = [
  {
    ...PAPER_PACKETS,
    seriesSteps: 64,
    packets: 64,
    occlusion: { shown: ['cipherInfo'] },
  },
  {
    iat: 'seconds',
    size: 'signed-bytes',
    counted: PAYLOAD_RULE,
    seriesSteps: 16,
    packets: SERIES_STEPS_MAX,
    occlusion: { shown: ['cipherInfo'] },
  },
];
const OCCLUSION = { shown: ['cipherInfo'] } as const;

const rowOf = (flow: FlowRecord) => ({
  protocol: flow.transport,
  ...packetColumns(flow),
  ...handshakeColumns(flow, handshakeOf(flow), OCCLUSION),
});

function same(t: ExecutionContext, got: Features, want: Features, what: string): void {
  for (const name of ['handshakeBytes', 'series', 'statistics'] as const) {
    // As bytes: a NaN is equal to itself, and it is quicker.
    const [a, b] = [got[name], want[name]].map((array) =>
      Buffer.from(array.buffer, array.byteOffset, array.byteLength),
    );
    if (a === undefined || b === undefined || !a.equals(b)) t.fail(`${what}: ${name}`);
  }
}

/** Whole, and cut at any of `cuts`, a row's features are the flow's. */
function looksAgree(t: ExecutionContext, flow: FlowRecord, cuts: readonly number[]) {
  const row = rowOf(flow);
  for (const spec of SPECS) {
    const whole = featuresOf(flow, handshakeOf(flow), spec);
    same(t, featuresOfRow(row, spec), whole, 'whole');
    for (const packets of cuts) {
      const cut = cutRecord(flow, packets);
      const want = featuresOf(cut, handshakeOf(cut), spec);
      same(t, featuresOfRow(row, spec, packets), want, `after ${packets}`);
    }
  }
}

async function agreeOverCapture(t: ExecutionContext, file: string): Promise<number> {
  let flows = 0;
  const table = { seriesPackets: SERIES_STEPS_MAX };
  for await (const batch of readFlows(file, table, emptySummary())) {
    for (const flow of batch) {
      const cuts = Array.from({ length: 24 }, (_, i) => i + 1);
      looksAgree(t, flow, [...cuts, ...EARLY_PACKETS, flow.seriesPackets, 2_000]);
      flows++;
    }
  }
  return flows;
}

test('a look at any number of packets of the demo is that of the cut record', async (t) => {
  const flows = await agreeOverCapture(t, join(ROOT, 'test/fixtures/lab-demo.pcap.gz'));
  t.true(flows >= 40);
});

const CORPUS = ['captures', 'captures-mobile'].map((name) =>
  join(ROOT, '../shared/corpus', name),
);
const absent = CORPUS.filter((folder) => !existsSync(folder));
if (absent.length > 0) console.log(`skipped: no real captures at ${absent.join(', ')}`);
const corpusTest = absent.length === 0 ? test : test.skip;

corpusTest(
  'a look at any number of packets of real captures is that of the cut record',
  async (t) => {
    t.timeout(600_000);
    let flows = 0;
    for (const folder of CORPUS) {
      for (const name of readdirSync(folder).filter((n) =>
        /\.pcap(ng)?(\.gz)?$/.test(n),
      )) {
        // Some of the corpus are no captures on purpose.
        flows += await agreeOverCapture(t, join(folder, name)).catch(() => 0);
      }
    }
    t.log(`${flows} flows`);
    t.true(flows > 1_000);
  },
);

const packet = fc.record({
  direction: fc.constantFrom<1 | -1>(1, -1),
  payloadLength: fc.constantFrom(0, 1, 90, 200, 1_448),
  behind: fc.boolean(),
  tcpFlags: fc.integer({ min: 0, max: 255 }),
  gapNs: fc.integer({ min: 0, max: 2_000_000_000 }),
});

/** A flow of hellos cut anywhere into segments, not always in step with its packets. */
const anyFlow = fc
  .record({
    packets: fc.array(packet, { minLength: 1, maxLength: 30 }),
    pieces: fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 6 }),
    swapped: fc.boolean(),
  })
  .map(({ packets, pieces, swapped }) => {
    let timeNs = 0;
    const series = packets.map(({ gapNs, ...rest }): TestPacket => {
      timeNs += gapNs;
      return { ...rest, timeNs, ipLength: rest.payloadLength + 40 };
    });
    const up = inPieces('up', records(clientHello()), pieces);
    const down = inPieces('down', records(serverHello()), pieces);
    if (swapped) up.reverse();
    const segments = [...up, ...down];
    return makeRecord({ packets: series, segments, initialSequenceUp: 1, windowUp: 7 });
  });

function inPieces(
  direction: 'up' | 'down',
  bytes: Uint8Array,
  pieces: readonly number[],
): TestSegment[] {
  const segments: TestSegment[] = [];
  let at = 0;
  for (const length of [...pieces, bytes.byteLength]) {
    const piece = bytes.subarray(at, at + length);
    if (piece.byteLength > 0)
      segments.push({ direction, sequence: 1 + at, bytes: piece });
    at += piece.byteLength;
  }
  return segments;
}

test('a look at any number of packets of any flow is that of the cut record', (t) => {
  fc.assert(
    fc.property(anyFlow, (flow) => {
      looksAgree(t, flow, [0, 1, 2, 3, 5, 8, 13, 21, 30, 31]);
      return true;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('ready-made looks are the statistics of the first packets', async (t) => {
  const table = { seriesPackets: SERIES_STEPS_MAX };
  const demo = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');
  const [spec] = SPECS;
  if (spec === undefined) return t.fail();
  for await (const batch of readFlows(demo, table, emptySummary())) {
    for (const flow of batch) {
      const row = rowOf(flow);
      const looks = lookColumns(row, [3, 10], PAPER_RULE);
      t.deepEqual(Object.keys(looks), ['statistics_3', 'statistics_10', 'statistics']);
      const all = { ...spec, packets: SERIES_STEPS_MAX, seriesSteps: SERIES_STEPS_MAX };
      const after3 = statisticsOf(looks.statistics_3 ?? new Uint8Array());
      t.deepEqual(after3, featuresOfRow(row, all, 3).statistics);
      const whole = statisticsOf(looks.statistics ?? new Uint8Array());
      t.deepEqual(whole, featuresOf(flow, handshakeOf(flow), all).statistics);
    }
  }
});

test('of what a source does not know there are no statistics', (t) => {
  const flow = makeRecord({
    packets: [
      { timeNs: 0, ipLength: 140, payloadLength: 100, tcpFlags: 24, direction: 1 },
      { timeNs: 9, ipLength: 90, payloadLength: 50, tcpFlags: 24, direction: -1 },
    ],
  });
  const row = {
    ...rowOf(flow),
    ipLengths: null,
    tcpFlags: null,
    initialWindowUp: null,
    initialWindowDown: null,
  };
  const { series, statistics } = featuresOfRow(row, {
    ...PAPER_PACKETS,
    counted: PAYLOAD_RULE,
    size: 'signed-bytes',
    seriesSteps: 2,
    packets: 2,
  });
  t.deepEqual([...series], [0, 100, 1, Math.fround(Math.log(1 + 9e-6)), -50, -1]);
  const of = (name: (typeof STATISTICS)[number]) => statistics[STATISTICS.indexOf(name)];
  t.is(of('bytesUp'), 100);
  t.is(of('pshPackets'), Number.NaN);
  t.is(of('headerBytesUp'), Number.NaN);
  t.is(of('initialWindowUp'), Number.NaN);
});
