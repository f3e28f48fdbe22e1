// Channels of one tensor share one scale in int8. What a size has become (learnt rows of a table, small numbers) stands beside an
// inter-arrival time that is a hundred times as large, and a filter that seldom answers beside one that always does: the smaller
// would have hardly any bits. So what makes a channel is multiplied, and the weights that read it divided: a ReLU does not mind, and
// nothing changes in float32 (cross-layer equalisation, Nagel et al., ICCV 2019, 4.1).
// Axes: B flows, T steps, W positions, C channels, O numbers of a table's row.

import type { Sample } from './calibrate.ts';
import {
  type ConvolveStep,
  type DenseStep,
  type Network,
  outputOf,
  type PacketChannelsStep,
  type Step,
  sourcesOf,
} from './network.ts';
import { BATCH_FLOWS, OnnxModel, rowsOf } from './onnx-model.ts';
import { writeFp32 } from './write-fp32.ts';

/** Of a packet's channels, inter-arrival time and direction: numbers that come as they are. */
const FIXED_CHANNELS = 2;
/** A channel that hardly ever is anything must not get weights of nothing. */
const FACTOR_MOST = 256;

/** Makes channels that can be multiplied. */
type Maker = ConvolveStep | DenseStep | PacketChannelsStep;
/** Reads channels with weights that can be divided. */
type Reader = ConvolveStep | DenseStep;

/** Which channel of its maker each number of a row is, -1: of none; in the order of the tensor. */
type ChannelOf = Int32Array;

/** A reader, and which channel each number that it reads is. */
type Readers = ReadonlyMap<string, ChannelOf>;

/** The same network in float32, the channels of each tensor nearer to each other in size. */
export async function equalised(network: Network, sample: Sample): Promise<Network> {
  const makers = network.steps.filter(isMaker).flatMap((step) => {
    const readers = readersOf(network, step);
    return readers === undefined ? [] : [{ name: step.name, readers }];
  });
  if (makers.length === 0) return network;
  const names = makers.map(({ name }) => name);
  const largest = await largestOf(network, names, sample);
  const steps = new Map(network.steps.map((step) => [step.name, step]));
  for (const { name, readers } of makers) {
    // Those that are read side by side get one scale.
    const beside = makers.filter((other) =>
      [...readers.keys()].some((reader) => other.readers.has(reader)),
    );
    const top = Math.max(...beside.map((other) => most(largest.get(other.name))));
    const maker = steps.get(name) as Maker;
    const factors = factorsOf(largest.get(name) ?? new Float32Array(0), {
      top,
      weights: heaviestOf(readers, steps, channelsOf(maker)),
      fixed: maker.kind === 'packet-channels' ? FIXED_CHANNELS : 0,
    });
    steps.set(name, multiplied(maker, factors));
    for (const [reader, channelOf] of readers) {
      steps.set(reader, divided(steps.get(reader) as Reader, channelOf, factors));
    }
  }
  return { ...network, steps: network.steps.map(({ name }) => steps.get(name) as Step) };
}

function isMaker(step: Step): step is Maker {
  return ['packet-channels', 'convolve', 'dense'].includes(step.kind);
}

/** C */
function channelsOf(maker: Maker): number {
  return maker.kind === 'packet-channels' ? (maker.shape.at(-1) ?? 0) : maker.bias.length;
}

/** Numbers of a row that are one channel's, side by side: packets have their channels last, dense layers have nothing else. */
function runOf(maker: Maker): number {
  return maker.kind === 'packet-channels' ? 1 : (maker.shape[1] ?? 1);
}

/** All that reads a maker's channels, be it through steps that keep them apart; undefined where one of them cannot be divided. */
function readersOf(network: Network, maker: Maker): Readers | undefined {
  const count = maker.shape.reduce((product, length) => product * length, 1);
  const channels = channelsOf(maker);
  const run = runOf(maker);
  const channelOf = Int32Array.from(
    { length: count },
    (_, i) => Math.floor(i / run) % channels,
  );
  const readers = new Map<string, ChannelOf>();
  return follow(network, { name: maker.name, channelOf, readers }) ? readers : undefined;
}

interface Followed {
  readonly name: string;
  readonly channelOf: ChannelOf;
  readonly readers: Map<string, ChannelOf>;
}

/** Adds the readers behind a tensor; false where one of them is of another kind. */
function follow(network: Network, { name, channelOf, readers }: Followed): boolean {
  if (name === outputOf(network).name) return false;
  const byName = new Map(network.steps.map((step) => [step.name, step]));
  return network.steps
    .filter((step) => sourcesOf(step).includes(name))
    .every((step) => {
      if (step.kind === 'convolve' || step.kind === 'dense') {
        readers.set(step.name, channelOf);
        return true;
      }
      const moved = movedBy(step, { name, channelOf, byName });
      if (moved === undefined) return false;
      return follow(network, { name: step.name, channelOf: moved, readers });
    });
}

