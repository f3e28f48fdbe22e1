// Float weights -> int8 ones that give the layer's outputs back as nearly as they can. The nearest whole number of each weight is not the best
// choice: what one weight loses another that reads much the same can make good. Weights are rounded one after another, those of the strongest
// inputs first, and each takes up what those before it have left in the outputs of a sample; the bias, which is hardly
// rounded at all, comes last. (The nearest-plane algorithm of Babai 1986 on the Cholesky factor of the inputs' second moments;
// it gives what GPTQ gives, Frantar et al., ICLR 2023.)
// Axes: N vectors, K inputs of one output, O outputs, W positions.

import { WEIGHT_LIMIT } from '../models/int8-grid.ts';
import { seededRandom } from '../models/random.ts';
import type { Sample } from './calibrate.ts';
import type { ConvolveStep, DenseStep, Network } from './network.ts';
import { BATCH_FLOWS, OnnxModel, type Outputs, rowsOf } from './onnx-model.ts';
import { type RoundedWeights, weightScales } from './quantize.ts';
import { writeFp32 } from './write-fp32.ts';

/** By the layer's name. */
export type Rounding = ReadonlyMap<string, RoundedWeights>;

type Layer = ConvolveStep | DenseStep;

/** Inputs that are rounded together: more would take minutes, and weights far apart have little to make good for each other. */
const BLOCK_INPUTS = 512;
/** Vectors of a layer's inputs. A convolution has many in each flow. */
const VECTORS = 8192;
/** In parts of the mean of the diagonal: what a sample says of directions that it hardly has is not believed. */
const DAMPING = 0.01;

/** Rounds all convolutions and dense layers by what they read in a sample of training flows. */
export async function roundWeights(network: Network, sample: Sample): Promise<Rounding> {
  const layers = network.steps.filter(
    (step): step is Layer => step.kind === 'convolve' || step.kind === 'dense',
  );
  const inputs = await inputsOf(network, layers, sample);
  return new Map(
    layers.map((layer) => {
      const vectors = inputs.get(layer.name);
      if (vectors === undefined) throw new Error(`no inputs of layer "${layer.name}"`);
      return [layer.name, roundLayer(layer, vectors)];
    }),
  );
}

/** N vectors of K inputs, one after the other. */
interface Vectors {
  readonly values: Float32Array;
  readonly width: number;
}

async function inputsOf(
  network: Network,
  layers: readonly Layer[],
  { inputs, count }: Sample,
): Promise<Map<string, Vectors>> {
  const byName = new Map(network.steps.map((step) => [step.name, step]));
  const sources = [...new Set(layers.map(({ from }) => from))];
  const computed = sources.filter((name) => byName.get(name)?.kind !== 'input');
  const model = await OnnxModel.open(writeFp32(network, computed));
  const random = seededRandom(1);
  const gathered = new Map(layers.map(({ name }) => [name, [] as Float32Array[]]));
  for (let from = 0; from < count; from += BATCH_FLOWS) {
    const to = Math.min(from + BATCH_FLOWS, count);
    const rows = rowsOf(inputs, count, from, to);
    const values: Outputs = await model.run(rows, to - from);
    for (const layer of layers) {
      const tensor = values[layer.from] ?? rows[layer.from];
      if (!(tensor instanceof Float32Array)) continue;
      const shape = byName.get(layer.from)?.shape ?? [];
      const most = Math.ceil((VECTORS * (to - from)) / count);
      gathered
        .get(layer.name)
        ?.push(...vectorsOf(layer, { tensor, shape, most, random }));
    }
  }
  await model.close();
  return new Map(
    layers.map((layer) => {
      const parts = gathered.get(layer.name) ?? [];
      const width = layer.weights.length / layer.bias.length;
      const values = new Float32Array(parts.length * width);
      for (const [n, part] of parts.entries()) values.set(part, n * width);
      return [layer.name, { values, width }];
    }),
  );
}

interface Read {
  /** Of some flows. */
  readonly tensor: Float32Array;
  /** Of one of them. */
  readonly shape: readonly number[];
  /** Vectors that are wanted of it. */
  readonly most: number;
  readonly random: () => number;
}

function vectorsOf(layer: Layer, { tensor, shape, most, random }: Read): Float32Array[] {
  const size = shape.reduce((product, length) => product * length, 1);
  const rows = tensor.length / size;
  if (layer.kind === 'dense') {
    return Array.from({ length: rows }, (_, row) =>
      tensor.slice(row * size, (row + 1) * size),
    );
  }
  const [, width = 0] = layer.shape;
  const all = rows * width;
  if (all <= most)
    return Array.from({ length: all }, (_, at) => patch(layer, { tensor, shape }, at));
  return Array.from({ length: most }, () =>
    patch(layer, { tensor, shape }, Math.floor(random() * all)),
  );
}

/** What a filter reads at one position, in the order of its weights; `at` counts all positions of all flows. */
function patch(
  { weightShape, shape: [, width = 1], stride, padding }: ConvolveStep,
  { tensor, shape }: Pick<Read, 'tensor' | 'shape'>,
  at: number,
): Float32Array {
  const [, channels, kernel] = weightShape;
  const [, positions = 0] = shape;
  const row = Math.floor(at / width) * channels;
  const first = (at % width) * stride - padding[0];
  const values = new Float32Array(channels * kernel);
  for (let c = 0; c < channels; c++) {
    for (let k = 0; k < kernel; k++) {
      const position = first + k;
      if (position < 0 || position >= positions) continue;
      values[c * kernel + k] = tensor[(row + c) * positions + position] ?? 0;
    }
  }
  return values;
}

