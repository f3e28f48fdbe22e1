import test from 'ava';
import fc from 'fast-check';
import { firstPacketsOf } from '../../src/dataset/audit-fields.ts';
import { fitTable, fitTree, type Learnt } from '../../src/dataset/audit-fit.ts';
import { accuracyOf, balancedAccuracyOf } from '../../src/dataset/audit-score.ts';
import { SizeStore } from '../../src/dataset/flow-sizes.ts';
import { nearestNeighbour } from '../../src/dataset/nearest.ts';
import { seededRandom } from '../../src/dataset/random.ts';
import {
  type AuditColumn,
  type AuditTable,
  auditShortcuts,
  type Trial,
} from '../../src/dataset/shortcut-audit.ts';
import { sizeColumns } from '../helpers/dataset-rows.ts';

const CLASSES = ['chat', 'mail', 'web', 'games'];
const ROWS = 1_200;

/** Rows in groups of ten; the classes in turn, one of them three times as common. */
function tableOf(
  columns: Readonly<Record<string, (c: number, row: number) => number>>,
): AuditTable {
  const services = Int32Array.from({ length: ROWS }, (_, i) => Math.min(i % 6, 3));
  return {
    classes: CLASSES,
    services,
    groups: Int32Array.from({ length: ROWS }, (_, i) => Math.floor(i / 10)),
    fields: Object.entries(columns).map(
      ([name, of]): AuditColumn => ({
        name,
        words: name,
        isNumber: true,
        values: Float64Array.from(services, (c, row) => of(c, row)),
      }),
    ),
  };
}

const range = (from: number, to: number): Int32Array =>
  Int32Array.from({ length: to - from }, (_, i) => from + i);
const HALVES: readonly Trial[] = [{ train: range(0, 600), test: range(600, ROWS) }];

test('a field that names the class is flagged first, one that says nothing is not', (t) => {
  const random = seededRandom(3);
  const audit = auditShortcuts(
    tableOf({
      port: (c) => 1000 + c,
      noise: () => Math.floor(random() * 40),
      // A number near the class: a tree finds the cut, a table has not seen the values.
      length: (c) => c * 1_000 + random() * 200,
      half: (c) => (c < 2 ? 0 : 1),
      same: () => 7,
      absent: () => Number.NaN,
    }),
    HALVES,
    1,
  );
  t.is(audit.asked, 600);
  t.is(audit.chance, 0.25);
  t.is(audit.majority, 0.5);
  t.deepEqual(audit.unknown, ['absent']);
  const of = (field: string, fitted: string) =>
    audit.fields.find((f) => f.field === field && f.fitted === fitted);
  t.is(of('port', 'table')?.balancedAccuracy.value, 1);
  t.is(of('port', 'table')?.verdict, 'gives the class away');
  t.is(of('length', 'tree')?.verdict, 'gives the class away');
  t.is(of('length', 'table')?.verdict, 'as chance');
  t.is(of('length', 'table')?.known, 0);
  t.is(of('half', 'table')?.verdict, 'well above chance');
  for (const field of ['noise', 'same']) {
    t.is(of(field, 'table')?.verdict, 'as chance');
    t.is(of(field, 'tree')?.verdict, 'as chance');
  }
  // What does not look at all is right as often as the commonest class, and fair at chance.
  t.is(of('same', 'table')?.accuracy.value, 0.5);
  t.is(of('same', 'table')?.balancedAccuracy.value, 0.25);
  t.true(['port', 'length'].includes(audit.fields[0]?.field ?? ''));
});

test('folds ask every row once, and never one that taught', (t) => {
  const folds = [0, 1, 2].map((fold) => {
    const rows = [...range(0, ROWS)];
    const isTest = (row: number): boolean => Math.floor(row / 10) % 3 === fold;
    return {
      train: Int32Array.from(rows.filter((row) => !isTest(row))),
      test: Int32Array.from(rows.filter(isTest)),
    };
  });
  // The group's number: known by heart of rows that taught, of no use for others.
  const audit = auditShortcuts(tableOf({ row: (_, row) => row }), folds, 1);
  t.is(audit.asked, ROWS);
  t.is(audit.fields.find(({ fitted }) => fitted === 'table')?.known, 0);
});

