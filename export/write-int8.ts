// The steps of network.ts -> an int8 ONNX graph in QDQ form: Conv, Gemm, MaxPool, GlobalAveragePool and Concat stand between
// DequantizeLinear and QuantizeLinear, which is the pattern that onnxruntime fuses into integer kernels; what only moves
// numbers moves the 8-bit ones. A ReLU has no node: the uint8 behind it starts at zero (quantize.ts). LSTMs take floats and
// have int8 weights (lstm-nodes.ts). The last Gemm gives float logits to the Softmax. Axes: see network.ts.

import {
  type FoldedConvolution,
  foldStride,
  isPositionsFirst,
  repeated,
  writeFolded,
} from './fold-stride.ts';
import { GraphBuilder } from './graph.ts';
import { writeLookUp, writePacketChannels } from './look-up-nodes.ts';
import { writeInt8Lstm } from './lstm-nodes.ts';
import {
  type ConvolveStep,
  type DenseStep,
  freeInputs,
  type InputStep,
  type Network,
  outputOf,
  type Step,
  sourcesOf,
  wholeShape,
} from './network.ts';
import { quantizeWeights, type Scale } from './quantize.ts';
import type { Rounding } from './round-weights.ts';
import { chooseScales, type IntegerStep, isInteger, type Ranges } from './scales.ts';
import {
  convolution,
  isMoving,
  type MovingStep,
  pooling,
  writeMoving,
  writeNodes,
} from './write-nodes.ts';

export interface Int8Options {
  /** Names of steps that stay in float. */
  readonly float?: ReadonlySet<string>;
  /** Steps whose values become outputs, too, named `seenName(step)`. */
  readonly exposed?: readonly string[];
  /** Weights that are better than the nearest whole numbers. */
  readonly rounding?: Rounding;
}

/** Name of the output that shows a step's values. */
export function seenName(step: string): string {
  return `${step}_seen`;
}

/** The model file in int8. */
export function writeInt8(
  network: Network,
  ranges: Ranges,
  options: Int8Options = {},
): Uint8Array {
  const writer = new Writer(network, ranges, options);
  for (const step of network.steps) writer.write(step);
  return writer.encode(options.exposed ?? []);
}

/** The tensors that carry a step's values; those that are lacking are made when they are wanted. */
interface Carried {
  float?: string;
  /** uint8 */
  quantized?: string;
  /** `quantized`, as floats. */
  dequantized?: string;
}

function isWeighted(step: Step): step is ConvolveStep | DenseStep {
  return step.kind === 'convolve' || step.kind === 'dense';
}

class Writer {
  readonly #graph: GraphBuilder;
  readonly #network: Network;
  readonly #float: ReadonlySet<string>;
  readonly #rounding: Rounding;
  readonly #free: ReadonlySet<string>;
  /** Scale of each step's values in 8 bits, by its name. */
  readonly #scales: ReadonlyMap<string, Scale>;
  readonly #carried = new Map<string, Carried>();

  constructor(network: Network, ranges: Ranges, { float, rounding }: Int8Options) {
    this.#graph = new GraphBuilder(network.name);
    this.#network = network;
    this.#float = float ?? new Set();
    this.#rounding = rounding ?? new Map();
    this.#free = freeInputs(network);
    this.#scales = chooseScales(network, ranges);
  }