function roundLayer(layer: Layer, vectors: Vectors): RoundedWeights {
  const { kind, weights, bias } = layer;
  const outputs = bias.length;
  const { width } = vectors;
  const at = (k: number, o: number) =>
    kind === 'dense' ? k * outputs + o : o * width + k;
  const channelOf = (i: number) =>
    kind === 'dense' ? i % outputs : Math.floor(i / width);
  const scales = weightScales(weights, outputs, channelOf);
  const plans = plansOf(vectors);
  const rounded = new Int8Array(weights.length);
  const biases = new Float32Array(outputs);
  for (let o = 0; o < outputs; o++) {
    const own = Float32Array.from({ length: width }, (_, k) => weights[at(k, o)] ?? 0);
    const column = roundColumn(own, scales[o] ?? 1, plans);
    for (const [k, q] of column.weights.entries()) rounded[at(k, o)] = q;
    biases[o] = (bias[o] ?? 0) + column.bias;
  }
  return { weights: rounded, scales, bias: biases };
}

/** The weights of one output, and what its bias has to make good. */
function roundColumn(
  weights: Float32Array,
  scale: number,
  plans: readonly Plan[],
): { readonly weights: Int8Array; readonly bias: number } {
  const rounded = new Int8Array(weights.length);
  let bias = 0;
  for (const { order, factor } of plans) {
    // What is lost of the weight at each place of the order; place 0 is the bias.
    const lost = new Float64Array(order.length + 1);
    for (let place = order.length; place > 0; place--) {
      const k = order[place - 1] ?? 0;
      const weight = weights[k] ?? 0;
      const nearest = Math.round((weight + owedAt(factor, lost, place)) / scale);
      const q = Math.max(-WEIGHT_LIMIT, Math.min(WEIGHT_LIMIT, nearest));
      rounded[k] = q;
      lost[place] = weight - q * scale;
    }
    bias += owedAt(factor, lost, 0);
  }
  return { weights: rounded, bias };
}

/** What a weight has to take up of those behind it, by the row of the factor. */
function owedAt(factor: Float64Array, lost: Float64Array, place: number): number {
  const size = lost.length;
  const row = place * size;
  let owed = 0;
  for (let j = place + 1; j < size; j++) owed += (factor[row + j] ?? 0) * (lost[j] ?? 0);
  return owed;
}

interface Plan {
  /** Inputs as they are rounded, the first one last. */
  readonly order: readonly number[];
  /** [K + 1, K + 1], upper triangle: the Cholesky factor of the second moments, each row in parts of its diagonal. */
  readonly factor: Float64Array;
}

function plansOf(vectors: Vectors): Plan[] {
  const { width } = vectors;
  const plans: Plan[] = [];
  for (let from = 0; from < width; from += BLOCK_INPUTS) {
    plans.push(planOf(vectors, from, Math.min(from + BLOCK_INPUTS, width)));
  }
  return plans;
}

/** Of inputs [from, to), and a constant 1 in front of them all, which the bias goes with. */
function planOf({ values, width }: Vectors, from: number, to: number): Plan {
  const count = values.length / width;
  const power = (k: number) => {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += (values[n * width + k] ?? 0) ** 2;
    return sum;
  };
  const powers = Array.from({ length: to - from }, (_, i) => ({
    k: from + i,
    sum: power(from + i),
  }));
  const order = powers.sort((a, b) => a.sum - b.sum).map(({ k }) => k);
  const size = order.length + 1;
  const moments = new Float64Array(size * size);
  const vector = new Float64Array(size).fill(1);
  for (let n = 0; n < count; n++) {
    for (const [i, k] of order.entries()) vector[i + 1] = values[n * width + k] ?? 0;
    addMoments(moments, vector);
  }
  const mean = powers.reduce((total, { sum }) => total + sum, 0) / powers.length;
  for (let i = 1; i < size; i++) {
    // More than nothing, for inputs that are always zero: nothing is lost of them, whatever their weights.
    moments[i * size + i] = (moments[i * size + i] ?? 0) + DAMPING * mean + 1e-30;
  }
  return { order, factor: factored(moments, size) };
}

/** Adds the upper triangle of v·vᵀ. */
function addMoments(moments: Float64Array, vector: Float64Array): void {
  const size = vector.length;
  for (let i = 0; i < size; i++) {
    const value = vector[i] ?? 0;
    if (value === 0) continue;
    const row = i * size;
    for (let j = i; j < size; j++) {
      moments[row + j] = (moments[row + j] ?? 0) + value * (vector[j] ?? 0);
    }
  }
}

/** Of a symmetric positive matrix, its upper triangle given: M = FᵀDF, F with ones on its diagonal. In place. */
function factored(m: Float64Array, size: number): Float64Array {
  for (let i = 0; i < size; i++) {
    const row = i * size;
    const own = m[row + i] ?? 0;
    for (let j = i; j < size; j++) m[row + j] = (m[row + j] ?? 0) / own;
    for (let j = i + 1; j < size; j++) {
      const times = own * (m[row + j] ?? 0);
      if (times === 0) continue;
      const other = j * size;
      for (let k = j; k < size; k++) {
        m[other + k] = (m[other + k] ?? 0) - times * (m[row + k] ?? 0);
      }
    }
  }
  return m;
}
