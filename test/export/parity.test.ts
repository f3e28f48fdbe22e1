// tfjs against exported fp32 ONNX: every kind of layer alone, then the whole network.

import test from 'ava';
import { outputOf } from '../../export/network.ts';
import { OnnxModel } from '../../export/onnx-model.ts';
import { readNetwork } from '../../export/read-network.ts';
import { writeFp32 } from '../../export/write-fp32.ts';
import { chooseBackend, tf } from '../../models/backend.ts';
import { SERVICES } from '../../models/labels.ts';
import { TENSORS } from '../../models/networks/network.ts';
import { networkNamed } from '../../models/networks/networks.ts';
import { predict } from '../../models/trainer.ts';
import { ROUTER_SERIES_STEPS } from '../../src/features/shapes.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { seededNumbers } from '../models/numbers.ts';
import { syntheticSamples } from '../models/synthetic.ts';
import { closeTo } from './differences.ts';

// Both compute in float32, but add up in another order; values here are of the order of 1.
const TOLERANCE = 1e-5;
const FLOWS = 5;

test.before(async () => {
  await chooseBackend('wasm');
});

/** A model of one input of `shape`; weights and biases are random, biases too. */
function small(
  shape: number[],
  build: (input: tf.SymbolicTensor) => tf.SymbolicTensor,
): tf.LayersModel {
  const input = tf.input({ name: 'x', shape });
  const model = tf.model({ inputs: input, outputs: build(input) });
  model.setWeights(
    model.getWeights().map((weight, i) => {
      return tf.tensor(seededNumbers(100 + i, weight.size), weight.shape);
    }),
  );
  return model;
}

const layer = test.macro({
  title: (name = '') => `${name} gives the same in tfjs and in ONNX`,
  async exec(t, shape: number[], build: (input: tf.SymbolicTensor) => tf.SymbolicTensor) {
    const model = small(shape, build);
    const size = shape.reduce((a, b) => a * b, FLOWS);
    const values = seededNumbers(1, size);
    const want = model.predict(tf.tensor(values, [FLOWS, ...shape])) as tf.Tensor;
    const network = readNetwork(model);
    const onnx = await OnnxModel.open(writeFp32(network));
    const outputs = await onnx.run({ x: values }, FLOWS);
    await onnx.close();
    const got = outputs[outputOf(network).name] ?? [];
    closeTo(t, got, await inOnnxOrder(want).data(), TOLERANCE);
  },
});

/** ONNX has [B, C, W] where tfjs has [B, W, C]. */
function inOnnxOrder(tensor: tf.Tensor): tf.Tensor {
  return tensor.rank === 3 ? tf.transpose(tensor, [0, 2, 1]) : tensor;
}

function apply(made: tf.layers.Layer): (input: tf.SymbolicTensor) => tf.SymbolicTensor {
  return (input) => made.apply(input) as tf.SymbolicTensor;
}

for (const padding of ['same', 'valid'] as const) {
  for (const [kernel, stride, width] of [
    [3, 1, 10],
    [8, 4, 30],
    [5, 2, 11],
    [2, 2, 9],
  ] as const) {
    test.serial(
      `a convolution of kernel ${kernel}, stride ${stride}, padding ${padding}, width ${width}`,
      layer,
      [width, 3],
      apply(
        tf.layers.conv1d({
          filters: 4,
          kernelSize: kernel,
          strides: stride,
          padding,
          activation: 'relu',
        }),
      ),
    );
  }
}

test.serial('a convolution without ReLU', layer, [9, 2], (x) =>
  apply(tf.layers.conv1d({ filters: 3, kernelSize: 3 }))(x),
);
test.serial('a convolution over columns', layer, [3, 12], (x) =>
  apply(tf.layers.conv1d({ filters: 5, kernelSize: 4 }))(
    apply(tf.layers.permute({ dims: [2, 1] }))(x),
  ),
);
test.serial('a pooling', layer, [11, 3], (x) =>
  apply(tf.layers.maxPooling1d({ poolSize: 2 }))(x),
);
test.serial('an overlapping pooling', layer, [11, 3], (x) =>
  apply(tf.layers.maxPooling1d({ poolSize: 3, strides: 2 }))(x),
);
test.serial('a dense layer', layer, [7], (x) =>
  apply(tf.layers.dense({ units: 4, activation: 'relu' }))(x),
);
test.serial('a softmax', layer, [7], (x) =>
  apply(tf.layers.dense({ units: 5, activation: 'softmax' }))(x),
);
test.serial('a dense layer behind flattened positions', layer, [6, 3], (x) =>
  apply(tf.layers.dense({ units: 4 }))(
    apply(tf.layers.flatten())(apply(tf.layers.conv1d({ filters: 5, kernelSize: 2 }))(x)),
  ),
);
test.serial('a dense layer behind a flattened input', layer, [6, 3], (x) =>
  apply(tf.layers.dense({ units: 4 }))(apply(tf.layers.flatten())(x)),
);
test.serial('a concatenation', layer, [6], (x) => {
  const parts = [3, 5].map((units) => apply(tf.layers.dense({ units }))(x));
  return tf.layers.concatenate({ axis: 1 }).apply(parts) as tf.SymbolicTensor;
});
test.serial('dropout', layer, [6], (x) => apply(tf.layers.dropout({ rate: 0.5 }))(x));

test.serial('router-cnn gives the same probabilities in tfjs and in ONNX', async (t) => {
  const shape = {
    classes: SERVICES.length,
    seriesSteps: ROUTER_SERIES_STEPS,
    statistics: STATISTICS.length,
  };
  for (const seed of [1, 2, 3]) {
    const model = networkNamed('router-cnn').build({ ...shape, seed });
    const samples = syntheticSamples(seed, { ...shape, count: 32 });
    const want = predict(model, samples);
    const onnx = await OnnxModel.open(writeFp32(readNetwork(model)));
    const outputs = await onnx.run(samples.inputs, samples.count);
    await onnx.close();
    closeTo(t, outputs[TENSORS.probabilities] ?? [], want, TOLERANCE);
  }
});

test.serial('a layer that export does not know is named', (t) => {
  const model = small([4], (x) =>
    apply(tf.layers.dense({ name: 'odd', units: 2, activation: 'tanh' }))(x),
  );
  t.throws(() => readNetwork(model), {
    message: /layer "odd" \(Dense\): activation tanh/,
  });
});
