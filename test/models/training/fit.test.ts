// The training loop on a made-up data set: what it keeps, when it ends, that it can be repeated.

import test from 'ava';
import { chooseBackend, tf } from '../../../models/backend.ts';
import { openData } from '../../../models/data/open-data.ts';
import { buildNetwork } from '../../../models/training/configured-network.ts';
import { type EpochRecord, fit as fitNetwork } from '../../../models/training/fit.ts';
import { prepareTraining } from '../../../models/training/preparation.ts';
import { trainingConfigSchema } from '../../../models/training/training-config.ts';
import { copyWeights } from '../../../models/weights.ts';
import { makeDataset } from '../../helpers/made-dataset.ts';

test.before(async () => {
  await chooseBackend('wasm');
});

interface Wanted {
  readonly seed?: number;
  readonly epochs?: number;
  readonly learningRate?: number;
  readonly patienceEpochs?: number;
  readonly signal?: AbortSignal;
  readonly onEpoch?: (record: EpochRecord) => void;
}

async function trained(wanted: Wanted) {
  const { seed = 1, epochs = 2, learningRate = 0.005, patienceEpochs = 10 } = wanted;
  const classes = ['chat', 'mail', 'web'];
  const { directory } = await makeDataset({ classes, flows: [60, 40, 60] });
  const config = trainingConfigSchema.parse({
    name: 'made',
    data: { directory, split: 'parts', looks: [3] },
    network: {
      name: 'flow-cnn',
      seriesSteps: 16,
      options: {
        series: { groups: [[[8, 3, 1]], [[8, 3, 1]]], pool: 2, dense: 0 },
        statistics: [8],
        head: [8],
      },
    },
    training: { seed, batchFlows: 16 },
  });
  const data = await openData(config.data);
  const { fit: fitData, classWeights } = await prepareTraining(config, data);
  const model = buildNetwork(config, classes.length);
  const result = await fitNetwork(
    model,
    fitData,
    {
      classes,
      classWeights,
      labelSmoothing: 0,
      epochs,
      learningRate,
      halveEveryEpochs: 10,
      patienceEpochs,
      meanEpochs: 1,
      int8Weights: false,
    },
    { signal: wanted.signal, onEpoch: (record) => wanted.onEpoch?.(record) },
  );
  return { weights: copyWeights(model), ...result };
}

/** Far too large: only the first epochs are any good. */
const WILD = 0.5;

test.serial('the same seed gives the same weights, another seed others', async (t) => {
  const [once, again, other] = [
    await trained({}),
    await trained({}),
    await trained({ seed: 2 }),
  ];
  t.deepEqual(once.weights, again.weights);
  t.notDeepEqual(once.weights, other.weights);
});

test.serial('training learns what tells the classes apart', async (t) => {
  const { history, bestEpoch } = await trained({ epochs: 8 });
  const losses = history.map((record) => record.validationLoss);
  t.log(losses.map((loss) => loss.toFixed(3)).join(' '));
  t.is(losses[bestEpoch - 1], Math.min(...losses));
  t.true(Math.min(...losses) < 0.8 * (losses[0] ?? 0));
});

test.serial('the weights of the best epoch are kept', async (t) => {
  const long = await trained({ epochs: 6, learningRate: WILD });
  t.log(`best epoch ${long.bestEpoch} of 6`);
  t.true(long.bestEpoch < 6);
  const short = await trained({ epochs: long.bestEpoch, learningRate: WILD });
  t.deepEqual(long.weights, short.weights);
});

test.serial('training ends when validation gets no better', async (t) => {
  const { history, bestEpoch, stopped } = await trained({
    epochs: 40,
    learningRate: WILD,
    patienceEpochs: 2,
  });
  t.is(stopped, 'patience');
  t.is(history.length, bestEpoch + 2);
});

test.serial('an interruption ends training with the best weights so far', async (t) => {
  const controller = new AbortController();
  const interrupted = await trained({
    epochs: 40,
    signal: controller.signal,
    onEpoch: ({ epoch }) => {
      if (epoch === 2) controller.abort();
    },
  });
  t.is(interrupted.stopped, 'interrupted');
  t.is(interrupted.history.length, 2);
  t.deepEqual(interrupted.weights, (await trained({})).weights);
});

test.serial('an epoch of training leaves no tensors behind', async (t) => {
  const counts: number[] = [];
  await trained({ epochs: 3, onEpoch: () => counts.push(tf.memory().numTensors) });
  t.is(counts[1], counts[2]);
});