test('the tree finds a single cut exactly, and leaves what cannot be cut', (t) => {
  const values = Float64Array.from({ length: 40 }, (_, i) => i);
  const learnt = (classes: Int32Array): Learnt => ({
    values,
    classes,
    weights: Float64Array.of(1, 1),
  });
  const guess = fitTree(learnt(Int32Array.from(values, (v) => (v < 13 ? 0 : 1))));
  t.deepEqual([12, 12.4, 12.6, 13, -1e9, 1e9].map(guess), [0, 0, 1, 1, 0, 1]);
  const blind = fitTree({
    ...learnt(Int32Array.from(values, (v) => v % 2)),
    values: new Float64Array(40),
  });
  t.is(blind(0), blind(5));
});

test('fits answer with a class of theirs whatever is asked', (t) => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.double(),
    fc.constant(Number.NaN),
  );
  const rows = fc.array(fc.tuple(value, fc.nat({ max: 2 })), { maxLength: 60 });
  fc.assert(
    fc.property(rows, value, (taught, asked) => {
      const learnt: Learnt = {
        values: Float64Array.from(taught, ([v]) => v),
        classes: Int32Array.from(taught, ([, c]) => c),
        weights: Float64Array.of(1, 0.5, 2),
      };
      return [fitTable, fitTree].every((teach) =>
        [0, 1, 2].includes(teach(learnt)(asked)),
      );
    }),
  );
  t.pass();
});

test('intervals hold the value, are wider for few groups, and absent for fewer', (t) => {
  const rows = 1_000;
  const actual = Int32Array.from({ length: rows }, (_, i) => i % 2);
  const askedOf = (groups: number) => ({
    actual,
    guessed: Int32Array.from(actual, (c, i) =>
      Math.floor((i * groups) / rows) % 3 === 0 ? 1 - c : c,
    ),
    groups: Int32Array.from(actual, (_, i) => Math.floor((i * groups) / rows)),
    classes: 2,
  });
  const widths = [6, 60, 600].map((groups) => {
    for (const figure of [accuracyOf, balancedAccuracyOf]) {
      const { value, interval = [1, 0] } = figure(askedOf(groups), seededRandom(1));
      t.true(interval[0] <= value && value <= interval[1]);
    }
    const [low = 0, high = 0] =
      accuracyOf(askedOf(groups), seededRandom(1)).interval ?? [];
    return high - low;
  });
  t.true((widths[0] ?? 0) > (widths[1] ?? 0));
  t.true((widths[1] ?? 0) > 0);
  t.is(accuracyOf(askedOf(4), seededRandom(1)).interval, undefined);
});

test('the nearest neighbour by sizes knows classes that differ in sizes', (t) => {
  const table = tableOf({});
  const sizes = new SizeStore(30);
  const random = seededRandom(1);
  for (const c of table.services) {
    sizes.add(
      Int32Array.from(
        { length: 12 },
        (_, i) => (i % 2 ? -1 : 1) * (100 + 300 * c + 40 * random()),
      ),
    );
  }
  const nearest = nearestNeighbour(table, sizes, HALVES, { packets: 10, seed: 1 });
  t.is(nearest.accuracy.value, 1);
  t.is(nearest.test, 600);
  t.false(nearest.sampled);
});

test('the first flight of the server ends where the client speaks again', (t) => {
  const sizes = [517, 0, -1400, -1400, -200, 80, -3_000];
  t.deepEqual(firstPacketsOf(sizeColumns(sizes)), {
    up: 517,
    down: 1400,
    serverFlight: 3_000,
  });
  t.deepEqual(firstPacketsOf(sizeColumns([517])), {
    up: 517,
    down: null,
    serverFlight: null,
  });
  t.deepEqual(firstPacketsOf(sizeColumns([])), {
    up: null,
    down: null,
    serverFlight: null,
  });
});
