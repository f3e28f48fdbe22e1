// Layers over time, tfjs against exported fp32 ONNX: LSTMs of all kinds, masks, embeddings, layers put to each step.

import test from 'ava';
import { freeInputs, outputOf } from '../../export/network.ts';
import { OnnxModel } from '../../export/onnx-model.ts';
import { readNetwork } from '../../export/read-network.ts';
import { writeFp32 } from '../../export/write-fp32.ts';
import { chooseBackend, tf } from '../../models/backend.ts';
import { seededNumbers } from '../models/numbers.ts';
import { closeTo } from './differences.ts';
import { apply, type Build, chain, runBoth, small } from './layers.ts';

/** As for one layer; states run through up to 1,024 steps and stay within ±1. */
const TOLERANCE = 1e-5;
const FLOWS = 5;

test.before(async () => {
  await chooseBackend('wasm');
});

const lstm = (units: number, returnSequences = false) =>
  tf.layers.lstm({ units, returnSequences, recurrentActivation: 'sigmoid' });
const bothWays = (units: number, returnSequences = false) =>
  tf.layers.bidirectional({
    layer: lstm(units, returnSequences) as tf.RNN,
    mergeMode: 'concat',
  });

const layer = test.macro({
  title: (name = '') => `${name} gives the same in tfjs and in ONNX`,
  async exec(t, shape: number[], build: Build) {
    t.timeout(120_000);
    const values = seededNumbers(
      1,
      shape.reduce((a, b) => a * b, FLOWS),
    );
    const { tfjs, onnx } = await runBoth(small(shape, build), values, FLOWS);
    closeTo(t, onnx, tfjs, TOLERANCE);
  },
});

for (const steps of [1, 7, 32, 128]) {
  test.serial(`the last step of an LSTM, ${steps} steps`, layer, [steps, 3], (x) =>
    apply(lstm(6))(x),
  );
}
test.serial('all steps of an LSTM', layer, [9, 3], (x) => apply(lstm(6, true))(x));
test.serial('an LSTM from the back', layer, [9, 3], (x) =>
  apply(tf.layers.lstm({ units: 4, goBackwards: true, recurrentActivation: 'sigmoid' }))(
    x,
  ),
);
test.serial('an LSTM without bias', layer, [9, 3], (x) =>
  apply(tf.layers.lstm({ units: 4, useBias: false, recurrentActivation: 'sigmoid' }))(x),
);
test.serial('the last step of an LSTM both ways', layer, [9, 3], (x) =>
  apply(bothWays(6))(x),
);
test.serial('all steps of an LSTM both ways', layer, [9, 3], (x) =>
  apply(bothWays(6, true))(x),
);
test.serial('a stack of LSTMs both ways', layer, [32, 3], (x) =>
  chain(bothWays(5, true), bothWays(4, true), bothWays(3))(x),
);
test.serial('an LSTM between a convolution and a dense layer', layer, [12, 3], (x) =>
  chain(
    tf.layers.conv1d({ filters: 5, kernelSize: 3, activation: 'relu' }),
    lstm(6, true),
    tf.layers.conv1d({ filters: 4, kernelSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 3, activation: 'softmax' }),
  )(x),
);
test.serial('all steps of an LSTM, flattened', layer, [6, 3], (x) =>
  chain(lstm(4, true), tf.layers.flatten(), tf.layers.dense({ units: 3 }))(x),
);
test.serial('a dense layer on each step', layer, [8, 3], (x) =>
  chain(tf.layers.dense({ units: 5, activation: 'relu' }), bothWays(4))(x),
);
test.serial('a dense layer put to each step', layer, [8, 3], (x) =>
  apply(tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 5 }) }))(x),
);
test.serial('a convolution put to each step', layer, [4, 9, 3], (x) =>
  chain(
    tf.layers.timeDistributed({
      layer: tf.layers.conv1d({ filters: 5, kernelSize: 3, activation: 'relu' }),
    }),
    tf.layers.timeDistributed({ layer: tf.layers.globalMaxPooling1d({}) }),
    lstm(4),
  )(x),
);

/** Rows of FLOWS flows with zeros behind their last step. */
function padded(
  steps: number,
  channels: number,
  lengths: readonly number[],
): Float32Array {
  const values = seededNumbers(3, lengths.length * steps * channels);
  for (const [b, length] of lengths.entries()) {
    const start = b * steps * channels;
    values.fill(0, start + length * channels, start + steps * channels);
  }
  return values;
}

