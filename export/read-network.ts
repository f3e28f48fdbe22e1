// A tfjs layers model -> the steps of network.ts, layer by layer. What tfjs has and ONNX has not is settled here: the
// order of axes ([B, W, C] against [B, C, W]), of weights ([K, Ci, Co] against [Co, Ci, K]), and which row of a dense
// layer's weights meets which value behind a Flatten. Axes: see network.ts.

import type { tf } from '../models/backend.ts';
import type { Network, Step } from './network.ts';

/** What is known of a tfjs tensor whose ONNX counterpart is `tensor`. */
interface Value {
  readonly tensor: string;
  /** tfjs' shape without the batch axis. */
  readonly shape: readonly number[];
  /** ONNX has the two axes the other way round. */
  readonly swapped: boolean;
  /** Made by flattening [channels, width] where tfjs flattens [width, channels]. */
  readonly flattened?: { readonly channels: number; readonly width: number };
}

/** Reads a model whose layers are of the kinds below; dropout vanishes. Throws naming the first layer it cannot read. */
export function readNetwork(model: tf.LayersModel): Network {
  const reader = new Reader(model);
  for (const layer of model.layers) reader.read(layer);
  const [output] = model.outputs;
  if (output === undefined) throw new Error(`model "${model.name}" has no output`);
  return { name: model.name, steps: reader.steps };
}

class Reader {
  readonly steps: Step[] = [];
  readonly #values = new Map<string, Value>();
  /** Names of the tensors that are bytes: those that a Rescaling layer reads. */
  readonly #bytes: ReadonlySet<string>;

  constructor(model: tf.LayersModel) {
    const rescaling = model.layers.filter((l) => l.getClassName() === 'Rescaling');
    this.#bytes = new Set(rescaling.flatMap(inputsOf).map((input) => input.name));
  }

  read(layer: tf.layers.Layer): void {
    const output = layer.output as tf.SymbolicTensor;
    this.#values.set(output.name, this.#translate(layer, output));
  }

  #translate(layer: tf.layers.Layer, output: tf.SymbolicTensor): Value {
    if (layer.getClassName() === 'InputLayer') return this.#input(layer, output);
    const inputs = inputsOf(layer).map((input) => this.#value(layer, input));
    const [input] = inputs;
    if (input === undefined) throw unreadable(layer, 'no input');
    const shape = shapeOf(output);
    switch (layer.getClassName()) {
      case 'Rescaling':
        return this.#rescale(layer, input);
      case 'Dropout':
      case 'SeededDropout':
        return input;
      case 'Permute':
        return permute(layer, input);
      case 'Conv1D':
        return this.#convolve(layer, input, shape);
      case 'MaxPooling1D':
        return this.#pool(layer, input, shape);
      case 'Flatten':
        return this.#flatten(layer, input, shape);
      case 'Dense':
        return this.#dense(layer, input, shape);
      case 'Concatenate':
        return this.#concat(layer, inputs, shape);
      default:
        throw unreadable(layer, 'a kind that export does not know');
    }
  }

  #value(layer: tf.layers.Layer, input: tf.SymbolicTensor): Value {
    const value = this.#values.get(input.name);
    if (value === undefined) throw unreadable(layer, `input ${input.name} not made yet`);
    return value;
  }

  #input(layer: tf.layers.Layer, output: tf.SymbolicTensor): Value {
    // The layer's name: tfjs counts up the names of tensors through a process' life.
    const { name } = layer;
    const shape = shapeOf(output);
    const values = this.#bytes.has(output.name) ? 'bytes' : 'floats';
    this.steps.push({ kind: 'input', name, shape, values });
    return { tensor: name, shape, swapped: false };
  }

  #rescale(layer: tf.layers.Layer, input: Value): Value {
    const { scale, offset } = layer.getConfig() as { scale: number; offset?: number };
    if ((offset ?? 0) !== 0) throw unreadable(layer, 'an offset');
    const { name } = layer;
    const { shape, tensor } = input;
    this.steps.push({ kind: 'rescale', name, shape, from: tensor, scale });
    return { ...input, tensor: name };
  }

  /** [B, W, C] in tfjs, as [B, C, W] in ONNX. */
  #channelsFirst(value: Value): Value {
    if (value.swapped) return value;
    const [width, channels] = planeOf(value);
    const name = `${value.tensor}_transposed`;
    const shape = [channels, width];
    this.steps.push({ kind: 'transpose', name, shape, from: value.tensor });
    return { ...value, tensor: name, swapped: true };
  }

  #convolve(layer: tf.layers.Layer, input: Value, shape: readonly number[]): Value {
    const config = layer.getConfig() as {
      strides: number[];
      padding: string;
      dilationRate: number[];
    };
    const { tensor } = this.#channelsFirst(input);
    const [kernel, bias] = weightsOf(layer);
    const [size = 0, channelsIn = 0, channels = 0] = kernel.shape;
    const stride = config.strides[0] ?? 1;
    if (!config.dilationRate.every((d) => d === 1)) throw unreadable(layer, 'a dilation');
    const [width, outWidth] = [planeOf(input)[0], shape[0] ?? 0];
    this.steps.push({
      kind: 'convolve',
      name: layer.name,
      shape: [channels, outWidth],
      from: tensor,
      weights: reorderKernel(kernel.values, size, channelsIn, channels),
      weightShape: [channels, channelsIn, size],
      bias: bias.values,
      stride,
      padding: config.padding === 'same' ? samePadding(width, size, stride) : [0, 0],
      relu: activationOf(layer) === 'relu',
    });
    if (activationOf(layer) === 'softmax') throw unreadable(layer, 'a softmax');
    return { tensor: layer.name, shape, swapped: true };
  }

  #pool(layer: tf.layers.Layer, input: Value, shape: readonly number[]): Value {
    const config = layer.getConfig() as {
      poolSize: number[];
      strides: number[];
      padding: string;
    };
    if (config.padding !== 'valid') throw unreadable(layer, `padding ${config.padding}`);
    const { tensor } = this.#channelsFirst(input);
    const [width, channels] = [shape[0] ?? 0, shape[1] ?? 0];
    this.steps.push({
      kind: 'pool',
      name: layer.name,
      shape: [channels, width],
      from: tensor,
      size: config.poolSize[0] ?? 1,
      stride: config.strides[0] ?? 1,
    });
    return { tensor: layer.name, shape, swapped: true };
  }

  #flatten(layer: tf.layers.Layer, input: Value, shape: readonly number[]): Value {
    const { name } = layer;
    this.steps.push({ kind: 'flatten', name, shape, from: input.tensor });
    if (!input.swapped) return { tensor: name, shape, swapped: false };
    const [width, channels] = planeOf(input);
    return { tensor: name, shape, swapped: false, flattened: { channels, width } };
  }

  #dense(layer: tf.layers.Layer, input: Value, shape: readonly number[]): Value {
    if (input.swapped) throw unreadable(layer, 'an input of positions');
    const [kernel, bias] = weightsOf(layer);
    const activation = activationOf(layer);
    const softmax = activation === 'softmax';
    const name = softmax ? `${layer.name}_logits` : layer.name;
    this.steps.push({
      kind: 'dense',
      name,
      shape,
      from: input.tensor,
      weights: reorderRows(kernel.values, shape[0] ?? 0, input.flattened),
      bias: bias.values,
      relu: activation === 'relu',
    });
    if (softmax)
      this.steps.push({ kind: 'softmax', name: layer.name, shape, from: name });
    return { tensor: layer.name, shape, swapped: false };
  }

  #concat(
    layer: tf.layers.Layer,
    inputs: readonly Value[],
    shape: readonly number[],
  ): Value {
    if (inputs.some((value) => value.swapped || value.flattened !== undefined)) {
      throw unreadable(layer, 'inputs that are not a dense layer’s');
    }
    const parts = inputs.map((value) => value.tensor);
    this.steps.push({ kind: 'concat', name: layer.name, shape, parts });
    return { tensor: layer.name, shape, swapped: false };
  }
}

