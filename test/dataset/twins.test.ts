import test from 'ava';
import fc from 'fast-check';
import { payloadSizesOf, SizeStore, sizesOf } from '../../src/dataset/flow-sizes.ts';
import { seededRandom } from '../../src/dataset/random.ts';
import { type TwinFacts, TwinFlows } from '../../src/dataset/twin-flows.ts';
import { twinsAcross, twinsWithin } from '../../src/dataset/twins.ts';
import { sizeColumns } from '../helpers/dataset-rows.ts';

const TRAIN = 0;
const TEST = 2;
const AGAINST: ReadonlyMap<number, readonly number[]> = new Map([[TEST, [TRAIN]]]);
const size = fc.integer({ min: 1, max: 1448 });
const signed = fc.tuple(size, fc.boolean()).map(([n, up]) => (up ? n : -n));
const anySizes = fc.array(signed, { minLength: 1, maxLength: 30 });

const factsOf = (sizes: readonly number[], kind = 'tcp', label = 'web'): TwinFacts => ({
  kind,
  label,
  bytesUp: sizes.reduce((sum, s) => sum + Math.max(0, s), 0),
  bytesDown: sizes.reduce((sum, s) => sum + Math.max(0, -s), 0),
});

/** Whether the second flow, which judges, is a twin of the first, which trains. */
function isTwin(a: readonly number[], b: readonly number[], facts = factsOf): boolean {
  const flows = new TwinFlows();
  flows.add(Int32Array.from(a), facts(a));
  flows.add(Int32Array.from(b), facts(b));
  return twinsAcross(flows, Int32Array.of(TRAIN, TEST), AGAINST).found.length === 1;
}

test('a copy is always found', (t) => {
  fc.assert(fc.property(anySizes, (sizes) => isTwin(sizes, sizes)));
  t.pass();
});

test('twins with small jitter, and some with another packet here and there, are found among many', (t) => {
  const random = seededRandom(7);
  const draw = (most: number): number => Math.floor(random() * most);
  const drawn = (): number => (random() < 0.5 ? 1 : -1) * (20 + draw(1428));
  const originals = Array.from({ length: 2_000 }, () =>
    Array.from({ length: 30 }, drawn),
  );
  const copies = originals.map((sizes, i) =>
    sizes.map((s, at) => {
      // Two packets of thirty may be others: at most three may.
      if (i % 2 === 0 && (at === 4 || at === 19)) return Math.sign(s) * 700;
      return Math.sign(s) * Math.max(1, Math.abs(s) + draw(9) - 4);
    }),
  );
  const flows = new TwinFlows();
  for (const sizes of [...originals, ...copies])
    flows.add(Int32Array.from(sizes), factsOf(sizes));
  const parts = Int32Array.from({ length: 4_000 }, (_, i) => (i < 2_000 ? TRAIN : TEST));
  const { found } = twinsAcross(flows, parts, AGAINST);
  t.true(found.every(({ flow, twin }) => flow - 2_000 === twin));
  // Some copies lie more than a tenth off in their totals: two replaced packets of thirty can do that.
  const twins = copies.filter((_, i) => flows.areTwins(i, i + 2_000)).length;
  t.true(twins > 1_500, `${twins} are twins by definition`);
  t.true(found.length >= 0.99 * twins, `${found.length} of ${twins} found`);
});

