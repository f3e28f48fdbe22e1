// Every network learns a handful of flows by heart: what cannot do that is wired wrongly.

import test from 'ava';
import { Adam } from '../../../models/adam.ts';
import { chooseBackend, type tf } from '../../../models/backend.ts';
import { likeliest } from '../../../models/metrics.ts';
import { NETWORKS, networkNamed } from '../../../models/networks/networks.ts';
import { seededRandom } from '../../../models/random.ts';
import { type Batch, predictBatch, trainStep } from '../../../models/training-step.ts';
import {
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_CHANNELS,
} from '../../../src/features/shapes.ts';

import { SMALL } from './small.ts';

const FLOWS = 24;
const STEPS = 12;
const STATISTICS = 6;
const SESSION_FLOWS = 3;
const CLASSES = ['a', 'b', 'c'];
const LEARNING_RATE = 0.005;
const STEPS_AT_MOST = 400;

test.before(async () => {
  await chooseBackend();
});

/** Flows with nothing in common but noise; their classes say nothing about them. */
function noise(flows: number): Batch {
  const random = seededRandom(3);
  const bytes = Uint8Array.from(
    { length: FLOWS * flows * HANDSHAKE_MESSAGES * HANDSHAKE_BYTES },
    () => 256 * random(),
  );
  const series = new Float32Array(FLOWS * STEPS * SERIES_CHANNELS);
  for (let b = 0; b < FLOWS; b++) {
    const packets = 3 + Math.floor(random() * (STEPS - 3));
    for (let t = 0; t < packets; t++) {
      const direction = random() < 0.5 ? 1 : -1;
      series.set(
        [3 * random(), direction * Math.floor(1500 * random()), direction],
        (b * STEPS + t) * SERIES_CHANNELS,
      );
    }
  }
  const statistics = Float32Array.from(
    { length: FLOWS * STATISTICS },
    () => 2 * random() - 1,
  );
  return {
    count: FLOWS,
    inputs: { handshake_bytes: bytes, series, statistics },
    labels: Int32Array.from({ length: FLOWS }, () =>
      Math.floor(CLASSES.length * random()),
    ),
  };
}

/** Sizes as the paper writes them. */
function scaled(batch: Batch): Batch {
  const series = batch.inputs.series?.map((value, i) =>
    i % SERIES_CHANNELS === 1 ? Math.abs(value) / 128 : value,
  );
  return series === undefined ? batch : { ...batch, inputs: { ...batch.inputs, series } };
}

/** Steps until all flows are right, Infinity if that never comes. */
function stepsToLearn(model: tf.LayersModel, batch: Batch): number {
  const adam = new Adam(LEARNING_RATE);
  const options = { classes: CLASSES, classWeights: [1, 1, 1], labelSmoothing: 0 };
  for (let step = 1; step <= STEPS_AT_MOST; step++) {
    trainStep(model, adam, batch, options);
    if (step % 10 !== 0) continue;
    const predicted = likeliest(predictBatch(model, batch), CLASSES.length);
    if (predicted.every((k, b) => k === batch.labels[b])) {
      adam.dispose();
      return step;
    }
  }
  return Number.POSITIVE_INFINITY;
}

const learns = test.macro({
  title: (_, name: string, more: object = {}) =>
    `${name} learns ${FLOWS} flows by heart${Object.keys(more).length > 0 ? `, ${JSON.stringify(more)}` : ''}`,
  exec(t, name: string, more: object = {}) {
    t.timeout(120_000);
    const network = networkNamed(name);
    const options = { ...SMALL[name], ...more };
    const model = network.build(
      {
        seriesSteps: STEPS,
        statistics: STATISTICS,
        classes: CLASSES.length,
        sessionFlows: SESSION_FLOWS,
        seed: 1,
      },
      options,
    );
    const whole = noise(network.row === 'session' ? SESSION_FLOWS : 1);
    const batch = network.sizes(options) === 'signed-bytes' ? whole : scaled(whole);
    const steps = stepsToLearn(model, batch);
    t.log(`${steps} steps, ${model.countParams()} parameters`);
    t.true(steps <= STEPS_AT_MOST, `not all right after ${STEPS_AT_MOST} steps`);
  },
});

for (const name of Object.keys(NETWORKS)) test.serial(learns, name);

const series = { inputs: ['series'] };
test.serial(learns, 'flow-cnn', { ...series, sizes: { entries: ['embedded'] } });
test.serial(learns, 'flow-cnn', { ...series, sizes: { entries: ['soft-bins'] } });
test.serial(learns, 'flow-lstm', {
  ...series,
  sizes: { entries: ['scaled', 'embedded', 'soft-bins'] },
});
test.serial(learns, 'tripartite-cnn', { inputs: ['handshake_bytes'] });
test.serial(learns, 'tripartite-cnn', { inputs: ['statistics'] });
