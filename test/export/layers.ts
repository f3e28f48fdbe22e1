// A small tfjs model of one input, its weights drawn at random, run by tfjs and, exported, by onnxruntime.

import { outputOf } from '../../export/network.ts';
import { OnnxModel } from '../../export/onnx-model.ts';
import { type ReadModel, readModel } from '../../export/read-network.ts';
import type { Value } from '../../export/value.ts';
import { writeFp32 } from '../../export/write-fp32.ts';
import { tf } from '../../models/backend.ts';
import { seededNumbers } from '../models/numbers.ts';

export type Build = (input: tf.SymbolicTensor) => tf.SymbolicTensor;

export function apply(made: tf.layers.Layer): Build {
  return (input) => made.apply(input) as tf.SymbolicTensor;
}

/** One layer behind the other. */
export function chain(...layers: tf.layers.Layer[]): Build {
  return (input) => layers.reduce((x, layer) => apply(layer)(x), input);
}

/** A model of one input of `shape`; weights and biases are random, biases too. Variances are positive. */
export function small(shape: readonly number[], build: Build): tf.LayersModel {
  const input = tf.input({ name: 'x', shape: [...shape] });
  const model = tf.model({ inputs: input, outputs: build(input) });
  model.setWeights(
    model.weights.map(({ originalName, shape: own }, i) => {
      const size = own.reduce<number>((a, b) => a * (b ?? 1), 1);
      const values = seededNumbers(100 + i, size);
      const variance = originalName.includes('variance');
      return tf.tensor(variance ? values.map((v) => 1.5 + v) : values, own as number[]);
    }),
  );
  return model;
}

export interface BothOutputs {
  readonly read: ReadModel;
  readonly tfjs: Float32Array;
  /** In tfjs' order. */
  readonly onnx: Float32Array;
}

/** Values [flows, ...shape] through both. */
export async function runBoth(
  model: tf.LayersModel,
  values: Float32Array,
  flows: number,
): Promise<BothOutputs> {
  const read = readModel(model);
  const [input] = model.inputs;
  const shape = [flows, ...(input?.shape.slice(1) ?? [])].map((d) => d ?? 0);
  const want = model.predict(tf.tensor(values, shape)) as tf.Tensor;
  const onnx = await OnnxModel.open(writeFp32(read.network));
  const outputs = await onnx.run({ x: values }, flows);
  await onnx.close();
  const got = outputs[outputOf(read.network).name] ?? new Float32Array(0);
  const tfjs = Float32Array.from(await want.data());
  return { read, tfjs, onnx: inTfjsOrder(got, read.output, flows) };
}

/** ONNX has axes and flattened numbers in an order of its own. */
function inTfjsOrder(
  values: Float32Array,
  { layout, shape, order }: Value,
  flows: number,
): Float32Array {
  const [width = 1, channels = 1] = shape;
  if (layout === 'channels-first') {
    return turned(values, [flows, channels, width], [0, 2, 1]);
  }
  if (layout === 'time-major') return turned(values, [width, flows, channels], [1, 0, 2]);
  if (order === undefined) return values;
  const sorted = new Float32Array(values.length);
  for (let b = 0; b < flows; b++) {
    for (const [i, place] of order.entries()) {
      sorted[b * width + place] = values[b * width + i] ?? 0;
    }
  }
  return sorted;
}

function turned(
  values: Float32Array,
  shape: [number, number, number],
  order: number[],
): Float32Array {
  return Float32Array.from(
    tf.tidy(() => tf.transpose(tf.tensor3d(values, shape), order).dataSync()),
  );
}
