// Golden vectors: series and statistics of flows, bit for bit. `npm run -s fixtures` writes them; a test compares.

import { join } from 'node:path';
import { type FeatureSpec, writePackets } from '../../src/features/features.ts';
import { PAYLOAD_RULE, recordPackets } from '../../src/features/packet-rule.ts';
import {
  ROUTER_SERIES_STEPS,
  SERIES_CHANNELS,
  SERIES_STEPS_MAX,
} from '../../src/features/shapes.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { cutRecord } from '../../src/flow/cut-record.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { emptySummary, readFlows } from '../../src/flow/read-flows.ts';
import { paperSpec } from './features.ts';
import { makeRecord, type TestPacket } from './records.ts';
import { ROOT } from './sluice.ts';

export const GOLDEN: string = join(ROOT, 'test/fixtures/features.golden.json');
const CAPTURE = 'test/fixtures/lab-demo.pcap.gz';
/** Of the capture; short and long ones, TCP and UDP. */
const FLOWS = 12;

const payloadOnly: FeatureSpec = {
  ...paperSpec(32, recordPackets(32, PAYLOAD_RULE)),
  counted: PAYLOAD_RULE,
  iat: 'sign-log-us',
  size: 'signed-bytes',
};
const noBareAcks: FeatureSpec = {
  ...paperSpec(64, 192),
  counted: { kinds: 'no-bare-acks', repeats: true, length: 'ip' },
  iat: 'seconds',
  size: 'log',
};

/** The vectors as the file holds them. */
export async function goldenVectors(): Promise<string> {
  const vectors = [];
  for (const [i, flow] of (await firstFlows()).entries()) {
    const name = `${CAPTURE} flow ${i + 1}`;
    vectors.push(vectorOf(`${name}, paper`, flow, paperSpec(ROUTER_SERIES_STEPS)));
    vectors.push(vectorOf(`${name}, payload only`, flow, payloadOnly));
    if (i % 4 !== 0) continue;
    vectors.push(vectorOf(`${name}, no bare ACKs`, flow, noBareAcks));
    vectors.push(
      vectorOf(`${name}, after 10 packets`, cutRecord(flow, 10), paperSpec(32)),
    );
  }
  const edge = makeRecord({ packets: EDGES, windowUp: 65_535, windowDown: 1 });
  vectors.push(vectorOf('edges, paper', edge, paperSpec(SERIES_STEPS_MAX)));
  vectors.push(vectorOf('edges, payload only', edge, payloadOnly));
  vectors.push(vectorOf('no packet', makeRecord({ packets: [] }), paperSpec(8)));
  return `${JSON.stringify(
    {
      about:
        'made by `npm run -s fixtures`; series float32, statistics float64, little endian, base64',
      statistics: STATISTICS,
      vectors,
    },
    null,
    1,
  )}\n`;
}

async function firstFlows(): Promise<FlowRecord[]> {
  const flows: FlowRecord[] = [];
  const table = { seriesPackets: SERIES_STEPS_MAX, seed: 1 };
  for await (const batch of readFlows(join(ROOT, CAPTURE), table, emptySummary())) {
    for (const flow of batch) if (flows.length < FLOWS) flows.push(flow.copy());
  }
  return flows;
}

/** The rows that packets made, without padding, and all statistics. */
function vectorOf(name: string, flow: FlowRecord, spec: FeatureSpec) {
  const series = new Float32Array(spec.seriesSteps * SERIES_CHANNELS);
  const statistics = new Float64Array(STATISTICS.length);
  const rows = writePackets(flow, spec, series, statistics);
  // One NaN has many bit patterns.
  for (const [s, value] of statistics.entries()) {
    if (Number.isNaN(value)) statistics[s] = Number.NaN;
  }
  return {
    name,
    rows,
    series: base64(series.subarray(0, rows * SERIES_CHANNELS)),
    statistics: base64(statistics),
  };
}

function base64({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** Stamps that run back, gaps of every kind, a bulk, repeats, lengths at their bounds. */
const EDGES: readonly TestPacket[] = [
  { timeNs: 0, ipLength: 60, payloadLength: 0, tcpFlags: 2, direction: 1 },
  { timeNs: 0, ipLength: 60, payloadLength: 0, tcpFlags: 18, direction: -1 },
  { timeNs: 7, ipLength: 65_535, payloadLength: 65_495, tcpFlags: 24, direction: 1 },
  { timeNs: 3, ipLength: 41, payloadLength: 1, tcpFlags: 16, direction: 1, behind: true },
  ...[0, 1, 2, 3, 4].map(
    (i): TestPacket => ({
      timeNs: 1_000_000 + i * 999_999_999,
      ipLength: 1_280 + i,
      payloadLength: 1_228 + i,
      tcpFlags: i === 2 ? 255 : 16,
      direction: -1,
    }),
  ),
  { timeNs: 9_000_000_001, ipLength: 52, payloadLength: 0, tcpFlags: 16, direction: 1 },
  { timeNs: 20_000_000_000, ipLength: 167, payloadLength: 127, direction: 1 },
  {
    timeNs: 281_474_976_710_655,
    ipLength: 40,
    payloadLength: 0,
    tcpFlags: 4,
    direction: -1,
  },
];
