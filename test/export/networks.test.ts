// Every registered network, tfjs against exported fp32 ONNX, and all integer in int8. Weights are drawn: what is held is the
// translation, not the figures. Axes: B flows or sessions, F flows, M messages, N bytes, T steps, S statistics, K classes.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { calibrate } from '../../export/calibrate.ts';
import { freeInputs } from '../../export/network.ts';
import { type Inputs, OnnxModel } from '../../export/onnx-model.ts';
import { decodeModel } from '../../export/proto.ts';
import { readNetwork } from '../../export/read-network.ts';
import { writeFp32 } from '../../export/write-fp32.ts';
import { writeInt8 } from '../../export/write-int8.ts';
import { chooseBackend, tf } from '../../models/backend.ts';
import { TENSORS } from '../../models/networks/network.ts';
import { NETWORKS, networkNamed } from '../../models/networks/networks.ts';
import { seededRandom } from '../../models/random.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { closeTo } from './differences.ts';

// Probabilities: both compute in float32, in another order.
const TOLERANCE = 1e-5;
const ROWS = 4;
const CLASSES = 5;
const STATISTICS = 20;

test.before(async () => {
  await chooseBackend('wasm');
});

/** Values of a model's inputs; series end after a random number of steps, sessions after a random number of flows. */
function drawnInputs(model: tf.LayersModel, bytesASize: boolean): Inputs {
  const random = seededRandom(5);
  return Object.fromEntries(
    model.inputs.map((input) => {
      const { name } = input.sourceLayer;
      const [first = 1, ...rest] = input.shape.slice(1).map((d) => d ?? 0);
      const width = rest.reduce((a, b) => a * b, 1);
      const bytes = name === TENSORS.handshakeBytes;
      const values = new (bytes ? Uint8Array : Float32Array)(ROWS * first * width);
      for (let b = 0; b < ROWS; b++) {
        const steps =
          name === TENSORS.statistics ? first : 1 + Math.floor(random() * first);
        for (let i = 0; i < steps * width; i++) {
          const drawn = bytes ? Math.floor(random() * 256) : 2 * random() - 1;
          values[b * first * width + i] =
            name === TENSORS.series ? seriesValue(i % 3, drawn, bytesASize) : drawn;
        }
      }
      return [name, values];
    }),
  );
}

/** Inter-arrival time, size, direction; direction is never 0. */
function seriesValue(channel: number, drawn: number, bytesASize: boolean): number {
  if (channel === 2) return drawn < 0 ? -1 : 1;
  return channel === 1 && bytesASize ? Math.round(1600 * drawn) : drawn;
}

/** Biases are drawn, too: those of a new network are 0 and would hide a mistake. */
function drawBiases(model: tf.LayersModel): void {
  const random = seededRandom(9);
  model.setWeights(
    model.getWeights().map((weight) => {
      if (weight.rank !== 1) return weight;
      const values = Float32Array.from({ length: weight.size }, () => random() - 0.5);
      return tf.tensor(values, weight.shape);
    }),
  );
}

function byTfjs(model: tf.LayersModel, inputs: Inputs): Float32Array {
  const tensors = model.inputs.map((input) => {
    const values = inputs[input.sourceLayer.name] ?? [];
    const shape = [ROWS, ...input.shape.slice(1).map((d) => d ?? 0)];
    return tf.tensor(Float32Array.from(values), shape);
  });
  return Float32Array.from((model.predict(tensors) as tf.Tensor).dataSync());
}

interface Case {
  readonly network: string;
  readonly options?: object;
  readonly seriesSteps: number;
}

const same = test.macro({
  title: (name = '') =>
    `${name} gives the same in tfjs and in ONNX, and is all integer in int8`,
  async exec(t, { network: name, options = {}, seriesSteps }: Case) {
    t.timeout(240_000);
    const registered = networkNamed(name);
    const shape = { seriesSteps, statistics: STATISTICS, classes: CLASSES, seed: 3 };
    const model = registered.build(shape, options);
    drawBiases(model);
    const inputs = drawnInputs(model, registered.sizes(options) === 'signed-bytes');
    const network = readNetwork(model);
    const run = async (file: Uint8Array) => {
      const session = await OnnxModel.open(file);
      const { probabilities = new Float32Array(0) } = await session.run(inputs, ROWS);
      await session.close();
      return probabilities;
    };
    const want = byTfjs(model, inputs);
    closeTo(t, await run(writeFp32(network)), want, TOLERANCE);
    const int8 = writeInt8(network, await calibrate(network, { inputs, count: ROWS }));
    // Not how good int8 is, which trained weights tell, but that it is the same network.
    closeTo(t, await run(int8), want, 0.03);
    t.deepEqual(await floatKernels(int8), []);
    tf.disposeVariables();
  },
});

async function floatKernels(model: Uint8Array): Promise<string[]> {
  const directory = temporaryFolder('network');
  const file = join(directory, 'optimised.onnx');
  await (await OnnxModel.open(model, { optimizedModelFile: file })).close();
  const { nodes } = decodeModel(await readFile(file));
  return nodes.map(({ op }) => op).filter((op) => FLOAT_KERNELS.test(op));
}

const FLOAT_KERNELS = /^(Fused)?(Conv|Gemm|MatMul)$|^(NhwcFusedConv|LSTM)$/;

for (const network of Object.keys(NETWORKS)) {
  test.serial(network, same, { network, seriesSteps: 32 });
}
for (const [network, steps] of [
  ['router-cnn', [128, 256, 1024]],
  ['router-lstm', [64, 128, 256, 1024]],
  ['flow-cnn', [128, 256]],
] as const) {
  for (const seriesSteps of steps) {
    test.serial(`${network} of ${seriesSteps} steps`, same, { network, seriesSteps });
  }
}
const ENTRIES = [
  ['embedded'],
  ['soft-bins'],
  ['scaled', 'embedded', 'soft-bins'],
  ['scaled'],
];
for (const network of ['router-cnn', 'router-lstm']) {
  for (const entries of ENTRIES) {
    const jitterShare = entries.length === 1 && entries[0] === 'scaled' ? 0.1 : 0;
    const ownRows = entries.length === 3 ? [-40, 0, 1500] : undefined;
    const options = { sizes: { entries, jitterShare, ownRows } };
    test.serial(`${network} with sizes ${entries.join(', ')}`, same, {
      network,
      options,
      seriesSteps: 32,
    });
  }
}

test.serial(
  'the series of an LSTM network may be of any length, that of a CNN not',
  (t) => {
    const free = (name: string) => {
      const shape = {
        seriesSteps: 32,
        statistics: STATISTICS,
        classes: CLASSES,
        seed: 3,
      };
      return [...freeInputs(readNetwork(networkNamed(name).build(shape)))];
    };
    t.deepEqual(free('router-lstm'), ['series']);
    t.deepEqual(free('router-cnn'), []);
  },
);
