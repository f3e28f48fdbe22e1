import test from 'ava';
import {
  drawTrial,
  parseSearchSpace,
  withValues,
} from '../../../models/training/search-space.ts';
import { trainingConfigSchema } from '../../../models/training/training-config.ts';
import { ConfigError } from '../../../src/errors.ts';

const CONFIG = trainingConfigSchema.parse({
  name: 'x',
  data: { directory: 'd', split: 's' },
  network: { name: 'router-cnn' },
});
const SPACE = parseSearchSpace(
  `
training.learningRate: {from: 0.0001, to: 0.01, log: true}
training.batchFlows: [32, 64]
network.options.dropout.head: [0.1, 0.5]
`,
  'space.yaml',
);

test('a trial is drawn from the space, the same number always the same', (t) => {
  const trials = Array.from({ length: 200 }, (_, n) => drawTrial(SPACE, 1, n + 1));
  t.deepEqual(trials[3], drawTrial(SPACE, 1, 4));
  const rates = trials.map((trial) => trial['training.learningRate'] as number);
  t.true(rates.every((rate) => rate >= 0.0001 && rate <= 0.01));
  // Evenly in the logarithm: half of them below the geometric mean.
  t.true(Math.abs(rates.filter((rate) => rate < 0.001).length - 100) < 30);
  const batches = trials.filter((trial) => trial['training.batchFlows'] === 32).length;
  t.true(Math.abs(batches - 100) < 30, `${batches}`);
});

test('values go where their keys say, and nothing else changes', (t) => {
  const changed = withValues(CONFIG, {
    'training.learningRate': 0.002,
    'network.options.dropout.head': 0.1,
  });
  t.is(changed.training.learningRate, 0.002);
  t.deepEqual(changed.network.options, { dropout: { head: 0.1 } });
  t.is(CONFIG.training.learningRate, 0.001);
  t.deepEqual(
    { ...changed, training: 0, network: 0 },
    { ...CONFIG, training: 0, network: 0 },
  );
});

const refused = test.macro({
  exec(t, text: string, words: RegExp) {
    t.throws(
      () => withValues(CONFIG, drawTrial(parseSearchSpace(text, 's.yaml'), 1, 1)),
      {
        instanceOf: ConfigError,
        message: words,
      },
    );
  },
  title: (what) => `${what} is refused`,
});

test('a key that is none', refused, 'training.epochz: [3]', /epochz/);
test('a value that fits no key', refused, 'training.epochs: [many]', /training\.epochs/);
test(
  'a range upside down',
  refused,
  'training.epochs: {from: 9, to: 3}',
  /from is not below to/,
);
test('the split', refused, 'data.split: [a, b]', /data\.split cannot be searched/);
test('an empty space', refused, '{}', /no key to turn/);
test('a list', refused, '- 3', /s\.yaml/);
