import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { judged, Results } from '../../../models/experiments/results.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const RESULT = {
  experiment: 'a',
  model: 'm',
  packets: 10,
  trained: 100,
  tested: 50,
  accuracy: 0.9,
  macroF1: 0.8,
  seconds: 1,
};

test('what was found is found again, but for a line that was cut off', async (t) => {
  const directory = temporaryFolder('results');
  const results = new Results(directory);
  results.add({ ...RESULT, seed: 1 });
  results.add({ ...RESULT, seed: 2, accuracy: 0.94 });
  appendFileSync(join(directory, 'results.jsonl'), '{"experiment": "a", "mod');
  const again = new Results(directory);
  t.true(again.has({ ...RESULT, seed: 2 }));
  t.false(again.has({ ...RESULT, seed: 3 }));
  // Mean 92%, deviation 2.83 points: 12.71 x 2.83 / sqrt(2).
  t.regex(again.tables(), /\| m \| 2 \| 92\.0% ± 25\.4 \(80\.0%\) \|/);
});

test('what export made of a network is told in a table of its own', async (t) => {
  const directory = temporaryFolder('results');
  const key = { experiment: 'b', model: 'm', seed: 1, packets: 0 };
  new Results(directory).addBundle({
    ...key,
    parity: 1.3e-7,
    accuracy: 0.5,
    int8Agreement: 0.9912,
    accuracyLoss: 0.001,
    fp32Bytes: 1_400_000,
    sizeBytes: 400_000,
    floatLayers: ['head'],
    failed: [],
  });
  const again = new Results(directory);
  t.true(again.hasBundle(key));
  t.false(again.hasBundle({ ...key, seed: 2 }));
  t.true(
    again
      .tables()
      .includes(
        '| `m` | 1 | 1.3e-7 | 99.1% | 50.0% | 0.10 | 1400 | 400 | head | all passed |',
      ),
  );
});

test('figures of an experiment are those of its answers', (t) => {
  const answers = Float32Array.of(0.9, 0.1, 0.2, 0.8, 0.6, 0.4);
  const { accuracy, tested } = judged(answers, Int32Array.of(0, 1, 1), ['x', 'y']);
  t.is(tested, 3);
  t.is(accuracy, 2 / 3);
});
