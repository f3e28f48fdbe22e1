// What each layer costs in float32 and in int8, as onnxruntime's own profile tells: its nodes bear the layers' names. Profiling
// costs a little by itself, so the sum is more than a run without it. Axes: B flows.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import type { Sample } from './calibrate.ts';
import type { Network } from './network.ts';
import { BATCH_FLOWS, feedsOf, rowsOf } from './onnx-model.ts';
import { median } from './speed.ts';

export interface LayerSpeed {
  /** A layer; empty: what belongs to none, such as conversions between layouts. */
  readonly layer: string;
  /** Microseconds a flow, medians, in batches of 32; undefined: it does not occur. */
  readonly fp32Us: number | undefined;
  readonly int8Us: number | undefined;
}

const WARM_UP_RUNS = 5;
const RUNS = 60;

/** One entry a layer, the slowest in float32 first. */
export async function layerSpeeds(
  network: Network,
  files: { readonly fp32: Uint8Array; readonly int8: Uint8Array },
  sample: Sample,
): Promise<LayerSpeed[]> {
  const names = network.steps.map(({ name }) => name);
  const fp32 = await profiled(files.fp32, sample, names);
  const int8 = await profiled(files.int8, sample, names);
  return [...new Set([...fp32.keys(), ...int8.keys()])]
    .map((layer) => ({ layer, fp32Us: fp32.get(layer), int8Us: int8.get(layer) }))
    .sort((a, b) => (b.fp32Us ?? 0) - (a.fp32Us ?? 0));
}

/** Microseconds a flow by layer. */
async function profiled(
  file: Uint8Array,
  { inputs, count }: Sample,
  names: readonly string[],
): Promise<Map<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-profile-'));
  try {
    const session = await InferenceSession.create(file, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile'),
    });
    const flows = Math.min(count, BATCH_FLOWS);
    const feeds = feedsOf(session, rowsOf(inputs, count, 0, flows), flows);
    for (let run = 0; run < WARM_UP_RUNS + RUNS; run++) await session.run(feeds);
    session.endProfiling();
    await session.release();
    const [profile = ''] = await readdir(folder);
    const text = await readFile(join(folder, profile), 'utf8');
    return byLayer(JSON.parse(text) as readonly ProfileEvent[], names, flows);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of the profile's events: those of category "Node" are runs of kernels. */
interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
}

const KERNEL = '_kernel_time';

function byLayer(
  events: readonly ProfileEvent[],
  names: readonly string[],
  flows: number,
): Map<string, number> {
  const durations = new Map<string, number[]>();
  for (const { cat, name, dur } of events) {
    if (cat !== 'Node' || !name.endsWith(KERNEL)) continue;
    durations.set(name, [...(durations.get(name) ?? []), dur]);
  }
  const layers = new Map<string, number>();
  for (const [event, all] of durations) {
    const node = event.slice(0, -KERNEL.length).replace(/^fused /, '');
    // The longest name: that of another step may begin in the same way.
    const owner = names
      .filter((name) => node === name || node.startsWith(`${name}_`))
      .reduce((a, b) => (b.length > a.length ? b : a), '');
    layers.set(owner, (layers.get(owner) ?? 0) + median(all.slice(WARM_UP_RUNS)) / flows);
  }
  return layers;
}
