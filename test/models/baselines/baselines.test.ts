import test from 'ava';
import { extraTrees } from '../../../models/baselines/extra-trees.ts';
import { lookUp, majority } from '../../../models/baselines/look-up.ts';
import { nearestNeighbours } from '../../../models/baselines/nearest.ts';
import { tableOf, tableOfMatrix } from '../../../models/baselines/table.ts';
import { likeliest } from '../../../models/metrics.ts';
import { seededRandom } from '../../../models/random.ts';

/** Two classes inside and outside a circle, and three columns of noise. */
function rings(seed: number, count: number) {
  const random = seededRandom(seed);
  const rows = Array.from({ length: count }, () =>
    Array.from({ length: 5 }, () => 2 * random() - 1),
  );
  const labels = Int32Array.from(rows, ([x = 0, y = 0]) => (x * x + y * y < 0.5 ? 1 : 0));
  return { rows, labels };
}

const accuracy = (answers: Float32Array, labels: Int32Array) =>
  likeliest(answers, 2).filter((k, b) => k === labels[b]).length / labels.length;

test('extra trees learn what no single threshold tells', (t) => {
  const known = rings(1, 1500);
  const asked = rings(2, 500);
  const table = tableOf(known.rows, known.labels, 2);
  const answers = extraTrees(table, asked.rows.flat(), { seed: 1, trees: 60 });
  const got = accuracy(answers, asked.labels);
  t.log(`accuracy ${got}`);
  t.true(got > 0.9);
});

test('the same seed grows the same trees, another seed others; shares add up to 1', (t) => {
  const { rows, labels } = rings(1, 200);
  const table = tableOf(rows, labels, 2);
  const asked = rings(3, 20).rows.flat();
  const votes = (seed: number) => extraTrees(table, asked, { seed, trees: 10 });
  t.deepEqual(votes(1), votes(1));
  t.notDeepEqual(votes(1), votes(2));
  for (let b = 0; b < 20; b++) {
    const sum = (votes(1)[2 * b] ?? 0) + (votes(1)[2 * b + 1] ?? 0);
    t.true(Math.abs(sum - 1) < 1e-5);
  }
});

test('trees remember every row that they have seen, where no two are equal', (t) => {
  const { rows, labels } = rings(4, 300);
  const table = tableOf(rows, labels, 2);
  t.is(accuracy(extraTrees(table, rows.flat(), { seed: 1, trees: 5 }), labels), 1);
});

test('whether a value is missing can tell, and constant columns do no harm', (t) => {
  const rows = Array.from({ length: 40 }, (_, r) => [3, r % 2 === 0 ? Number.NaN : 7]);
  const labels = Int32Array.from(rows, (_, r) => r % 2);
  const table = tableOf(rows, labels, 2);
  const answers = extraTrees(table, [3, Number.NaN, 3, 7], { seed: 1, trees: 20 });
  t.deepEqual([...likeliest(answers, 2)], [0, 1]);
});

test('the nearest row decides, and of several the majority, nearer ones a tie', (t) => {
  const known = {
    values: [0, 0, 1, 1, 1.5, 1.5, 10, 10],
    labels: Int32Array.of(0, 1, 1, 0),
    columns: 2,
    classes: 2,
  };
  t.deepEqual([...likeliest(nearestNeighbours(known, [0.2, 0.2]), 2)], [0]);
  t.deepEqual([...likeliest(nearestNeighbours(known, [0.2, 0.2], 3), 2)], [1]);
  t.deepEqual([...likeliest(nearestNeighbours(known, [0.2, 0.2], 2), 2)], [0]);
  const shares = nearestNeighbours(known, [0.2, 0.2], 3);
  t.true(Math.abs((shares[0] ?? 0) + (shares[1] ?? 0) - 1) < 1e-6);
});

test('the search for neighbours finds what a full comparison finds', (t) => {
  const known = rings(5, 300);
  const asked = rings(6, 50);
  const got = nearestNeighbours(
    { values: known.rows.flat(), labels: known.labels, columns: 5, classes: 2 },
    asked.rows.flat(),
    5,
  );
  for (const [b, row] of asked.rows.entries()) {
    const nearest = known.rows
      .map((other, r) => ({
        r,
        distance: other.reduce((sum, x, d) => sum + Math.abs(x - (row[d] ?? 0)), 0),
      }))
      .sort((a, c) => a.distance - c.distance)
      .slice(0, 5);
    const ones = nearest.filter(({ r }) => known.labels[r] === 1).length / 5;
    t.true(Math.abs((got[2 * b + 1] ?? 0) - ones) < 1e-3);
  }
});

test('a name that was met gives its class, any other one the majority', (t) => {
  const keys = ['a', 'a', 'b', null, 'c'];
  const answers = lookUp(keys, Int32Array.of(0, 0, 1, 2, 0), ['b', 'a', 'x', null], 3);
  t.deepEqual([...likeliest(answers, 3)], [1, 0, 0, 0]);
});

test('the majority is the same for everything', (t) => {
  t.deepEqual([...likeliest(majority(Int32Array.of(1, 1, 0), 2, 2), 2)], [1, 1]);
});

test('a table of rows and one of a matrix are the same, and rows of other lengths are refused', (t) => {
  const labels = Int32Array.of(0, 1);
  const rows = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  t.deepEqual(tableOf(rows, labels, 2), tableOfMatrix(rows.flat(), labels, 2));
  t.throws(() => tableOf([[1], [1, 2]], labels, 2), { message: /row 1 has 2 columns/ });
});