  encode(exposed: readonly string[]): Uint8Array {
    const output = outputOf(this.#network);
    const graph = this.#graph;
    if (this.#carried.get(output.name)?.float !== output.name) {
      graph.node('Identity', output.name, [this.#floatOf(output.name)]);
    }
    graph.output(output.name, wholeShape(output));
    for (const { name, shape } of this.#network.steps) {
      if (!exposed.includes(name)) continue;
      graph.node('Identity', seenName(name), [this.#floatOf(name)]);
      graph.output(
        seenName(name),
        [0, ...shape].map((_, i) => `${name}_${i}`),
      );
    }
    return graph.encode();
  }

  write(step: Step): void {
    const { name } = step;
    const int8 = { name, precision: 'int8' } as const;
    if (step.kind === 'input') this.#input(step);
    else if (step.kind === 'rescale') {
      // Exact: the bytes are their own quantization.
      this.#carried.set(name, { ...this.#carriedOf(step.from) });
    } else if (isMoving(step)) this.#move(step);
    else if (this.#computesInIntegers(step)) this.#compute(step);
    else if (isWeighted(step)) this.#computeInFloat(step);
    else if (step.kind === 'lstm' && !this.#float.has(name)) {
      const [x, ...lengths] = sourcesOf(step);
      const inputs = [this.#floatOf(x ?? ''), ...lengths];
      writeInt8Lstm(this.#graph, step, inputs, name);
      this.#carried.set(name, { float: name });
    } else if (step.kind === 'look-up' && !this.#float.has(name)) {
      writeLookUp(this.#graph, step, this.#floatOf(step.from), int8);
      this.#carried.set(name, { float: name });
    } else if (step.kind === 'packet-channels' && !this.#float.has(name)) {
      writePacketChannels(this.#graph, step, this.#floatOf(step.from), int8);
      this.#carried.set(name, { float: name });
    } else {
      const isLengths = step.kind === 'lengths';
      const inputs = sourcesOf(step).map((from) =>
        isLengths ? this.#anyOf(from) : this.#floatOf(from),
      );
      writeNodes(this.#graph, step, inputs, name);
      this.#carried.set(name, { float: name });
    }
  }

  #input(step: InputStep): void {
    const { name } = step;
    const bytes = step.values === 'bytes';
    const shape = wholeShape(step, this.#free.has(name));
    this.#graph.input(name, bytes ? 'uint8' : 'float32', shape);
    this.#carried.set(name, bytes ? { quantized: name } : { float: name });
  }

  /** Moves 8-bit numbers where there are any or they are wanted behind, else floats. */
  #move(step: MovingStep): void {
    const { name, from } = step;
    // They read what is in front of it.
    if (isPositionsFirst(step) && this.#readersOf(name).every((r) => this.#foldOf(r))) {
      return;
    }
    const { float, quantized } = this.#carriedOf(from);
    const isFloat = float !== undefined || quantized === undefined;
    if (isFloat && !this.#isWantedIn8Bits(name)) {
      const moved = { name, zero: undefined };
      writeMoving(this.#graph, step, this.#floatOf(from), moved);
      this.#carried.set(name, { float: name });
      return;
    }
    const source = quantized ?? this.#quantizedOf(from);
    const moved = `${name}_q`;
    const zero = step.kind === 'rows' ? this.#constants(from)[1] : undefined;
    writeMoving(this.#graph, step, source, { name: moved, zero });
    this.#carried.set(name, { quantized: moved });
  }

  /** Whether a layer's integer kernel reads a step's values, be it through others that move or join them. */
  #isWantedIn8Bits(name: string): boolean {
    return this.#readersOf(name).some((step) => {
      if (isWeighted(step)) return isInteger(step, this.#float);
      const passesOn = isMoving(step) || isInteger(step, this.#float);
      return passesOn && this.#isWantedIn8Bits(step.name);
    });
  }

  /**
   * Layers do unless they are to stay in float. What only joins or picks values rounds them for nothing where floats alone are
   * made of them, unless they are 8-bit numbers of one scale already: then nothing gets lost.
   */
  #computesInIntegers(step: Step): step is IntegerStep {
    if (!isInteger(step, this.#float)) return false;
    if (isWeighted(step) || this.#isWantedIn8Bits(step.name)) return true;
    const sources = sourcesOf(step);
    const quantized = sources.every(
      (from) => this.#carriedOf(from).quantized !== undefined,
    );
    if (step.kind === 'concat') return quantized && this.#isCopying(sources, step.name);
    return quantized && step.kind === 'pool';
  }

  /** The node between DequantizeLinear and QuantizeLinear; logits have nothing behind them. */
  #compute(step: IntegerStep): void {
    const { name } = step;
    const graph = this.#graph;
    if (step.kind === 'concat' && this.#isCopying(step.parts, name)) {
      const parts = step.parts.map((part) => this.#quantizedOf(part));
      const quantized = graph.node('Concat', `${name}_q`, parts, { axis: 1 });
      this.#carried.set(name, { quantized });
      return;
    }
    if (step.kind === 'convolve') {
      this.#convolve(step);
      return;
    }
    const inputs = sourcesOf(step).map((from) => this.#dequantizedOf(from));
    // What only floats are made of need not be rounded.
    const inFloat = step.kind === 'dense' && !this.#isWantedIn8Bits(name);
    const quantize = this.#scales.has(name) && !inFloat;
    const made = quantize ? `${name}_float` : name;
    switch (step.kind) {
      case 'dense': {
        const relu = step.relu && !quantize;
        const sum = relu ? `${name}_sum` : made;
        graph.node('Gemm', sum, [...inputs, ...this.#weights(step)]);
        // A Relu would be fused with the Gemm, in float.
        if (relu) graph.node('Max', made, [sum, graph.float(`${name}_least`, 0)]);
        break;
      }
      case 'pool':
        graph.node('MaxPool', made, inputs, pooling(step));
        break;
      case 'average':
        graph.node('GlobalAveragePool', made, inputs);
        break;
      case 'concat':
        graph.node('Concat', made, inputs, { axis: 1 });
        break;
      default:
        step satisfies never;
    }
    if (quantize) this.#quantize(made, name);
    else this.#carried.set(name, { float: made });
  }

  /** In integers it always gives 8 bits, whatever reads them; as the output, floats. */
  #convolve(step: ConvolveStep): void {
    const { name, from } = step;
    const folded = this.#foldOf(step);
    if (folded !== undefined) {
      const source = this.#stepNamed(from);
      const turned = isPositionsFirst(source);
      const quantized = writeFolded(this.#graph, step, folded, {
        input: this.#quantizedOf(turned ? source.from : from),
        width: source.shape[1] ?? 0,
        inputConstants: this.#constants(from),
        outputConstants: this.#constants(name),
        weights: this.#weights(step, folded),
      });
      this.#carried.set(name, { quantized });
      return;
    }
    const quantize = this.#scales.has(name);
    const inputs = [this.#dequantizedOf(from), ...this.#weights(step)];
    const made = quantize ? `${name}_float` : name;
    this.#graph.node('Conv', made, inputs, convolution(step));
    if (quantize) this.#quantize(made, name);
    else this.#carried.set(name, { float: made });
  }

  #foldOf(step: Step): FoldedConvolution | undefined {
    if (step.kind !== 'convolve' || !isInteger(step, this.#float)) return undefined;
    if (!this.#scales.has(step.name)) return undefined;
    const source = this.#stepNamed(step.from);
    const layout = isPositionsFirst(source) ? 'positions-first' : 'channels-first';
    return foldStride(step, source.shape[1] ?? 0, layout);
  }

  #quantize(made: string, name: string): void {
    const inputs = [made, ...this.#constants(name)];
    const quantized = this.#graph.node('QuantizeLinear', `${name}_q`, inputs);
    this.#carried.set(name, { quantized });
  }

  /**
   * A layer that is to stay in float, its ReLU as a Max: onnxruntime 1.30 quantizes the weights of a float Gemm or Conv on its
   * own where DequantizeLinear stands in front and QuantizeLinear (or a Relu and that) behind.
   */
  #computeInFloat(step: ConvolveStep | DenseStep): void {
    const graph = this.#graph;
    const { name, relu, from } = step;
    writeNodes(graph, { ...step, relu: false }, [this.#floatOf(from)], `${name}_sum`);
    const least = graph.float(`${name}_least`, relu ? 0 : LEAST_FLOAT);
    graph.node('Max', name, [`${name}_sum`, least]);
    this.#carried.set(name, { float: name });
  }

  #isCopying(parts: readonly string[], name: string): boolean {
    const whole = this.#scale(name);
    return parts.every((part) => {
      const { scale, zeroPoint } = this.#scale(part);
      return scale === whole.scale && zeroPoint === whole.zeroPoint;
    });
  }

  /** Weights and bias as dequantized constants, the form that the fusion wants. */
  #weights(
    step: ConvolveStep | DenseStep,
    folded?: FoldedConvolution,
  ): [weights: string, bias: string] {
    const { name, weights, bias } = step;
    const graph = this.#graph;
    const channels = bias.length;
    const perChannel = weights.length / channels;
    const convolve = step.kind === 'convolve';
    const channelOf = convolve
      ? (i: number) => Math.floor(i / perChannel)
      : (i: number) => i % channels;
    const inputScale = this.#scale(step.from).scale;
    const rounded = this.#rounding.get(name);
    const q = quantizeWeights(weights, bias, inputScale, channelOf, rounded);
    const own = convolve ? step.weightShape : [perChannel, channels];
    const shape = folded?.weightShape ?? own;
    const each = (folded?.outputs ?? 1) * channels;
    const weightInputs = [
      graph.int8s(`${name}_weights_q`, shape, folded?.fold(q.weights) ?? q.weights),
      graph.floats(`${name}_weights_scale`, [each], repeated(q.scales, each)),
      graph.int8s(`${name}_weights_zero`, [each], new Int8Array(each)),
    ];
    const biasInputs = [
      graph.int32s(`${name}_bias_q`, [each], repeated(q.bias, each)),
      graph.floats(`${name}_bias_scale`, [each], repeated(q.biasScales, each)),
      graph.int32s(`${name}_bias_zero`, [each], new Int32Array(each)),
    ];
    const axis = convolve ? 0 : 1;
    return [
      graph.node('DequantizeLinear', `${name}_weights`, weightInputs, { axis }),
      graph.node('DequantizeLinear', `${name}_bias`, biasInputs, { axis: 0 }),
    ];
  }

  #floatOf(name: string): string {
    return this.#carriedOf(name).float ?? this.#dequantizedOf(name);
  }

  /** As it came, bytes too: whether a number is 0 can be seen in any form but a rounded one. */
  #anyOf(name: string): string {
    const { float, quantized } = this.#carriedOf(name);
    return float ?? quantized ?? '';
  }

  #quantizedOf(name: string): string {
    const carried = this.#carriedOf(name);
    carried.quantized ??= this.#graph.node('QuantizeLinear', `${name}_q`, [
      carried.float ?? '',
      ...this.#constants(name),
    ]);
    return carried.quantized;
  }

  #dequantizedOf(name: string): string {
    const carried = this.#carriedOf(name);
    carried.dequantized ??= this.#graph.node('DequantizeLinear', `${name}_dq`, [
      this.#quantizedOf(name),
      ...this.#constants(name),
    ]);
    return carried.dequantized;
  }

  /** Names of the two constants; made once. */
  #constants(name: string): [scale: string, zero: string] {
    const { scale, zeroPoint } = this.#scale(name);
    return [
      this.#graph.sharedFloat(`${name}_scale`, scale),
      this.#graph.sharedUint8(`${name}_zero`, zeroPoint),
    ];
  }

  #scale(name: string): Scale {
    const scale = this.#scales.get(name);
    if (scale === undefined) throw new Error(`step "${name}" has no range`);
    return scale;
  }

  #readersOf(name: string): Step[] {
    return this.#network.steps.filter((step) => sourcesOf(step).includes(name));
  }

  #stepNamed(name: string): Step {
    const step = this.#network.steps.find((other) => other.name === name);
    if (step === undefined) throw new Error(`no step "${name}"`);
    return step;
  }

  #carriedOf(name: string): Carried {
    const carried = this.#carried.get(name);
    if (carried === undefined) throw new Error(`step "${name}" is not written yet`);
    return carried;
  }
}

/** Below it there is no float32: the larger of the two is the value itself. */
const LEAST_FLOAT = -3.4028234663852886e38;
