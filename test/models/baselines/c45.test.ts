import test from 'ava';
import {
  type C45Node,
  type C45Options,
  c45Probabilities,
  c45Size,
  growC45,
} from '../../../models/baselines/c45.ts';
import { errorsToAdd } from '../../../models/baselines/pessimistic-error.ts';
import { tableOf } from '../../../models/baselines/table.ts';
import { seededRandom } from '../../../models/random.ts';

const upperLimit = test.macro({
  exec(t, errors: number, weight: number, limit: number) {
    const got = (errors + errorsToAdd(weight, errors, 0.25)) / weight;
    t.true(Math.abs(got - limit) < 0.0006, `${got}`);
  },
  title: (_, errors: number, weight: number, limit: number) =>
    `of ${weight} rows with ${errors} errors a share of ${limit} is to be expected (Quinlan 1993, section 4.2)`,
});

test(upperLimit, 0, 6, 0.206);
test(upperLimit, 0, 9, 0.143);
test(upperLimit, 0, 1, 0.75);
test(upperLimit, 1, 16, 0.157);

test('errors in between, as weights in shares give, lie in between', (t) => {
  const [none, half, one] = [0, 0.5, 1].map((errors) => errorsToAdd(10, errors, 0.25));
  t.true((none ?? 0) < (half ?? 0) && (half ?? 0) < (one ?? 0), `${none} ${half} ${one}`);
});

function grow(
  rows: readonly number[][],
  labels: readonly number[],
  options: C45Options = {},
) {
  return growC45(tableOf(rows, Int32Array.from(labels), 2), options);
}

// Three 1 and seven 0. In bits: column 0 gains 0.557 (ratio 0.573), column 1 gains 0.446 (ratio 0.618), column 2 0.035.
const RATIO_LABELS = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const COLUMN_0 = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
const COLUMN_1 = [0, 0, 1, 1, 1, 1, 1, 1, 1, 1];
const COLUMN_2 = [0, 0, 1, 0, 0, 0, 1, 1, 1, 1];
const zip = (...columns: number[][]) =>
  RATIO_LABELS.map((_, r) => columns.map((column) => column[r] ?? Number.NaN));

test('the best gain ratio decides among columns that gain what is usual', (t) => {
  t.is(grow(zip(COLUMN_0, COLUMN_1, COLUMN_2), RATIO_LABELS).split?.column, 1);
});

test('a better ratio does not help a column that gains less than usual', (t) => {
  t.is(grow(zip(COLUMN_0, COLUMN_1), RATIO_LABELS).split?.column, 0);
});

test('many thresholds cost: three of them more than the 0.311 bits that the best one gains', (t) => {
  const rows = [[1], [2], [3], [4]];
  t.is(grow(rows, [0, 1, 0, 1], { minimumLeaf: 1 }).split, undefined);
});

test('a threshold is a value that occurs, and rows at it go left', (t) => {
  const root = grow([[1], [2], [3], [4]], [0, 0, 1, 1], { minimumLeaf: 1 });
  t.deepEqual(root.split, { column: 0, threshold: 2, leftShare: 0.5 });
  t.deepEqual([...c45Probabilities(root, [2, 2.5], 1)], [1, 0, 0, 1]);
});

test('a row without a value goes both ways, in shares of the known rows', (t) => {
  const rows = [[1], [1], [2], [2], [Number.NaN]];
  const root = grow(rows, [0, 0, 1, 1, 1], { minimumLeaf: 1 });
  t.deepEqual([...(root.left?.counts ?? [])], [2, 0.5]);
  t.deepEqual([...(root.right?.counts ?? [])], [0, 2.5]);
  // Half of it is in a leaf of 4 to 1, half in a pure one.
  const [no = 0, yes = 0] = c45Probabilities(root, [Number.NaN], 1);
  t.true(Math.abs(no - 0.4) < 1e-6 && Math.abs(yes - 0.6) < 1e-6, `${no} ${yes}`);
});

test('weights in shares are whole again in the next branch', (t) => {
  // Column 1 has a value where column 0 has none.
  const rows = [
    [1, 5],
    [1, 5],
    [1, 6],
    [2, 6],
    [2, 6],
    [2, 5],
    [Number.NaN, 5],
    [Number.NaN, 6],
  ];
  const root = grow(rows, [0, 0, 1, 1, 1, 0, 0, 1], { minimumLeaf: 1 });
  const leaves = (node: C45Node): number =>
    node.left === undefined || node.right === undefined
      ? node.counts.reduce((a, b) => a + b, 0)
      : leaves(node.left) + leaves(node.right);
  t.is(leaves(root), 8);
});

test('a branch has at least so many rows', (t) => {
  const rows = [[1], [2], [2], [2], [2], [2]];
  t.is(grow(rows, [1, 0, 0, 0, 0, 0], { minimumLeaf: 2 }).split, undefined);
  t.is(grow(rows, [1, 0, 0, 0, 0, 0], { minimumLeaf: 1 }).split?.threshold, 1);
});

test('a subtree that expects more errors than a leaf is pruned: 3.19 against 2.33', (t) => {
  const rows = [[1], [1], [2], [2], [2], [2]];
  const labels = [0, 0, 0, 0, 0, 1];
  t.is(c45Size(grow(rows, labels)), 3);
  t.is(c45Size(grow(rows, labels, { confidence: 0.25 })), 1);
});

test('pruning undoes most of what noise has grown, and keeps what is true', (t) => {
  const random = seededRandom(7);
  const draw = (count: number) =>
    Array.from({ length: count }, () =>
      // Few values: many thresholds would keep noise out by themselves.
      Array.from({ length: 5 }, () => Math.floor(5 * random())),
    );
  const truth = (rows: readonly number[][]) =>
    rows.map((row) => ((row[2] ?? 0) > 1 ? 1 : 0));
  const rows = draw(600);
  const noisy = truth(rows).map((label) => (random() < 0.2 ? 1 - label : label));
  const grown = grow(rows, noisy);
  const pruned = grow(rows, noisy, { confidence: 0.25 });
  const asked = draw(500);
  const answers = c45Probabilities(pruned, asked.flat(), 5);
  const right = truth(asked).filter((label, b) => (answers[2 * b + label] ?? 0) > 0.5);
  t.log(
    `${c45Size(grown)} nodes, pruned ${c45Size(pruned)}, ${right.length} of 500 right`,
  );
  t.true(c45Size(pruned) < c45Size(grown) / 2);
  t.true(right.length > 450);
});

test('without a single telling column there is one leaf', (t) => {
  t.is(c45Size(grow([[1], [1], [1], [1]], [0, 1, 0, 1])), 1);
  t.is(c45Size(grow([[Number.NaN], [Number.NaN]], [0, 1], { minimumLeaf: 1 })), 1);
});
