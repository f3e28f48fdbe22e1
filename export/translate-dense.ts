// Dense layers, activations, normalisations, concatenation. What can be part of the step in front becomes part of it: a
// ReLU, and a batch normalisation, which is only another scale of its weights once training is over. Axes: see network.ts.

import type { tf } from '../models/backend.ts';
import type { ConvolveStep, DenseStep, Step } from './network.ts';
import { reorderKernel, reorderRows } from './reorder.ts';
import {
  carried,
  configOf,
  flowsOf,
  inLayout,
  kernelAndBias,
  type LayerContext,
  planeOf,
  type Translator,
  unreadable,
  type Value,
  weightsOf,
} from './value.ts';

export function activationOf(layer: tf.layers.Layer): string {
  const { activation } = configOf<{ activation: string }>(layer);
  if (!['relu', 'linear', 'softmax'].includes(activation)) {
    throw unreadable(layer, `activation ${activation}, expected relu, linear or softmax`);
  }
  return activation;
}

function dense(context: LayerContext): Value {
  const { layer, input, shape, steps } = context;
  // On each step of a sequence it is a convolution that sees one step.
  if (input.shape.length === 2) return denseOfSteps(context);
  const [kernel, bias] = kernelAndBias(layer);
  const activation = activationOf(layer);
  const softmax = activation === 'softmax';
  const name = softmax ? `${layer.name}_logits` : layer.name;
  steps.push({
    kind: 'dense',
    name,
    shape,
    ...flowsOf(input),
    from: input.tensor,
    weights: reorderRows(kernel.values, shape[0] ?? 0, input.order),
    bias,
    relu: activation === 'relu',
  });
  if (softmax) {
    steps.push({
      kind: 'softmax',
      name: layer.name,
      shape,
      ...flowsOf(input),
      from: name,
    });
  }
  return { tensor: layer.name, shape, layout: 'plain', ...flowsOf(input) };
}

/** [B, W, I] -> [B, W, O] */
function denseOfSteps({ layer, input, shape, steps }: LayerContext): Value {
  const activation = activationOf(layer);
  if (activation === 'softmax') throw unreadable(layer, 'a softmax of steps');
  const [kernel, bias] = kernelAndBias(layer);
  const [width, channelsIn] = planeOf(input);
  const channels = shape.at(-1) ?? 0;
  const { tensor } = inLayout(steps, input, 'channels-first');
  steps.push({
    kind: 'convolve',
    name: layer.name,
    shape: [channels, width],
    ...flowsOf(input),
    from: tensor,
    weights: reorderKernel(kernel.values, [1, channelsIn, channels]),
    weightShape: [channels, channelsIn, 1],
    bias,
    stride: 1,
    padding: [0, 0],
    relu: activation === 'relu',
  });
  return { tensor: layer.name, shape, layout: 'channels-first', ...carried(input) };
}

/** The step that made a value, where it has weights and may still be changed. */
function makerOf({
  input,
  isOnlyReader,
  steps,
}: LayerContext): { at: number; step: ConvolveStep | DenseStep } | undefined {
  const at = steps.findIndex(({ name }) => name === input.tensor);
  const step = steps[at];
  if (!isOnlyReader || step === undefined) return undefined;
  if (step.kind !== 'convolve' && step.kind !== 'dense') return undefined;
  return step.relu ? undefined : { at, step };
}

function relu(context: LayerContext): Value {
  const { layer, input, steps } = context;
  const maker = makerOf(context);
  if (maker !== undefined) {
    steps[maker.at] = { ...maker.step, relu: true };
    return input;
  }
  const { name } = layer;
  steps.push({ kind: 'relu', name, ...placed(context), from: input.tensor });
  return { ...input, tensor: name };
}

/** Shape and batch axis of a value that keeps its layout. */
function placed({ input }: LayerContext): Pick<Step, 'shape' | 'batchAxis' | 'flows'> {
  const turned = input.layout === 'channels-first';
  return {
    shape: turned ? [...input.shape].reverse() : input.shape,
    batchAxis: input.layout === 'time-major' ? 1 : 0,
    ...flowsOf(input),
  };
}