test.serial('an LSTM behind a mask stops where a row ends, as in tfjs', async (t) => {
  const lengths = [9, 1, 5, 8, 3];
  for (const build of [
    chain(tf.layers.masking({ maskValue: 0 }), lstm(6)),
    chain(tf.layers.masking({ maskValue: 0 }), lstm(5, true), lstm(6)),
  ]) {
    const { tfjs, onnx } = await runBoth(
      small([9, 3], build),
      padded(9, 3, lengths),
      FLOWS,
    );
    closeTo(t, onnx, tfjs, TOLERANCE);
  }
});

test.serial(
  'a row without any step gives the state that an LSTM starts from',
  async (t) => {
    const model = small([4, 3], chain(tf.layers.masking({ maskValue: 0 }), bothWays(2)));
    const { onnx } = await runBoth2(model, padded(4, 3, [4, 0]), 2);
    t.deepEqual([...onnx.subarray(4)], [0, 0, 0, 0]);
    t.true(onnx.subarray(0, 4).every((value) => value !== 0));
  },
);

/** By ONNX alone: tfjs' own Bidirectional does not know masks. */
async function runBoth2(model: tf.LayersModel, values: Float32Array, flows: number) {
  const network = readNetwork(model);
  const session = await OnnxModel.open(writeFp32(network));
  const outputs = await session.run({ x: values }, flows);
  await session.close();
  return { onnx: outputs[outputOf(network).name] ?? new Float32Array(0) };
}

test.serial(
  'padding changes nothing behind a mask, both ways and at every bucket of T',
  async (t) => {
    t.timeout(120_000);
    const build = chain(
      tf.layers.masking({ maskValue: 0 }),
      tf.layers.dense({ units: 4, activation: 'relu' }),
      bothWays(5, true),
      bothWays(4),
      tf.layers.dense({ units: 3, activation: 'softmax' }),
    );
    const network = readNetwork(small([1024, 3], build));
    t.deepEqual([...freeInputs(network)], ['x']);
    const session = await OnnxModel.open(writeFp32(network));
    const lengths = [20, 1, 32];
    const run = async (steps: number) => {
      const outputs = await session.run({ x: padded2(steps, lengths) }, lengths.length);
      return outputs[outputOf(network).name] ?? [];
    };
    const want = await run(32);
    for (const steps of [128, 256, 1024]) closeTo(t, await run(steps), want, TOLERANCE);
    await session.close();
  },
);

/** The same first steps whatever T is. */
function padded2(steps: number, lengths: readonly number[]): Float32Array {
  const values = new Float32Array(lengths.length * steps * 3);
  for (const [b, length] of lengths.entries()) {
    values.set(seededNumbers(50 + b, length * 3), b * steps * 3);
  }
  return values;
}

test.serial('what a flattened series makes of its length cannot be free', (t) => {
  const flat = chain(lstm(4, true), tf.layers.flatten(), tf.layers.dense({ units: 3 }));
  t.deepEqual([...freeInputs(readNetwork(small([8, 3], flat)))], []);
});

test.serial('an embedding is a look-up, with a mask where 0 is none', async (t) => {
  const numbers = Float32Array.from([3, 1, 4, 1, 0, 0, 9, 2, 6, 5, 3, 0]);
  for (const maskZero of [false, true]) {
    const build = chain(
      tf.layers.embedding({ inputDim: 10, outputDim: 4, maskZero }),
      lstm(5),
    );
    const { tfjs, onnx } = await runBoth(small([6], build), numbers, 2);
    closeTo(t, onnx, tfjs, TOLERANCE);
  }
});

test.serial('what cannot be exported is told by layer and kind', (t) => {
  const refused: [Build, RegExp][] = [
    [apply(tf.layers.lstm({ units: 2, name: 'a' })), /layer "a" \(LSTM\): recurrentAct/],
    [apply(tf.layers.gru({ units: 2, name: 'b' })), /layer "b" \(GRU\): a kind/],
    [
      apply(tf.layers.dense({ units: 2, activation: 'elu', name: 'c' })),
      /layer "c" \(Dense\): activation elu/,
    ],
    [
      apply(tf.layers.conv1d({ filters: 2, kernelSize: 2, dilationRate: 2, name: 'd' })),
      /layer "d" \(Conv1D\): a dilation/,
    ],
  ];
  for (const [build, message] of refused) {
    t.throws(() => readNetwork(small([6, 2], build)), { message });
  }
});
