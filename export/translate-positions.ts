// Layers over positions: convolution, pooling, flattening, and what only moves numbers. Axes: see network.ts.

import { flattenedOrder, reorderKernel, samePadding } from './reorder.ts';
import { activationOf } from './translate-dense.ts';
import {
  configOf,
  flowsOf,
  inLayout,
  kernelAndBias,
  type LayerContext,
  planeOf,
  type Translator,
  unreadable,
  type Value,
} from './value.ts';

function convolve({ layer, input, shape, steps }: LayerContext): Value {
  const config = configOf<{ strides: number[]; padding: string; dilationRate: number[] }>(
    layer,
  );
  const activation = activationOf(layer);
  if (activation === 'softmax') throw unreadable(layer, 'a softmax');
  const rates = [config.dilationRate].flat();
  if (!rates.every((d) => d === 1)) throw unreadable(layer, 'a dilation');
  if (!['same', 'valid'].includes(config.padding)) {
    throw unreadable(layer, `padding ${config.padding}`);
  }
  const { tensor } = inLayout(steps, input, 'channels-first');
  const [kernel, bias] = kernelAndBias(layer);
  const [size = 0, channelsIn = 0, channels = 0] = kernel.shape;
  const stride = config.strides[0] ?? 1;
  const [width] = planeOf(input);
  steps.push({
    kind: 'convolve',
    name: layer.name,
    shape: [channels, shape[0] ?? 0],
    ...flowsOf(input),
    from: tensor,
    weights: reorderKernel(kernel.values, [size, channelsIn, channels]),
    weightShape: [channels, channelsIn, size],
    bias,
    stride,
    padding: config.padding === 'same' ? samePadding(width, size, stride) : [0, 0],
    relu: activation === 'relu',
  });
  return { tensor: layer.name, shape, layout: 'channels-first', ...flowsOf(input) };
}

function maxPool({ layer, input, shape, steps }: LayerContext): Value {
  const config = configOf<{ poolSize: number[]; strides: number[]; padding: string }>(
    layer,
  );
  if (config.padding !== 'valid') throw unreadable(layer, `padding ${config.padding}`);
  const { tensor } = inLayout(steps, input, 'channels-first');
  const [width = 0, channels = 0] = shape;
  steps.push({
    kind: 'pool',
    name: layer.name,
    shape: [channels, width],
    ...flowsOf(input),
    from: tensor,
    size: config.poolSize[0] ?? 1,
    stride: config.strides[0] ?? 1,
  });
  return { tensor: layer.name, shape, layout: 'channels-first', ...flowsOf(input) };
}

/** All positions of a channel into one number: [B, W, C] -> [B, C] */
function globalPool(kind: 'pool' | 'average'): Translator {
  return ({ layer, input, shape, steps }) => {
    if (input.lengths !== undefined) throw unreadable(layer, 'a mask');
    const { tensor } = inLayout(steps, input, 'channels-first');
    const [width, channels] = planeOf(input);
    const name = `${layer.name}_pooled`;
    const pooled = { name, shape: [channels, 1], ...flowsOf(input), from: tensor };
    if (kind === 'average') steps.push({ kind, ...pooled });
    else steps.push({ kind, ...pooled, size: width, stride: 1 });
    steps.push({
      kind: 'flatten',
      name: layer.name,
      shape: [channels],
      ...flowsOf(input),
      from: name,
    });
    return { tensor: layer.name, shape, layout: 'plain', ...flowsOf(input) };
  };
}

function flatten({ layer, input, shape, steps }: LayerContext): Value {
  const { name } = layer;
  const positions =
    input.layout === 'time-major' ? inLayout(steps, input, 'plain') : input;
  steps.push({ kind: 'flatten', name, shape, ...flowsOf(input), from: positions.tensor });
  const value = { tensor: name, shape, layout: 'plain', ...flowsOf(input) } as const;
  if (positions.layout === 'plain') return value;
  return { ...value, order: flattenedOrder(...planeOf(input)) };
}

/** Costs nothing: [B, W, C] turned round is what ONNX wants anyway. */
function permute({ layer, input, steps }: LayerContext): Value {
  const { dims } = configOf<{ dims: number[] }>(layer);
  if (dims.join() !== '2,1') throw unreadable(layer, `dims ${dims}`);
  const positions =
    input.layout === 'time-major' ? inLayout(steps, input, 'plain') : input;
  return {
    ...positions,
    shape: [...input.shape].reverse(),
    layout: positions.layout === 'plain' ? 'channels-first' : 'plain',
  };
}

/** [B, M, N] -> packets side by side; ONNX has them row by row, which is what a convolution wants. */
function firstPackets({ layer, input, shape, steps }: LayerContext): Value {
  const { packets, packetBytes } = configOf<{ packets: number; packetBytes: number }>(
    layer,
  );
  const [messages, width] = planeOf(input);
  const { tensor } = inLayout(steps, input, 'plain');
  steps.push({
    kind: 'rows',
    name: layer.name,
    shape: [packets, packetBytes],
    ...flowsOf(input),
    from: tensor,
    width,
    taken: (packets / messages) * packetBytes,
  });
  return { tensor: layer.name, shape, layout: 'channels-first', ...flowsOf(input) };
}

function rescale({ layer, input, steps }: LayerContext): Value {
  const { scale, offset } = configOf<{ scale: number; offset?: number }>(layer);
  if ((offset ?? 0) !== 0) throw unreadable(layer, 'an offset');
  const { name } = layer;
  const { shape, tensor } = input;
  steps.push({ kind: 'rescale', name, shape, ...flowsOf(input), from: tensor, scale });
  return { ...input, tensor: name };
}

/** [B, F, ...] -> [B·F, ...] */
function flowsApart({ layer, input, shape, steps }: LayerContext): Value {
  const [flows = 0] = input.shape;
  steps.push({ kind: 'apart', name: layer.name, shape, flows, from: input.tensor });
  return { tensor: layer.name, shape, layout: 'plain', flows };
}

/** [B·F, O], and the sessions as they came [B, F, ...] -> [B, F, O] and the flows of each session. */
function flowsTogether({ layer, inputs, shape, steps }: LayerContext): Value {
  const [each, whole] = inputs;
  if (each === undefined || whole === undefined || each.order !== undefined) {
    throw unreadable(layer, 'inputs that it does not expect');
  }
  const lengths = `${layer.name}_lengths`;
  steps.push({
    kind: 'lengths',
    name: lengths,
    shape: [],
    from: whole.tensor,
    of: whole.shape,
    padding: 'zeros-behind-last',
  });
  steps.push({ kind: 'together', name: layer.name, shape, from: each.tensor });
  return { tensor: layer.name, shape, layout: 'plain', lengths };
}

export const POSITION_LAYERS: Readonly<Record<string, Translator>> = {
  Conv1D: convolve,
  MaxPooling1D: maxPool,
  GlobalMaxPooling1D: globalPool('pool'),
  GlobalAveragePooling1D: globalPool('average'),
  Flatten: flatten,
  Permute: permute,
  FirstPackets: firstPackets,
  Rescaling: rescale,
  FlowsApart: flowsApart,
  FlowsTogether: flowsTogether,
  Dropout: ({ input }) => input,
  SeededDropout: ({ input }) => input,
  SpatialDropout1D: ({ input }) => input,
};