test('whatever is found is a twin by definition', (t) => {
  const few = fc.array(
    fc.tuple(
      fc.constantFrom(TRAIN, TEST),
      fc.array(fc.constantFrom(100, -100, 110, -1400, 500), { maxLength: 6 }),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(few, (drawn) => {
      const flows = new TwinFlows();
      for (const [, sizes] of drawn) flows.add(Int32Array.from(sizes), factsOf(sizes));
      const parts = Int32Array.from(drawn, ([part]) => part);
      const { found } = twinsAcross(flows, parts, AGAINST);
      // Against the comparison of all pairs: so few flows of so short keys miss nothing.
      const expected = drawn.flatMap(([part], i) =>
        part === TEST &&
        drawn.some(([other], j) => other === TRAIN && flows.areTwins(i, j))
          ? [i]
          : [],
      );
      t.deepEqual(
        found.map(({ flow }) => flow),
        expected,
      );
      return found.every(
        ({ flow, twin }) => parts[twin] === TRAIN && flows.areTwins(flow, twin),
      );
    }),
  );
});

const SIZES = [517, -1400, -1400, -900, 80, 300, -1200, 90, -400, 60, 500, -1000];
const BULK = [517, ...new Array<number>(29).fill(-1400)];
const DIFFERS: readonly [
  title: string,
  a: number[],
  b: number[],
  facts?: typeof factsOf,
][] = [
  [
    'a size that is 40 bytes off in each packet',
    SIZES,
    SIZES.map((s) => s + 40 * Math.sign(s)),
  ],
  [
    'two of twelve packets the other way',
    SIZES,
    SIZES.map((s, i) => (i === 4 || i === 8 ? -s : s)),
  ],
  ['a conversation that ends earlier', SIZES, SIZES.slice(0, 9)],
  ['another order', SIZES, SIZES.toReversed()],
  ['a bulk transfer of another length', BULK, BULK, flipFlop()],
  ['no packets at all', [], []],
];

/** Totals that differ from one call to the next. */
function flipFlop(): typeof factsOf {
  let calls = 0;
  return (sizes) => ({ ...factsOf(sizes), bytesDown: 1e6 * (1 + calls++) });
}

for (const [title, a, b, facts] of DIFFERS) {
  test(`${title}: no twin`, (t) => {
    t.false(isTwin(a, b, facts));
  });
}

test('flows of different transports are no twins', (t) => {
  const kinds = ['tcp', 'udp'];
  t.false(isTwin(SIZES, SIZES, (sizes) => factsOf(sizes, kinds.pop())));
});

test('a twin in another part than asked for does not count', (t) => {
  const flows = new TwinFlows();
  for (let i = 0; i < 3; i++) flows.add(Int32Array.from(SIZES), factsOf(SIZES));
  const parts = Int32Array.of(TEST, TEST, -1);
  t.deepEqual(twinsAcross(flows, parts, AGAINST).found, []);
  const folds = new Map(
    [0, 1, 2].map((fold) => [fold, [0, 1, 2].filter((f) => f !== fold)]),
  );
  t.is(twinsAcross(flows, Int32Array.of(0, 1, 1), folds).found.length, 3);
});

test('a twin with the same label goes before one with another, equal flows included', (t) => {
  const flows = new TwinFlows();
  const add = (label: string): number =>
    flows.add(Int32Array.from(SIZES), factsOf(SIZES, 'tcp', label));
  const [web, mail] = [add('web'), add('mail')];
  const [judgeMail, judgeChat] = [add('mail'), add('chat')];
  const parts = Int32Array.of(TRAIN, TRAIN, TEST, TEST);
  const [first, second] = twinsAcross(flows, parts, AGAINST).found;
  t.deepEqual(first, { flow: judgeMail, twin: mail, agrees: true });
  t.is(second?.flow, judgeChat);
  t.false(second?.agrees);
  t.true([web, mail].includes(second?.twin ?? -1));
});

test('within a data set, of two copies each is the twin of the other', (t) => {
  const flows = new TwinFlows();
  for (const sizes of [
    SIZES,
    SIZES.toReversed(),
    SIZES,
    SIZES.map((s) => s + Math.sign(s)),
  ]) {
    flows.add(Int32Array.from(sizes), factsOf(sizes));
  }
  t.deepEqual(
    twinsWithin(flows).found.map(({ flow }) => flow),
    [0, 2, 3],
  );
});

test('more flows of one key than are compared: said, not silently missed', (t) => {
  const flows = new TwinFlows();
  // Of one key, since 127 bytes share a cell; no two of them twins.
  const base = [8, -8, 8, -8, 8, -8, 8, -8, 8, -8, 8, -8];
  const flowOf = (bits: number): number[] =>
    base.map((s, i) => s + Math.sign(s) * ((bits >> i) & 1) * 30);
  for (let i = 0; i < 1_000; i++) flows.add(Int32Array.from(flowOf(i)), factsOf(base));
  flows.add(Int32Array.from(flowOf(4_095)), factsOf(base));
  const parts = Int32Array.from({ length: 1_001 }, (_, i) => (i < 1_000 ? TRAIN : TEST));
  const { found, cutShort } = twinsAcross(flows, parts, AGAINST);
  t.deepEqual(found, []);
  t.is(cutShort, 1);
});

test('sizes are read with their direction: all by IP length, or those with payload by payload', (t) => {
  const row = sizeColumns([517, 0, -1400, 300]);
  t.deepEqual([...sizesOf(row, 3)], [557, 40, -1440]);
  t.deepEqual([...payloadSizesOf(row, 30)], [517, -1400, 300]);
  const ipOnly = { ...row, payloadLengths: null };
  t.deepEqual([...payloadSizesOf(ipOnly, 30)], [557, 40, -1440, 340]);
  const payloadOnly = { ...row, ipLengths: null };
  t.deepEqual([...sizesOf(payloadOnly, 30)], [517, 0, -1400, 300]);
});

test('a store gives back what it got, as far as 16 bits hold it', (t) => {
  const store = new SizeStore(3);
  const rows = Array.from({ length: 3_000 }, (_, i) =>
    [i, -i, 50_000, 4].slice(0, i % 5),
  );
  for (const row of rows) store.add(Int32Array.from(row));
  rows.forEach((row, i) => {
    t.deepEqual(
      [...store.sizes(i)],
      row.slice(0, 3).map((s) => Math.min(s, 32_767)),
    );
  });
});