/** Costs nothing: [B, W, C] turned round is what ONNX wants anyway. */
function permute(layer: tf.layers.Layer, input: Value): Value {
  const { dims } = layer.getConfig() as { dims: number[] };
  if (dims.join() !== '2,1') throw unreadable(layer, `dims ${dims}`);
  return { ...input, shape: [...input.shape].reverse(), swapped: !input.swapped };
}

/** [kernel, Ci, Co] -> [Co, Ci, kernel] */
function reorderKernel(
  values: Float32Array,
  size: number,
  channelsIn: number,
  channels: number,
): Float32Array {
  const reordered = new Float32Array(values.length);
  let at = 0;
  for (let o = 0; o < channels; o++) {
    for (let i = 0; i < channelsIn; i++) {
      for (let k = 0; k < size; k++, at++) {
        reordered[at] = values[(k * channelsIn + i) * channels + o] ?? 0;
      }
    }
  }
  return reordered;
}

/** [W·C, O] by position -> [C·W, O] by channel. Without `flattened` there is nothing to reorder. */
function reorderRows(
  values: Float32Array,
  units: number,
  flattened: Value['flattened'],
): Float32Array {
  if (flattened === undefined) return values;
  const { channels, width } = flattened;
  const reordered = new Float32Array(values.length);
  for (let c = 0; c < channels; c++) {
    for (let w = 0; w < width; w++) {
      const row = (w * channels + c) * units;
      reordered.set(values.subarray(row, row + units), (c * width + w) * units);
    }
  }
  return reordered;
}

/** TensorFlow's 'same': ceil(width / stride) positions, the odd zero behind. */
export function samePadding(
  width: number,
  size: number,
  stride: number,
): readonly [number, number] {
  const total = Math.max((Math.ceil(width / stride) - 1) * stride + size - width, 0);
  const front = Math.floor(total / 2);
  return [front, total - front];
}

interface Weights {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Kernel and bias, copied out of tfjs. */
function weightsOf(layer: tf.layers.Layer): [kernel: Weights, bias: Weights] {
  const [kernel, bias] = layer.getWeights().map((tensor) => ({
    shape: tensor.shape,
    values: Float32Array.from(tensor.dataSync()),
  }));
  if (kernel === undefined || bias === undefined) throw unreadable(layer, 'no bias');
  return [kernel, bias];
}

function activationOf(layer: tf.layers.Layer): string {
  const { activation } = layer.getConfig() as { activation: string };
  if (!['relu', 'linear', 'softmax'].includes(activation)) {
    throw unreadable(layer, `activation ${activation}`);
  }
  return activation;
}

function inputsOf(layer: tf.layers.Layer): tf.SymbolicTensor[] {
  return Array.isArray(layer.input) ? layer.input : [layer.input];
}

function shapeOf(tensor: tf.SymbolicTensor): number[] {
  return tensor.shape.slice(1).map((d) => d ?? 0);
}

/** Width and channels of a value of positions. */
function planeOf(value: Value): [width: number, channels: number] {
  const [width, channels] = value.shape;
  if (width === undefined || channels === undefined || value.shape.length !== 2) {
    throw new Error(
      `tensor "${value.tensor}" has shape [${value.shape}], expected [W, C]`,
    );
  }
  return [width, channels];
}

function unreadable(layer: tf.layers.Layer, what: string): Error {
  return new Error(`layer "${layer.name}" (${layer.getClassName()}): ${what}`);
}
