// One contender of the training bench in a process of its own: trains on drawn flows, as many steps as standard input asks for.
// `training-worker.js NETWORK STEPS ours|stock native|wasm`; says "ready", then for each line "N" the
// seconds that a step took by the clock and of processors.

import { createInterface } from 'node:readline';
import { Adam } from '../models/adam.ts';
import { type Backend, chooseBackend, tf } from '../models/backend.ts';
import { StepRunner } from '../models/graph/step-runner.ts';
import { SeededDropout } from '../models/layers/seeded-dropout.ts';
import { seededRandom } from '../models/random.ts';
import { type Batch, inputsOf } from '../models/training-step.ts';
import {
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_CHANNELS,
} from '../src/features/shapes.ts';
import {
  BENCH_CLASSES,
  BENCH_FLOWS,
  BENCH_STATISTICS,
  benchNetwork,
} from './training-networks.ts';

const WARM_UP_STEPS = 3;
const LEARNING_RATE = 0.001;

const [network = '', steps = '', layers = '', backend = ''] = process.argv.slice(2);
await chooseBackend(backend as Backend);
const batch = drawnBatch(Number(steps));
const ours = benchNetwork({ network, steps: Number(steps) });
const step = layers === 'ours' ? oursStep(ours) : stockStep(await stockLayers(ours));
for (let i = 0; i < WARM_UP_STEPS; i++) step();
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line);
  const [start, used] = [performance.now(), process.cpuUsage()];
  for (let i = 0; i < count; i++) step();
  const { user, system } = process.cpuUsage(used);
  const seconds = (performance.now() - start) / 1000;
  process.stdout.write(`${seconds / count} ${(user + system) / 1e6 / count}\n`);
}

function drawnBatch(seriesSteps: number): Batch {
  const random = seededRandom(1);
  const floats = (length: number) =>
    Float32Array.from({ length: BENCH_FLOWS * length }, () => 2 * random() - 1);
  const bytes = BENCH_FLOWS * HANDSHAKE_MESSAGES * HANDSHAKE_BYTES;
  return {
    count: BENCH_FLOWS,
    inputs: {
      handshake_bytes: Uint8Array.from({ length: bytes }, () => 256 * random()),
      series: floats(seriesSteps * SERIES_CHANNELS),
      statistics: floats(BENCH_STATISTICS),
    },
    labels: Int32Array.from({ length: BENCH_FLOWS }, (_, b) => b % BENCH_CLASSES),
  };
}

function oursStep(model: tf.LayersModel): () => number {
  const optimizer = new Adam(LEARNING_RATE);
  const classes = Array.from({ length: BENCH_CLASSES }, (_, k) => `${k}`);
  const options = { classes, classWeights: classes.map(() => 1), labelSmoothing: 0 };
  const runner = new StepRunner(model, optimizer, options);
  return () => runner.step(batch).loss;
}

/** The same network as tfjs' own layers: saved, and loaded without our calls. */
async function stockLayers(model: tf.LayersModel): Promise<tf.LayersModel> {
  tf.serialization.registerClass(
    SeededDropout as unknown as Parameters<typeof tf.serialization.registerClass>[0],
  );
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  if (saved === undefined) throw new Error('the model was not saved');
  return await tf.loadLayersModel(tf.io.fromMemory(saved));
}

/** As tfjs' documentation has it. */
function stockStep(model: tf.LayersModel): () => number {
  const optimizer = tf.train.adam(LEARNING_RATE);
  return () =>
    tf.tidy(() => {
      const inputs = inputsOf(model, () => batch);
      const targets = tf.oneHot(tf.tensor1d(batch.labels, 'int32'), BENCH_CLASSES);
      const cost = optimizer.minimize(
        () => {
          const outputs = model.apply(inputs, { training: true }) as tf.Tensor;
          return tf.mean(
            tf.metrics.categoricalCrossentropy(targets, outputs),
          ) as tf.Scalar;
        },
        true,
        model.trainableWeights.map((weight) => weight.read() as tf.Variable),
      );
      return cost?.dataSync()[0] ?? 0;
    });
}
