// What a size has become (learnt rows of a table, small numbers) stands beside an inter-arrival time that is a hundred times as large, and
// int8 gives them one scale: the rows would have hardly any bits. So the tables are multiplied, channel by channel, and the
// weights that read them divided: nothing changes in float32 (cross-layer equalisation, Nagel et al., ICCV 2019, 4.1).
// Axes: B flows, T steps, C channels of a packet, O numbers of a table's row.

import type { Sample } from './calibrate.ts';
import {
  type ConvolveStep,
  type Network,
  type PacketChannelsStep,
  sourcesOf,
} from './network.ts';
import { BATCH_FLOWS, OnnxModel, rowsOf } from './onnx-model.ts';
import { writeFp32 } from './write-fp32.ts';

/** Inter-arrival time and direction: numbers that come as they are. */
const FIXED_CHANNELS = 2;
/** A channel that hardly ever is anything must not get weights of nothing. */
const FACTOR_MOST = 256;

/** The same network in float32, the channels of its packets nearer to each other in size. */
export async function equalised(network: Network, sample: Sample): Promise<Network> {
  const packets = network.steps.find((step) => step.kind === 'packet-channels');
  const reader = packets === undefined ? undefined : readerOf(network, packets.name);
  if (packets === undefined || reader === undefined) return network;
  const largest = await largestOf(network, packets, sample);
  const factors = factorsOf(largest, reader);
  const steps = network.steps.map((step) => {
    if (step === packets) return multiplied(packets, factors);
    return step === reader ? divided(reader, factors) : step;
  });
  return { ...network, steps };
}

/** The convolution over packets, if nothing else reads them. */
function readerOf(network: Network, name: string): ConvolveStep | undefined {
  const [next, ...others] = network.steps.filter((step) =>
    sourcesOf(step).includes(name),
  );
  if (next === undefined || others.length > 0) return undefined;
  if (next.kind === 'convolve') return next;
  return next.kind === 'transpose' ? readerOf(network, next.name) : undefined;
}

/** [C], largest absolute values in a sample. */
async function largestOf(
  network: Network,
  { name, shape }: PacketChannelsStep,
  { inputs, count }: Sample,
): Promise<Float32Array> {
  const channels = shape.at(-1) ?? 0;
  const largest = new Float32Array(channels);
  const model = await OnnxModel.open(writeFp32(network, [name]));
  for (let from = 0; from < count; from += BATCH_FLOWS) {
    const to = Math.min(from + BATCH_FLOWS, count);
    const values = await model.run(rowsOf(inputs, count, from, to), to - from);
    for (const [i, value] of (values[name] ?? []).entries()) {
      const size = Math.abs(value);
      if (size > (largest[i % channels] ?? 0)) largest[i % channels] = size;
    }
  }
  await model.close();
  return largest;
}

/**
 * [C] A channel may grow as long as its weights are not the smaller part: at the root of their ratio, in parts of those of the largest
 * channel, values and weights are equally far from what decides their scale.
 */
function factorsOf(largest: Float32Array, reader: ConvolveStep): Float32Array {
  const weights = Float32Array.from(largest, (_, channel) =>
    largestWeight(reader, channel),
  );
  const top = largest.reduce((a, b) => Math.max(a, b), 0);
  const heaviest = weights.reduce((a, b) => Math.max(a, b), 0);
  return Float32Array.from(largest, (value, channel) => {
    const weight = weights[channel] ?? 0;
    if (channel < FIXED_CHANNELS || value === 0 || weight === 0) return 1;
    const factor = Math.sqrt((top / value) * (weight / heaviest));
    // Never beyond the largest channel's values.
    return Math.min(factor, top / value, FACTOR_MOST);
  });
}

function largestWeight({ weights, weightShape }: ConvolveStep, channel: number): number {
  const [outputs, channels, kernel] = weightShape;
  let most = 0;
  for (let o = 0; o < outputs; o++) {
    for (let k = 0; k < kernel; k++) {
      const weight = weights[(o * channels + channel) * kernel + k] ?? 0;
      most = Math.max(most, Math.abs(weight));
    }
  }
  return most;
}

/** Channels are time, direction, then those of the entries that there are: see network.ts. */
function multiplied(step: PacketChannelsStep, factors: Float32Array): PacketChannelsStep {
  let at = FIXED_CHANNELS;
  const scaled =
    step.scaled === undefined ? undefined : step.scaled * (factors[at++] ?? 1);
  const columns = (table: Float32Array, rows: number): Float32Array => {
    const width = table.length / rows;
    const first = at;
    at += width;
    return table.map((value, i) => value * (factors[first + (i % width)] ?? 1));
  };
  const sizes = step.sizes && columns(step.sizes, 2 * step.limit + 1);
  const bins = step.bins && {
    ...step.bins,
    table: columns(step.bins.table, step.bins.rows),
  };
  return { ...step, scaled, sizes, bins };
}

function divided(step: ConvolveStep, factors: Float32Array): ConvolveStep {
  const [, channels, kernel] = step.weightShape;
  const weights = step.weights.map((weight, at) => {
    const channel = Math.floor(at / kernel) % channels;
    return weight / (factors[channel] ?? 1);
  });
  return { ...step, weights };
}