function softmax({ layer, input, shape, steps }: LayerContext): Value {
  if (input.shape.length !== 1 || input.order !== undefined) {
    throw unreadable(layer, 'an input that is no dense layer’s');
  }
  const { name } = layer;
  steps.push({ kind: 'softmax', name, shape, ...flowsOf(input), from: input.tensor });
  return { ...input, tensor: name };
}

function activation(context: LayerContext): Value {
  switch (activationOf(context.layer)) {
    case 'relu':
      return relu(context);
    case 'softmax':
      return softmax(context);
    default:
      return context.input;
  }
}

function reluLayer(context: LayerContext): Value {
  const { maxValue } = configOf<{ maxValue?: number | null }>(context.layer);
  if (maxValue != null) throw unreadable(context.layer, `maxValue ${maxValue}`);
  return relu(context);
}

/** By channel: x -> (x - mean) · gamma / sqrt(variance + epsilon) + beta */
function normalise(context: LayerContext): Value {
  const { layer, input, steps } = context;
  const { axis, epsilon, center, scale } = configOf<{
    axis: number;
    epsilon: number;
    center: boolean;
    scale: boolean;
  }>(layer);
  if (axis !== -1 && axis !== input.shape.length) throw unreadable(layer, `axis ${axis}`);
  const values = weightsOf(layer).map((weights) => weights.values);
  const gamma = scale ? values.shift() : undefined;
  const beta = center ? values.shift() : undefined;
  const [mean, variance] = values;
  if (mean === undefined || variance === undefined) throw unreadable(layer, 'no mean');
  const factors = mean.map(
    (_, c) => (gamma?.[c] ?? 1) / Math.sqrt((variance[c] ?? 0) + epsilon),
  );
  const offsets = mean.map((m, c) => (beta?.[c] ?? 0) - m * (factors[c] ?? 0));
  const maker = makerOf(context);
  if (maker !== undefined) {
    steps[maker.at] = scaled(maker.step, factors, offsets);
    return input;
  }
  if (input.order !== undefined) throw unreadable(layer, 'a flattened input');
  // By channel is along axis 1.
  const positions =
    input.shape.length === 2 ? inLayout(steps, input, 'channels-first') : input;
  const { name } = layer;
  const shape = placed({ ...context, input: positions });
  steps.push({
    kind: 'affine',
    name,
    ...shape,
    from: positions.tensor,
    factors,
    offsets,
  });
  return { ...positions, tensor: name };
}

/** The step with its outputs scaled and moved, by channel. */
function scaled(
  step: ConvolveStep | DenseStep,
  factors: Float32Array,
  offsets: Float32Array,
): ConvolveStep | DenseStep {
  const channels = step.bias.length;
  const each = step.weights.length / channels;
  const channelOf =
    step.kind === 'convolve'
      ? (i: number) => Math.floor(i / each)
      : (i: number) => i % channels;
  return {
    ...step,
    weights: step.weights.map((weight, i) => weight * (factors[channelOf(i)] ?? 1)),
    bias: step.bias.map((value, c) => value * (factors[c] ?? 1) + (offsets[c] ?? 0)),
  };
}

function concat({ layer, inputs, shape, steps }: LayerContext): Value {
  if (inputs.some((value) => value.shape.length !== 1)) {
    throw unreadable(layer, 'inputs that are not flat');
  }
  const parts = inputs.map((value) => value.tensor);
  const [first] = inputs;
  const flows = first === undefined ? {} : flowsOf(first);
  steps.push({ kind: 'concat', name: layer.name, shape, ...flows, parts });
  const value: Value = { tensor: layer.name, shape, layout: 'plain', ...flows };
  const order = orderOfParts(inputs);
  return order === undefined ? value : { ...value, order };
}

function orderOfParts(parts: readonly Value[]): Int32Array | undefined {
  if (parts.every(({ order }) => order === undefined)) return undefined;
  let start = 0;
  const all = parts.map(({ order, shape: [width = 0] }) => {
    const own = order ?? Int32Array.from({ length: width }, (_, i) => i);
    const moved = own.map((place) => place + start);
    start += width;
    return [...moved];
  });
  return Int32Array.from(all.flat());
}

export const DENSE_LAYERS: Readonly<Record<string, Translator>> = {
  Dense: dense,
  Activation: activation,
  ReLU: reluLayer,
  Softmax: softmax,
  BatchNormalization: normalise,
  Concatenate: concat,
};
