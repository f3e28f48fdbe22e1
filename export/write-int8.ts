// The steps of network.ts -> an int8 ONNX graph in QDQ form: every Conv, Gemm, MaxPool, Flatten and Concat stands between
// DequantizeLinear and QuantizeLinear, which is the pattern that onnxruntime fuses into integer kernels. A ReLU has no
// node: the uint8 behind it starts at zero (quantize.ts). The last Gemm gives float logits to the Softmax.

import { GraphBuilder } from './graph.ts';
import type { ConvolveStep, DenseStep, Network, Step } from './network.ts';
import { outputOf } from './network.ts';
import {
  type QuantizedWeights,
  quantizeWeights,
  type Scale,
  scaleOf,
} from './quantize.ts';
import { convolution, pooling } from './write-fp32.ts';

/** Range of each step's values by its name, as `calibrate` found them. */
export type Ranges = ReadonlyMap<string, { readonly low: number; readonly high: number }>;

/** The model file in int8. */
export function writeInt8(network: Network, ranges: Ranges): Uint8Array {
  const writer = new Writer(network, ranges);
  for (const step of network.steps) writer.write(step);
  return writer.encode();
}

class Writer {
  readonly #graph: GraphBuilder;
  readonly #network: Network;
  /** Scale of each quantized step's values, by its name. */
  readonly #scales: ReadonlyMap<string, Scale>;
  /** The float tensor that carries a step's values, by the step's name. */
  readonly #tensors = new Map<string, string>();

  constructor(network: Network, ranges: Ranges) {
    this.#graph = new GraphBuilder(network.name);
    this.#network = network;
    this.#scales = chooseScales(network, ranges);
  }

  encode(): Uint8Array {
    const output = outputOf(this.#network);
    this.#graph.output(output.name, output.shape);
    return this.#graph.encode();
  }

  write(step: Step): void {
    const graph = this.#graph;
    const { name } = step;
    switch (step.kind) {
      case 'input':
        this.#input(step);
        return;
      case 'rescale': {
        // Exact: the bytes are their own quantization.
        const [scale, zero] = this.#scaleConstants(name);
        this.#tensors.set(
          name,
          graph.node('DequantizeLinear', name, [step.from, scale, zero]),
        );
        return;
      }
      case 'transpose':
        this.#between(step, (x, y) => graph.node('Transpose', y, x, { perm: [0, 2, 1] }));
        return;
      case 'convolve':
        this.#between(step, (x, y) =>
          graph.node('Conv', y, [...x, ...this.#weights(step)], convolution(step)),
        );
        return;
      case 'pool':
        this.#between(step, (x, y) => graph.node('MaxPool', y, x, pooling(step)));
        return;
      case 'flatten':
        this.#between(step, (x, y) => graph.node('Flatten', y, x, { axis: 1 }));
        return;
      case 'dense':
        this.#between(step, (x, y) =>
          graph.node('Gemm', y, [...x, ...this.#weights(step)]),
        );
        return;
      case 'concat':
        this.#between(step, (x, y) => graph.node('Concat', y, x, { axis: 1 }));
        return;
      case 'softmax':
        graph.node('Softmax', name, [this.#tensor(step.from)], { axis: 1 });
        return;
      default:
        step satisfies never;
    }
  }

  /** A float input is quantized at once; bytes wait for their rescale. */
  #input(step: Extract<Step, { kind: 'input' }>): void {
    const { name, shape } = step;
    if (step.values === 'bytes') {
      this.#graph.input(name, 'uint8', shape);
      return;
    }
    this.#graph.input(name, 'float32', shape);
    this.#tensors.set(name, this.#requantize(name, name));
  }

  /** Writes a step's node; where its values are quantized, Q and DQ behind it. */
  #between(
    step: Exclude<Step, { kind: 'input' | 'rescale' }>,
    node: (inputs: readonly string[], name: string) => string,
  ): void {
    const { name } = step;
    const inputs = (step.kind === 'concat' ? step.parts : [step.from]).map((from) =>
      this.#tensor(from),
    );
    if (!this.#scales.has(name)) {
      this.#tensors.set(name, node(inputs, name));
      return;
    }
    this.#tensors.set(name, this.#requantize(node(inputs, `${name}_float`), name));
  }

  /** float tensor -> its 8-bit version, dequantized. */
  #requantize(tensor: string, name: string): string {
    const [scale, zero] = this.#scaleConstants(name);
    const graph = this.#graph;
    const quantized = graph.node('QuantizeLinear', `${name}_q`, [tensor, scale, zero]);
    return graph.node('DequantizeLinear', `${name}_dq`, [quantized, scale, zero]);
  }

  #scaleConstants(name: string): [scale: string, zero: string] {
    const { scale, zeroPoint } = this.#scale(name);
    return [
      this.#graph.float(`${name}_scale`, scale),
      this.#graph.uint8(`${name}_zero`, zeroPoint),
    ];
  }

