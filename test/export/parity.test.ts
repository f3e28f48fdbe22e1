// tfjs against exported fp32 ONNX: every kind of layer alone, then the whole network.

import test from 'ava';
import { OnnxModel } from '../../export/onnx-model.ts';
import { readNetwork } from '../../export/read-network.ts';
import { writeFp32 } from '../../export/write-fp32.ts';
import { chooseBackend, tf } from '../../models/backend.ts';
import { SERVICES } from '../../models/labels.ts';
import { TENSORS } from '../../models/networks/network.ts';
import { networkNamed } from '../../models/networks/networks.ts';
import { predict } from '../../models/predict.ts';
import { ROUTER_SERIES_STEPS } from '../../src/features/shapes.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { seededNumbers } from '../models/numbers.ts';
import { syntheticSamples } from '../models/synthetic.ts';
import { closeTo } from './differences.ts';
import { apply, type Build, chain, runBoth, small } from './layers.ts';

// Both compute in float32, but add up in another order; values here are of the order of 1.
const TOLERANCE = 1e-5;
const FLOWS = 5;

test.before(async () => {
  await chooseBackend('wasm');
});

const layer = test.macro({
  title: (name = '') => `${name} gives the same in tfjs and in ONNX`,
  async exec(t, shape: number[], build: Build) {
    const values = seededNumbers(
      1,
      shape.reduce((a, b) => a * b, FLOWS),
    );
    const { tfjs, onnx } = await runBoth(small(shape, build), values, FLOWS);
    closeTo(t, onnx, tfjs, TOLERANCE);
  },
});

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
test.serial('a concatenation of flattened positions', layer, [6, 3], (x) => {
  const flat = (filters: number) =>
    chain(tf.layers.conv1d({ filters, kernelSize: 2 }), tf.layers.flatten())(x);
  const joined = tf.layers.concatenate({ axis: 1 }).apply([flat(4), flat(5)]);
  return apply(tf.layers.dense({ units: 3 }))(joined as tf.SymbolicTensor);
});
test.serial('a flattened convolution', layer, [6, 3], (x) =>
  chain(tf.layers.conv1d({ filters: 5, kernelSize: 2 }), tf.layers.flatten())(x),
);
test.serial('a global maximum', layer, [7, 3], (x) =>
  apply(tf.layers.globalMaxPooling1d({}))(x),
);
test.serial('a global average', layer, [7, 3], (x) =>
  apply(tf.layers.globalAveragePooling1d({}))(x),
);
test.serial('a batch normalisation behind a convolution', layer, [9, 3], (x) =>
  chain(
    tf.layers.conv1d({ filters: 4, kernelSize: 3, padding: 'same' }),
    tf.layers.batchNormalization(),
    tf.layers.activation({ activation: 'relu' }),
  )(x),
);
test.serial('a batch normalisation behind a ReLU', layer, [9, 3], (x) =>
  chain(
    tf.layers.conv1d({ filters: 4, kernelSize: 3, activation: 'relu' }),
    tf.layers.batchNormalization(),
  )(x),
);
test.serial('a batch normalisation behind a dense layer', layer, [9], (x) =>
  chain(
    tf.layers.dense({ units: 4 }),
    tf.layers.batchNormalization({ scale: false }),
    tf.layers.reLU(),
  )(x),
);
test.serial('a batch normalisation of what another layer reads too', layer, [9], (x) => {
  const shared = apply(tf.layers.dense({ units: 4 }))(x);
  const normal = apply(tf.layers.batchNormalization())(shared);
  return tf.layers.concatenate().apply([shared, normal]) as tf.SymbolicTensor;
});
test.serial('a ReLU and a softmax of their own', layer, [6], (x) =>
  chain(
    tf.layers.reLU(),
    tf.layers.dense({ units: 4, useBias: false }),
    tf.layers.softmax(),
  )(x),
);
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
    const want = predict({ kind: 'network', model }, samples);
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