/** Where the channels are behind a step that keeps them apart; undefined: it does not, or not so simply. */
function movedBy(
  step: Step,
  {
    name,
    channelOf,
    byName,
  }: Omit<Followed, 'readers'> & { readonly byName: ReadonlyMap<string, Step> },
): ChannelOf | undefined {
  const from = byName.get(name)?.shape ?? [];
  switch (step.kind) {
    case 'relu':
    case 'flatten':
      return channelOf;
    case 'pool':
    case 'average': {
      const [, width = 1] = from;
      const [channels = 0, left = 1] = step.shape;
      return Int32Array.from(
        { length: channels * left },
        (_, i) => channelOf[Math.floor(i / left) * width] ?? -1,
      );
    }
    case 'transpose': {
      const [rows = 0, columns = 0] = from;
      if (step.order.join() !== '0,2,1') return undefined;
      return Int32Array.from(
        { length: rows * columns },
        (_, i) => channelOf[(i % rows) * columns + Math.floor(i / rows)] ?? -1,
      );
    }
    case 'concat': {
      if (step.shape.length !== 1) return undefined;
      const moved = new Int32Array(step.shape[0] ?? 0).fill(-1);
      let at = 0;
      for (const part of step.parts) {
        if (part === name) moved.set(channelOf, at);
        at += byName.get(part)?.shape[0] ?? 0;
      }
      return moved;
    }
    default:
      return undefined;
  }
}

/** [C] of each step, its largest absolute values in a sample. */
async function largestOf(
  network: Network,
  names: readonly string[],
  { inputs, count }: Sample,
): Promise<Map<string, Float32Array>> {
  const makers = network.steps.filter(isMaker).filter(({ name }) => names.includes(name));
  const largest = new Map(
    makers.map((maker) => [maker.name, new Float32Array(channelsOf(maker))]),
  );
  const model = await OnnxModel.open(writeFp32(network, names));
  for (let from = 0; from < count; from += BATCH_FLOWS) {
    const to = Math.min(from + BATCH_FLOWS, count);
    const values = await model.run(rowsOf(inputs, count, from, to), to - from);
    for (const maker of makers) {
      const own = largest.get(maker.name) ?? new Float32Array(0);
      const run = runOf(maker);
      for (const [i, value] of (values[maker.name] ?? []).entries()) {
        const channel = Math.floor(i / run) % own.length;
        const size = Math.abs(value);
        if (size > (own[channel] ?? 0)) own[channel] = size;
      }
    }
  }
  await model.close();
  return largest;
}

/** [C] The largest weight that reads each channel, in parts of the largest of its output: that is what a weight's scale goes by. */
function heaviestOf(
  readers: Readers,
  steps: ReadonlyMap<string, Step>,
  channels: number,
): Float32Array {
  const heaviest = new Float32Array(channels);
  for (const [name, channelOf] of readers) {
    const reader = steps.get(name) as Reader;
    const outputs = new Float32Array(reader.bias.length);
    visitWeights(reader, channelOf, (weight, output) => {
      outputs[output] = Math.max(outputs[output] ?? 0, Math.abs(weight));
    });
    visitWeights(reader, channelOf, (weight, output, channel) => {
      if (channel < 0 || weight === 0) return;
      const part = Math.abs(weight) / (outputs[output] ?? 1);
      heaviest[channel] = Math.max(heaviest[channel] ?? 0, part);
    });
  }
  return heaviest;
}

/** Calls for each weight, in its order. */
function visitWeights(
  reader: Reader,
  channelOf: ChannelOf,
  visit: (weight: number, output: number, channel: number, at: number) => void,
): void {
  const { weights, bias } = reader;
  if (reader.kind === 'dense') {
    for (const [at, weight] of weights.entries()) {
      const input = Math.floor(at / bias.length);
      visit(weight, at % bias.length, channelOf[input] ?? -1, at);
    }
    return;
  }
  const [, inputs, kernel] = reader.weightShape;
  const width = channelOf.length / inputs;
  for (const [at, weight] of weights.entries()) {
    const row = Math.floor(at / kernel);
    visit(weight, Math.floor(row / inputs), channelOf[(row % inputs) * width] ?? -1, at);
  }
}

/**
 * [C] A channel may grow as long as its weights are not the smaller part: at the root of their ratio, in parts of those of the largest
 * channel, values and weights are equally far from what decides their scale.
 */
function factorsOf(
  largest: Float32Array,
  {
    top,
    weights,
    fixed,
  }: { readonly top: number; readonly weights: Float32Array; readonly fixed: number },
): Float32Array {
  return largest.map((value, channel) => {
    const weight = weights[channel] ?? 0;
    if (channel < fixed || value === 0 || weight === 0) return 1;
    // Never beyond the largest channel's values.
    return Math.min(Math.sqrt((top / value) * weight), top / value, FACTOR_MOST);
  });
}

function multiplied(step: Maker, factors: Float32Array): Maker {
  if (step.kind === 'packet-channels') return packetsMultiplied(step, factors);
  const factorOf = (channel: number) => factors[channel] ?? 1;
  const { weights, bias } = step;
  const perChannel = weights.length / bias.length;
  return {
    ...step,
    weights: weights.map((weight, i) =>
      step.kind === 'dense'
        ? weight * factorOf(i % bias.length)
        : weight * factorOf(Math.floor(i / perChannel)),
    ),
    bias: bias.map((value, channel) => value * factorOf(channel)),
  };
}

/** Channels are time, direction, then those of the entries that there are: see network.ts. */
function packetsMultiplied(
  step: PacketChannelsStep,
  factors: Float32Array,
): PacketChannelsStep {
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

function divided(step: Reader, channelOf: ChannelOf, factors: Float32Array): Reader {
  const weights = new Float32Array(step.weights.length);
  visitWeights(step, channelOf, (weight, _output, channel, at) => {
    weights[at] = channel < 0 ? weight : weight / (factors[channel] ?? 1);
  });
  return { ...step, weights };
}

function most(values: Float32Array | undefined): number {
  return values?.reduce((a, b) => Math.max(a, b), 0) ?? 0;
}
