// int8 against fp32 for the kinds of layers that router-cnn has not, what stays in float, and inputs at the corners.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { calibrate } from '../../export/calibrate.ts';
import { type Network, outputOf } from '../../export/network.ts';
import { OnnxModel } from '../../export/onnx-model.ts';
import { decodeModel } from '../../export/proto.ts';
import { readNetwork } from '../../export/read-network.ts';
import { writeFp32 } from '../../export/write-fp32.ts';
import { type Int8Options, writeInt8 } from '../../export/write-int8.ts';
import { chooseBackend, tf } from '../../models/backend.ts';
import { WEIGHT_LIMIT } from '../../models/int8-grid.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { seededNumbers } from '../models/numbers.ts';
import { closeTo } from './differences.ts';
import { apply, type Build, chain, small } from './layers.ts';

const FLOWS = 64;

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
const relu = { activation: 'relu', useBias: true } as const;

async function run(model: Uint8Array, network: Network, values: Float32Array) {
  const session = await OnnxModel.open(model);
  const outputs = await session.run({ x: values }, FLOWS);
  await session.close();
  return outputs[outputOf(network).name] ?? new Float32Array(0);
}

async function optimised(model: Uint8Array): Promise<Map<string, number>> {
  const directory = temporaryFolder('int8');
  const file = join(directory, 'optimised.onnx');
  await (await OnnxModel.open(model, { optimizedModelFile: file })).close();
  const counts = new Map<string, number>();
  for (const { op } of decodeModel(await readFile(file)).nodes) {
    counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  return counts;
}

interface Case {
  readonly shape: readonly number[];
  readonly build: Build;
  readonly options?: Int8Options;
  /** Of the output's own size, at most: root of the mean square of the differences. */
  readonly error: number;
  readonly ops: Readonly<Record<string, number>>;
}

const closely = test.macro({
  title: (name = '') => `${name} in int8 gives nearly the same as in fp32`,
  async exec(t, { shape, build, options, error, ops }: Case) {
    const network = readNetwork(small(shape, build));
    const size = shape.reduce((a, b) => a * b, FLOWS);
    const ranges = await calibrate(network, {
      inputs: { x: seededNumbers(7, size) },
      count: FLOWS,
    });
    const int8 = writeInt8(network, ranges, options);
    const values = seededNumbers(8, size);
    const want = await run(writeFp32(network), network, values);
    const got = await run(int8, network, values);
    const square = (numbers: Float32Array) =>
      Math.sqrt(numbers.reduce((sum, v) => sum + v * v, 0) / numbers.length);
    const relative = square(got.map((v, i) => v - (want[i] ?? 0))) / square(want);
    t.log(`relative error ${relative.toFixed(4)}`);
    t.true(relative <= error);
    const counts = await optimised(int8);
    t.log([...counts].map(([op, count]) => `${op} ${count}`).join(', '));
    for (const [op, count] of Object.entries(ops)) t.is(counts.get(op) ?? 0, count, op);
  },
});

/** No float kernel is left. */
const ALL_INTEGER = { Conv: 0, FusedConv: 0, Gemm: 0, FusedGemm: 0, MatMul: 0, LSTM: 0 };

test.serial('an LSTM both ways behind a dense layer of steps', closely, {
  shape: [16, 3],
  build: chain(
    tf.layers.dense({ units: 8, ...relu }),
    bothWays(8),
    tf.layers.dense({ units: 4 }),
  ),
  error: 0.05,
  ops: { ...ALL_INTEGER, DynamicQuantizeLSTM: 1, QLinearConv: 1 },
});
test.serial('a stack of LSTMs behind a mask', closely, {
  shape: [16, 3],
  build: chain(
    tf.layers.masking({ maskValue: 0 }),
    bothWays(8, true),
    bothWays(6),
    tf.layers.dense({ units: 4 }),
  ),
  error: 0.05,
  ops: { ...ALL_INTEGER, DynamicQuantizeLSTM: 2, QuantizeLinear: 1 },
});
test.serial('a concatenation of states and of what a ReLU made', closely, {
  shape: [16, 3],
  build: (x) => {
    const flat = chain(tf.layers.flatten(), tf.layers.dense({ units: 8, ...relu }))(x);
    const joined = tf.layers.concatenate().apply([apply(bothWays(8))(x), flat]);
    return apply(tf.layers.dense({ units: 4 }))(joined as tf.SymbolicTensor);
  },
  error: 0.05,
  ops: { ...ALL_INTEGER, DynamicQuantizeLSTM: 1, QLinearConcat: 1 },
});
test.serial('a global average', closely, {
  shape: [16, 3],
  build: chain(
    tf.layers.conv1d({ filters: 8, kernelSize: 3, ...relu }),
    tf.layers.globalAveragePooling1d({}),
    tf.layers.dense({ units: 4 }),
  ),
  error: 0.05,
  ops: { ...ALL_INTEGER, GlobalAveragePool: 0 },
});
test.serial('a batch normalisation that is no part of another layer', closely, {
  shape: [16, 3],
  build: chain(
    tf.layers.conv1d({ filters: 8, kernelSize: 3, ...relu }),
    tf.layers.batchNormalization(),
    tf.layers.conv1d({ filters: 8, kernelSize: 3, ...relu }),
    tf.layers.globalMaxPooling1d({}),
  ),
  error: 0.05,
  ops: ALL_INTEGER,
});
test.serial('a convolution put to each step', closely, {
  shape: [4, 9, 3],
  build: chain(
    tf.layers.timeDistributed({
      layer: tf.layers.conv1d({ filters: 8, kernelSize: 3, ...relu }),
    }),
    tf.layers.timeDistributed({ layer: tf.layers.globalMaxPooling1d({}) }),
    lstm(6),
    tf.layers.dense({ units: 4 }),
  ),
  error: 0.05,
  ops: { ...ALL_INTEGER, QLinearConv: 1, DynamicQuantizeLSTM: 1 },
});
test.serial('a network with two layers left in float', closely, {
  shape: [16, 3],
  build: chain(
    tf.layers.conv1d({ filters: 8, kernelSize: 3, name: 'a', ...relu }),
    tf.layers.conv1d({ filters: 8, kernelSize: 3, name: 'b', ...relu }),
    tf.layers.bidirectional({ layer: lstm(8) as tf.RNN, mergeMode: 'concat', name: 'c' }),
    tf.layers.dense({ units: 4 }),
  ),
  options: { float: new Set(['b', 'c']) },
  error: 0.05,
  ops: { QLinearConv: 1, LSTM: 1, DynamicQuantizeLSTM: 0 },
});

test.serial('a table is looked up in int8', async (t) => {
  const build = chain(tf.layers.embedding({ inputDim: 50, outputDim: 6 }), lstm(5));
  const network = readNetwork(small([12], build));
  const numbers = Float32Array.from({ length: FLOWS * 12 }, (_, i) => (i * 7) % 50);
  const ranges = await calibrate(network, { inputs: { x: numbers }, count: FLOWS });
  const int8 = writeInt8(network, ranges);
  const want = await run(writeFp32(network), network, numbers);
  closeTo(t, await run(int8, network, numbers), want, 0.02);
  const tables = [...decodeModel(int8).initializers].filter(([name]) =>
    name.endsWith('_table_q'),
  );
  t.deepEqual(
    tables.map(([, { type, shape }]) => [type, shape]),
    [['int8', [50, 6]]],
  );
});

test.serial(
  'sums at the corners do not saturate: all weights and inputs as large as they get',
  async (t) => {
    // AVX2 without VNNI adds pairs of uint8 x int8 in 16 bits: 2·255·64 = 32,640 fits into 32,767, 2·255·127 does not.
    const cases: [number[], Build][] = [
      [[32, 16], apply(tf.layers.conv1d({ filters: 16, kernelSize: 4, name: 'a' }))],
      [[64], apply(tf.layers.dense({ units: 16, name: 'a' }))],
    ];
    for (const [shape, build] of cases) {
      const input = tf.input({ name: 'x', shape: [...shape] });
      const positive = apply(tf.layers.reLU())(input);
      const model = tf.model({ inputs: input, outputs: build(positive) });
      const signs = [1, -1];
      for (const sign of signs) {
        model.setWeights(
          model.getWeights().map((w) => tf.fill(w.shape, w.shape.length > 1 ? sign : 0)),
        );
        const network = readNetwork(model);
        const size = shape.reduce((a, b) => a * b, FLOWS);
        const ones = new Float32Array(size).fill(1);
        const ranges = await calibrate(network, { inputs: { x: ones }, count: FLOWS });
        const want = await run(writeFp32(network), network, ones);
        const got = await run(writeInt8(network, ranges), network, ones);
        // Within a step of the output's own scale; saturated sums were off by up to a half.
        closeTo(t, got, want, Math.abs(want[0] ?? 0) / 100);
      }
    }
  },
);

test.serial(
  'an LSTM with weights and inputs as large as they get does not saturate',
  async (t) => {
    const model = small([8, 32], lstm32());
    for (const sign of [1, -1]) {
      model.setWeights(
        model
          .getWeights()
          .map((w) => tf.fill(w.shape, w.shape.length > 1 ? sign / 32 : 0)),
      );
      const network = readNetwork(model);
      const ones = new Float32Array(FLOWS * 8 * 32).fill(1);
      const ranges = await calibrate(network, { inputs: { x: ones }, count: FLOWS });
      const want = await run(writeFp32(network), network, ones);
      closeTo(t, await run(writeInt8(network, ranges), network, ones), want, 0.01);
    }
  },
);

function lstm32(): Build {
  return apply(lstm(32));
}

test.serial('int8 weights of LSTMs lie within the limit', async (t) => {
  const network = readNetwork(small([8, 3], chain(bothWays(8, true), lstm(4))));
  const values = seededNumbers(7, FLOWS * 24);
  const int8 = writeInt8(
    network,
    await calibrate(network, { inputs: { x: values }, count: FLOWS }),
  );
  let largest = 0;
  for (const { type, bytes } of decodeModel(int8).initializers.values()) {
    if (type !== 'int8') continue;
    for (const weight of new Int8Array(bytes.buffer)) {
      largest = Math.max(largest, Math.abs(weight));
    }
  }
  t.is(largest, WEIGHT_LIMIT);
});
