// What is known of a tfjs tensor on its way into ONNX, and the ways of writing it with its axes in another order.
// Axes: see network.ts.

import type { tf } from '../models/backend.ts';
import type { Step } from './network.ts';

/** Order of the axes in ONNX: tfjs' own [B, W, C]; [B, C, W], as convolutions want it; [T, B, C], as LSTMs want it. */
export type Layout = 'plain' | 'channels-first' | 'time-major';

/** What is known of a tfjs tensor whose ONNX counterpart is `tensor`. */
export interface Value {
  readonly tensor: string;
  /** tfjs' shape without the batch axis. */
  readonly shape: readonly number[];
  readonly layout: Layout;
  /** Where ONNX has the numbers of a row in another order: for each of them its place in tfjs. */
  readonly order?: Int32Array;
  /** int32 [B]: steps of each row in front of its padding. */
  readonly lengths?: string;
  /** F where a row is a flow of a session. */
  readonly flows?: number;
}

/** One layer that is being translated. */
export interface LayerContext {
  readonly layer: tf.layers.Layer;
  readonly inputs: readonly Value[];
  /** The one input of most layers. */
  readonly input: Value;
  /** Of the output, without the batch axis. */
  readonly shape: readonly number[];
  /** Nothing else reads the input: what made it may be changed. */
  readonly isOnlyReader: boolean;
  readonly steps: Step[];
}

export type Translator = (context: LayerContext) => Value;

const AXES: Readonly<Record<Layout, readonly string[]>> = {
  plain: ['B', 'W', 'C'],
  'channels-first': ['B', 'C', 'W'],
  'time-major': ['W', 'B', 'C'],
};

/** The value with its axes in the wanted order; a transpose is added where needed. */
export function inLayout(steps: Step[], value: Value, layout: Layout): Value {
  if (value.layout === layout) return value;
  const [width = 0, channels = 0] = value.shape;
  if (value.shape.length !== 2) {
    throw new Error(
      `tensor "${value.tensor}" has shape [${value.shape}], expected [W, C]`,
    );
  }
  const name = `${value.tensor}_${layout.replace('-', '_')}`;
  // Another reader may have had it turned round already.
  if (!steps.some((step) => step.name === name)) {
    const [a = 0, b = 0, c = 0] = AXES[layout].map((axis) =>
      AXES[value.layout].indexOf(axis),
    );
    steps.push({
      kind: 'transpose',
      name,
      shape: layout === 'channels-first' ? [channels, width] : [width, channels],
      batchAxis: layout === 'time-major' ? 1 : 0,
      ...flowsOf(value),
      from: value.tensor,
      order: [a, b, c],
    });
  }
  return { ...value, tensor: name, layout };
}

export function flowsOf({ flows }: Value): { flows?: number } {
  return flows === undefined ? {} : { flows };
}

/** What passes a step by unchanged. */
export function carried({ lengths, flows }: Value): Pick<Value, 'lengths' | 'flows'> {
  return {
    ...(lengths !== undefined && { lengths }),
    ...(flows !== undefined && { flows }),
  };
}

/** Width and channels of a value of positions. */
export function planeOf({ tensor, shape }: Value): [width: number, channels: number] {
  const [width, channels] = shape;
  if (width === undefined || channels === undefined || shape.length !== 2) {
    throw new Error(`tensor "${tensor}" has shape [${shape}], expected [W, C]`);
  }
  return [width, channels];
}

export interface Weights {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** All weights of a layer, copied out of tfjs. */
export function weightsOf(layer: tf.layers.Layer): Weights[] {
  return layer.getWeights().map((tensor) => ({
    shape: tensor.shape,
    values: Float32Array.from(tensor.dataSync()),
  }));
}

/** Kernel and bias; zeros where a layer has no bias. */
export function kernelAndBias(
  layer: tf.layers.Layer,
): [kernel: Weights, bias: Float32Array] {
  const [kernel, bias] = weightsOf(layer);
  if (kernel === undefined) throw unreadable(layer, 'no weights');
  return [kernel, bias?.values ?? new Float32Array(kernel.shape.at(-1) ?? 0)];
}

export function configOf<T>(layer: tf.layers.Layer): T {
  return layer.getConfig() as T;
}

export function unreadable(layer: tf.layers.Layer, what: string): Error {
  return new Error(`layer "${layer.name}" (${layer.getClassName()}): ${what}`);
}
