import { readFileSync } from 'node:fs';
import test from 'ava';
import { GOLDEN, goldenVectors } from '../helpers/golden.ts';

test('features are bit for bit those of the golden vectors; if not, `npm run -s fixtures` and FEATURE_VERSION', async (t) => {
  const [got, want] = [await goldenVectors(), readFileSync(GOLDEN, 'utf8')].map(
    (text) => JSON.parse(text) as { statistics: string[]; vectors: { name: string }[] },
  );
  t.deepEqual(got?.statistics, want?.statistics);
  t.deepEqual(
    got?.vectors.map(({ name }) => name),
    want?.vectors.map(({ name }) => name),
  );
  got?.vectors.forEach((vector, i) => {
    t.deepEqual(vector, want?.vectors[i], vector.name);
  });
  t.true((got?.vectors.length ?? 0) > 30);
});