  /** Weights and bias as dequantized constants, the form that the fusion wants. */
  #weights(step: ConvolveStep | DenseStep): [weights: string, bias: string] {
    const { name, weights, bias } = step;
    const graph = this.#graph;
    const channels = bias.length;
    const perChannel = weights.length / channels;
    const convolve = step.kind === 'convolve';
    const channelOf = convolve
      ? (i: number) => Math.floor(i / perChannel)
      : (i: number) => i % channels;
    const q: QuantizedWeights = quantizeWeights(
      weights,
      bias,
      this.#scale(step.from).scale,
      channelOf,
    );
    const shape = convolve ? step.weightShape : [perChannel, channels];
    const weightInputs = [
      graph.int8s(`${name}_weights_q`, shape, q.weights),
      graph.floats(`${name}_weights_scale`, [channels], q.scales),
      graph.int8s(`${name}_weights_zero`, [channels], new Int8Array(channels)),
    ];
    const biasInputs = [
      graph.int32s(`${name}_bias_q`, [channels], q.bias),
      graph.floats(`${name}_bias_scale`, [channels], q.biasScales),
      graph.int32s(`${name}_bias_zero`, [channels], new Int32Array(channels)),
    ];
    const axis = convolve ? 0 : 1;
    return [
      graph.node('DequantizeLinear', `${name}_weights`, weightInputs, { axis }),
      graph.node('DequantizeLinear', `${name}_bias`, biasInputs, { axis: 0 }),
    ];
  }

  #scale(name: string): Scale {
    const scale = this.#scales.get(name);
    if (scale === undefined) throw new Error(`step "${name}" has no range`);
    return scale;
  }

  #tensor(name: string): string {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new Error(`step "${name}" is not written yet`);
    return tensor;
  }
}

/** A scale for each step whose values are 8-bit: all but the logits and what comes behind them. */
function chooseScales(network: Network, ranges: Ranges): Map<string, Scale> {
  const scales = new Map<string, Scale>();
  for (const step of network.steps) {
    const scale = ownScale(step, ranges, scales);
    if (scale !== undefined) scales.set(step.name, scale);
  }
  for (const step of network.steps) {
    if (step.kind === 'concat') shareScale(step.parts, step.name, scales);
  }
  return scales;
}

function ownScale(
  step: Step,
  ranges: Ranges,
  scales: ReadonlyMap<string, Scale>,
): Scale | undefined {
  const range = ranges.get(step.name);
  switch (step.kind) {
    case 'rescale':
      return { scale: Math.fround(step.scale), zeroPoint: 0 };
    case 'transpose':
    case 'pool':
    case 'flatten':
      return scales.get(step.from);
    case 'softmax':
      return undefined;
    case 'convolve':
    case 'dense':
    case 'input':
    case 'concat':
      if (range === undefined) return undefined;
      return scaleOf('relu' in step && step.relu ? 0 : range.low, range.high);
    default:
      return step satisfies never;
  }
}

/** Concat only copies where its inputs and output have one scale: the widest. */
function shareScale(
  parts: readonly string[],
  name: string,
  scales: Map<string, Scale>,
): void {
  const all = parts
    .map((part) => scales.get(part))
    .filter((scale) => scale !== undefined);
  const widest = all.reduce((a, b) => (b.scale > a.scale ? b : a));
  for (const tensor of [...parts, name]) scales.set(tensor, widest);
}
