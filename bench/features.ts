// What features cost by the number of packets: from a flow record, its hellos already read, straight into a model's
// memory. Flows of the demo that are long enough, cut to each length.

import { Bench } from 'tinybench';
import { allocateBatch, PAPER_PACKETS, writeFlow } from '../src/features/features.ts';
import type { StatisticsNormaliser } from '../src/features/normalise.ts';
import { SERIES_STEPS_MAX } from '../src/features/shapes.ts';
import { cutRecord } from '../src/flow/cut-record.ts';
import type { FlowRecord } from '../src/flow/flow-record.ts';
import { emptySummary, readFlows } from '../src/flow/read-flows.ts';
import { handshakeOf } from '../src/handshake/handshake.ts';

const LENGTHS = [32, 64, 128, 256, 512, SERIES_STEPS_MAX];
/** What a flow may cost, in microseconds, by T. */
const LIMIT_US: Readonly<Record<number, number>> = { 128: 50, [SERIES_STEPS_MAX]: 150 };
const ROWS = 32;

async function longFlows(capture: string): Promise<FlowRecord[]> {
  const flows: FlowRecord[] = [];
  const table = { seriesPackets: SERIES_STEPS_MAX };
  for await (const batch of readFlows(capture, table, emptySummary())) {
    for (const flow of batch) {
      const long = flow.seriesPackets === SERIES_STEPS_MAX;
      if (long && handshakeOf(flow).state === 'full') flows.push(flow.copy());
    }
  }
  return flows;
}

/** Fills a batch with flows of `steps` packets, one after the other. */
function filling(
  flows: readonly FlowRecord[],
  steps: number,
  normaliser: StatisticsNormaliser,
) {
  const spec = {
    ...PAPER_PACKETS,
    seriesSteps: steps,
    packets: steps,
    occlusion: { shown: [] },
  };
  const batch = allocateBatch(ROWS, steps);
  const cut = flows.map((flow) => cutRecord(flow, steps));
  const read = cut.map((flow) => ({ flow, handshake: handshakeOf(flow) }));
  return () => {
    for (let b = 0; b < ROWS; b++) {
      const own = read[b % read.length];
      if (own === undefined) return;
      writeFlow(own.flow, own.handshake, { spec, normaliser }, batch, b);
    }
  };
}

export async function benchFeatures(
  capture: string,
  normaliser: StatisticsNormaliser,
): Promise<void> {
  const flows = await longFlows(capture);
  const bench = new Bench({ time: 1000, warmupTime: 300 });
  for (const steps of LENGTHS)
    bench.add(String(steps), filling(flows, steps, normaliser));
  await bench.run();
  console.log(
    `\nall features of a flow, by its packets (${flows.length} flows of the demo, cut):`,
  );
  let before: { steps: number; us: number } | undefined;
  for (const task of bench.tasks) {
    if (!('latency' in task.result)) continue;
    const { p50, min } = task.result.latency;
    const steps = Number(task.name);
    const [us, least] = [p50, min].map((ms) => (ms * 1000) / ROWS) as [number, number];
    const limit = LIMIT_US[steps];
    const parts = [
      `  T = ${String(steps).padStart(4)}  ${us.toFixed(1).padStart(6)} µs (least ${least.toFixed(1)})`,
      ...(before === undefined
        ? []
        : [
            `${((1000 * (least - before.us)) / (steps - before.steps)).toFixed(0)} ns a packet more`,
          ]),
      ...(limit === undefined ? [] : [`at most ${limit} µs wanted`]),
    ];
    console.log(parts.join(', '));
    before = { steps, us: least };
  }
}
