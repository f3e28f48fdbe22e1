import test from 'ava';
import { chooseBackend, tf } from '../../models/backend.ts';
import { SeededDropout } from '../../models/layers/seeded-dropout.ts';
import { networkNamed } from '../../models/networks/networks.ts';
import {
  copyWeights,
  type EpochReport,
  type TrainingOptions,
  train,
} from '../../models/trainer.ts';
import { syntheticSamples } from './synthetic.ts';

const SHAPE = { count: 96, classes: 2, seriesSteps: 32, statistics: 4 };
const samples = syntheticSamples(1, SHAPE);
const validation = syntheticSamples(2, SHAPE);
const OPTIONS: TrainingOptions = {
  classes: ['a', 'b'],
  seed: 1,
  epochs: 2,
  batchFlows: 32,
  learningRate: 0.001,
  halveEveryEpochs: 10,
  patienceEpochs: 10,
  classWeights: [1, 1],
  labelSmoothing: 0,
  wholeShare: 0,
};

test.before(async () => {
  await chooseBackend('wasm');
});

async function trained(options: Partial<TrainingOptions>) {
  const model = networkNamed('router-cnn').build({ ...SHAPE, seed: 1 });
  const looks = { samples, flows: samples.count };
  const result = await train(model, looks, validation, { ...OPTIONS, ...options });
  return { weights: copyWeights(model), ...result };
}

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
  const losses = history.map((report) => report.validationLoss);
  t.log(losses.map((loss) => loss.toFixed(3)).join(' '));
  t.is(losses[bestEpoch - 1], Math.min(...losses));
  t.true(Math.min(...losses) < 0.9 * (losses[0] ?? 0));
});

test.serial('the weights of the best epoch are kept', async (t) => {
  // A learning rate far too large: only the first epochs are any good.
  const long = await trained({ epochs: 5, learningRate: 0.05 });
  const short = await trained({ epochs: long.bestEpoch, learningRate: 0.05 });
  t.log(`best epoch ${long.bestEpoch} of 5`);
  t.deepEqual(long.weights, short.weights);
});

test.serial('training ends when validation gets no better', async (t) => {
  const { history, bestEpoch, stopped } = await trained({
    epochs: 40,
    learningRate: 0.05,
    patienceEpochs: 2,
  });
  t.is(stopped, 'patience');
  t.is(history.length, bestEpoch + 2);
});

test.serial('an interruption ends training with the best weights so far', async (t) => {
  const controller = new AbortController();
  const reports: EpochReport[] = [];
  const interrupted = await trained({
    epochs: 40,
    signal: controller.signal,
    onEpoch: (report) => {
      reports.push(report);
      if (report.epoch === 2) controller.abort();
    },
  });
  t.is(interrupted.stopped, 'interrupted');
  t.is(reports.length, 2);
  t.deepEqual(interrupted.weights, (await trained({})).weights);
});

test.serial('a step of training leaves no tensors behind', async (t) => {
  const counts: number[] = [];
  await trained({ epochs: 3, onEpoch: () => counts.push(tf.memory().numTensors) });
  t.is(counts[1], counts[2]);
});

test.serial(
  'dropout draws another mask each time, the same ones for the same seed',
  (t) => {
    const masks = (seed: number) => {
      const layer = new SeededDropout({
        name: `drop${seed}${Math.random()}`,
        rate: 0.5,
        seed,
      });
      const input = tf.ones([100]);
      return [1, 2].map(() => [...layer.call(input, { training: true }).dataSync()]);
    };
    const [first, second] = masks(5);
    t.notDeepEqual(first, second);
    t.deepEqual(masks(5), [first, second]);
    const dropped = first?.filter((value) => value === 0).length ?? 0;
    t.true(dropped > 30 && dropped < 70, `${dropped} of 100 dropped at rate 0.5`);
    const layer = new SeededDropout({ name: 'served', rate: 0.5, seed: 1 });
    t.deepEqual([...layer.call(tf.ones([3]), {}).dataSync()], [1, 1, 1]);
  },
);
