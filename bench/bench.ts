// `npm run bench`: what each stage costs on this machine, measured in one run on the demo capture. Compare figures only
// within a run: a shared machine's speed wanders.

import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { loadBundle } from '../src/bundle/load-bundle.ts';
import type { CaptureNotes } from '../src/capture/capture-faults.ts';
import { openCapture } from '../src/capture/open-capture.ts';
import { readCapture } from '../src/capture/pcap.ts';
import { BATCH_FLOWS, Classifier } from '../src/classify/classifier.ts';
import { type Features, featuresOf } from '../src/features/features.ts';
import type { FlowRecord } from '../src/flow/flow-record.ts';
import { FlowTable } from '../src/flow/flow-table.ts';
import { emptySummary, readFlows } from '../src/flow/read-flows.ts';
import { handshakeOf } from '../src/handshake/handshake.ts';
import { benchAgent } from './agent.ts';
import { benchDataset } from './dataset.ts';
import { benchFeatures } from './features.ts';
import { benchModels } from './models.ts';
import { quicFlow } from './quic-flow.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const CAPTURE = `${root}test/fixtures/lab-demo.pcap.gz`;
const BUNDLE = `${root}models/bundles/router-cnn`;

async function inMemory(name: string): Promise<Uint8Array> {
  const notes: CaptureNotes = { truncated: undefined, skipped: {} };
  const chunks: Uint8Array[] = [];
  for await (const chunk of openCapture(name, notes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function tlsFlows(name: string): Promise<FlowRecord[]> {
  const flows: FlowRecord[] = [];
  for await (const batch of readFlows(name, {}, emptySummary())) {
    for (const flow of batch) {
      if (handshakeOf(flow).kind !== undefined) flows.push(flow.copy());
    }
  }
  return flows;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Capture bytes -> frames counted by the flow table. */
async function throughTable(bytes: Uint8Array, table: FlowTable): Promise<number> {
  const notes: CaptureNotes = { truncated: undefined, skipped: {} };
  let frames = 0;
  for await (const block of readCapture(once(bytes), notes)) {
    frames += block.frames;
    for (const _batch of table.process(block));
  }
  for (const _batch of table.finish());
  return frames;
}

const capture = await inMemory(CAPTURE);
const flows = await tlsFlows(CAPTURE);
const quicFlows = Array.from({ length: 100 }, (_, i) => quicFlow(i));
const frames = await throughTable(capture, new FlowTable({}));
const classifier = await Classifier.open(await loadBundle(BUNDLE));
const { featureSpec } = classifier;
const features: Features[] = flows.map((flow) =>
  featuresOf(flow, handshakeOf(flow), featureSpec),
);
const batch = Array.from(
  { length: BATCH_FLOWS },
  (_, i) => features[i % features.length],
).filter((row) => row !== undefined);

const table = new FlowTable({});
const bench = new Bench({ time: 2000, warmupTime: 300 });
/** What one run of each task handles, by the task's name. */
const units: Record<string, { readonly count: number; readonly of: string }> = {
  'reader and flow table': { count: frames, of: 'packet' },
  'handshake, TLS': { count: flows.length, of: 'flow' },
  'handshake, QUIC': { count: quicFlows.length, of: 'flow' },
  'handshake and features': { count: flows.length, of: 'flow' },
  [`classify, ${BATCH_FLOWS} at a time`]: { count: batch.length, of: 'flow' },
  'classify, one at a time': { count: 1, of: 'flow' },
};
const tasks: readonly (() => unknown)[] = [
  () => throughTable(capture, table),
  () => flows.map(handshakeOf),
  () => quicFlows.map(handshakeOf),
  () => flows.map((flow) => featuresOf(flow, handshakeOf(flow), featureSpec)),
  () => classifier.classify(batch),
  () => classifier.classify(batch.slice(0, 1)),
];
Object.keys(units).forEach((name, i) => {
  const task = tasks[i];
  if (task !== undefined) bench.add(name, task);
});
await bench.run();

console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}, ${process.arch}`,
);
console.log(
  `${CAPTURE.slice(root.length)}: ${frames} packets, ${flows.length} TLS flows\n`,
);
for (const task of bench.tasks) {
  const unit = units[task.name];
  if (unit === undefined || !('latency' in task.result)) continue;
  const { p50, p75, samplesCount } = task.result.latency;
  const micros = (ms: number): string => ((ms * 1000) / unit.count).toFixed(3);
  const perSecond = Math.round((1000 * unit.count) / p50).toLocaleString('en-US');
  console.log(
    `${task.name.padEnd(24)} ${micros(p50).padStart(10)} µs a ${unit.of} (p75 ${micros(p75)}, ${samplesCount} runs), ${perSecond} ${unit.of}s/s`,
  );
}
await benchFeatures(CAPTURE, classifier.manifest.features.statistics);
await classifier.close();
await benchModels();
await benchAgent();
await benchDataset();
