import test from 'ava';
import fc from 'fast-check';
import { groupOf, isForTraining, SPLIT_FIELDS } from '../../src/dataset/split-groups.ts';
import {
  type PlanOptions,
  type PlanRow,
  planSplit,
} from '../../src/dataset/split-plan.ts';
import { InputError } from '../../src/errors.ts';
import { makeRow } from '../helpers/dataset-rows.ts';

const SHARES = [0.7, 0.15, 0.15] as const;
const SERVICES = ['web', 'mail', 'games', 'infrastructure', null] as const;
const word = (most: number) => fc.nat({ max: most }).map((n) => `g${n}`);
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 8 });

const anyRows: fc.Arbitrary<PlanRow[]> = fc
  .array(
    fc.record({
      capture: word(9),
      session: word(60),
      client: word(20),
      host: word(30),
      service: fc.constantFrom(...SERVICES),
      scenario: orNull(word(9)),
      seed: orNull(fc.nat({ max: 9 })),
      clientSoftware: orNull(word(5)),
      serverSoftware: orNull(word(5)),
      profile: orNull(word(5)),
      startUs: orNull(fc.nat({ max: 1_000 })),
    }),
    { maxLength: 120 },
  )
  .map((rows) => rows.map((facts, flow) => makeRow({ ...facts, flow })));

const anyWish: fc.Arbitrary<PlanOptions> = fc.record(
  {
    by: fc.constantFrom(...SPLIT_FIELDS),
    seed: fc.nat(),
    stratify: fc.constantFrom(['service'] as const, ['service', 'protocol'] as const),
    shares: fc.constantFrom(SHARES, [0.8, 0, 0.2] as const),
    folds: fc.integer({ min: 2, max: 6 }),
    cutSessions: fc.boolean(),
  },
  { requiredKeys: ['by', 'seed', 'stratify', 'shares'] },
);

/** undefined: these rows do not make that split, and the message says so. */
function planOf(rows: readonly PlanRow[], wish: PlanOptions) {
  try {
    return planSplit(rows, wish);
  } catch (error) {
    if (error instanceof InputError && /^(by|no)\b/.test(error.message)) return undefined;
    throw error;
  }
}

const isSet = (texts: readonly string[]): boolean => new Set(texts).size === texts.length;

test('no group and no session stands in two parts, whatever rows, field and seed', (t) => {
  let made = 0;
  fc.assert(
    fc.property(anyRows, anyWish, (rows, wish) => {
      const plan = planOf(rows, wish);
      if (plan === undefined) return true;
      made++;
      const places = new Map<string, number>();
      return rows.every((row, i) => {
        const group = groupOf(wish.by, row);
        const part = plan.partOfRow[i] ?? -1;
        if (plan.torn.includes(i)) return part === -1 && wish.cutSessions === true;
        const isIn = isForTraining(row) && group !== undefined;
        if (isIn !== part >= 0) return false;
        if (!isIn) return true;
        return [`g ${group}`, `s ${row.session}`].every((key) => {
          const place = places.get(key) ?? part;
          places.set(key, place);
          return place === part;
        });
      });
    }),
    { numRuns: 400 },
  );
  t.true(made > 100, `${made} splits were made`);
});

test('parts and folds partition the groups, none is empty, and what is left out is counted', (t) => {
  let made = 0;
  fc.assert(
    fc.property(anyRows, anyWish, (rows, wish) => {
      const plan = planOf(rows, wish);
      if (plan === undefined) return true;
      made++;
      const { parts, folds, rows: counts } = plan;
      const lists =
        folds ?? (parts === undefined ? [] : [parts.train, parts.validation, parts.test]);
      const empty = lists.filter((list) => list.length === 0).length;
      const assigned = plan.partOfRow.filter((part) => part >= 0).length;
      const left = counts.unlabelled + counts.infrastructure + counts.withoutValue;
      return (
        isSet(lists.flat()) &&
        lists.flat().length === plan.groups &&
        empty === (folds === undefined && wish.shares[1] === 0 ? 1 : 0) &&
        counts.all === rows.length &&
        assigned + left + plan.torn.length === rows.length &&
        lists.every((list, part) => list.length === 0 || plan.partOfRow.includes(part))
      );
    }),
    { numRuns: 400 },
  );
  t.true(made > 100, `${made} splits were made`);
});

test('the same seed gives the same split', (t) => {
  fc.assert(
    fc.property(anyRows, anyWish, (rows, wish) => {
      t.deepEqual(planOf(rows, wish), planOf(rows, wish));
    }),
  );
});

test('another seed gives another split of many groups', (t) => {
  const rows = Array.from({ length: 90 }, (_, i) =>
    makeRow({ flow: i, host: `h${i}`, session: `s${i}` }),
  );
  const wish = { by: 'host', stratify: ['service'], shares: SHARES } as const;
  const one = planSplit(rows, { ...wish, seed: 1 }).parts;
  t.notDeepEqual(one, planSplit(rows, { ...wish, seed: 2 }).parts);
});

test('parts get their share of every class, as far as whole groups allow', (t) => {
  // 200 hosts of 1 to 12 rows; a rare class of one row in ten.
  const rows = Array.from({ length: 200 }, (_, host) =>
    Array.from({ length: 1 + ((host * 7) % 12) }, (_, i) =>
      makeRow({
        host: `h${host}`,
        session: `s${host}`,
        flow: i,
        service: host % 10 === 0 ? 'games' : host % 2 === 0 ? 'web' : 'mail',
      }),
    ),
  ).flat();
  const plan = planSplit(rows, {
    by: 'host',
    seed: 3,
    stratify: ['service'],
    shares: SHARES,
  });
  for (const service of ['games', 'web', 'mail']) {
    const of = rows.flatMap((row, i) =>
      row.service === service ? [plan.partOfRow[i]] : [],
    );
    SHARES.forEach((share, part) => {
      const got = of.filter((p) => p === part).length / of.length;
      t.true(Math.abs(got - share) < 0.03, `${service}: ${got} instead of ${share}`);
    });
  }
});

test('by time, what trains starts before what judges', (t) => {
  const rows = Array.from({ length: 50 }, (_, i) =>
    makeRow({ flow: i, session: `s${i}`, startUs: (i * 37) % 50 }),
  );
  const plan = planSplit(rows, {
    by: 'time',
    seed: 1,
    stratify: ['service'],
    shares: SHARES,
  });
  const times = [0, 1, 2].map((part) =>
    rows.flatMap(({ startUs }, i) =>
      plan.partOfRow[i] === part ? [Number(startUs)] : [],
    ),
  );
  t.deepEqual(
    times.map((list) => Math.min(...list)),
    plan.fromUs,
  );
  t.true(Math.max(...(times[0] ?? [])) < Math.min(...(times[1] ?? [])));
  t.true(Math.max(...(times[1] ?? [])) < Math.min(...(times[2] ?? [])));
  t.is(times[0]?.length, 35);
});

test('groups that one session spans stay together', (t) => {
  const rows = [
    makeRow({ flow: 0, clientSoftware: 'go', session: 'a' }),
    makeRow({ flow: 1, clientSoftware: 'java', session: 'a' }),
    makeRow({ flow: 2, clientSoftware: 'curl', session: 'b' }),
    makeRow({ flow: 3, clientSoftware: 'wget', session: 'c' }),
  ];
  const plan = planSplit(rows, {
    by: 'clientSoftware',
    seed: 1,
    stratify: ['service'],
    shares: SHARES,
  });
  t.is(plan.partOfRow[0], plan.partOfRow[1]);
  t.is(plan.tied, 2);
  t.is(plan.clusters, 3);
});

test('a session that is cut stays where most of its flows are, the others are in no part', (t) => {
  const rows = [
    makeRow({ flow: 0, clientSoftware: 'go', session: 'a' }),
    makeRow({ flow: 1, clientSoftware: 'go', session: 'a' }),
    makeRow({ flow: 2, clientSoftware: 'java', session: 'a' }),
    makeRow({ flow: 3, clientSoftware: 'java', session: 'b' }),
    makeRow({ flow: 4, clientSoftware: 'curl', session: 'c' }),
  ];
  const plan = planSplit(rows, {
    by: 'clientSoftware',
    seed: 1,
    stratify: ['service'],
    shares: SHARES,
    cutSessions: true,
  });
  t.deepEqual(plan.torn, [2]);
  t.is(plan.partOfRow[2], -1);
  t.is(plan.partOfRow[0], plan.partOfRow[1]);
  t.is(plan.clusters, 3);
  t.is(plan.tied, 0);
});

test('named groups judge, all others do not', (t) => {
  const rows = ['go', 'java', 'curl', 'wget'].map((clientSoftware, flow) =>
    makeRow({ flow, clientSoftware, session: clientSoftware }),
  );
  const { parts } = planSplit(rows, {
    by: 'clientSoftware',
    seed: 1,
    stratify: ['service'],
    shares: SHARES,
    test: ['java', 'go'],
  });
  t.deepEqual(parts?.test, ['go', 'java']);
  t.is(parts?.train.length, 1);
  t.is(parts?.validation.length, 1);
});

const one = [makeRow({ capture: 'a' })];
const WRONG: readonly [
  title: string,
  rows: PlanRow[],
  wish: Partial<PlanOptions>,
  RegExp,
][] = [
  ['no rows', [], {}, /^no row of the data set has a label/],
  ['no labels', [makeRow({ service: null })], {}, /^no row of the data set has a label/],
  [
    'a field that no row knows',
    one,
    { by: 'seed' },
    /^no labelled row has a value of seed/,
  ],
  [
    'fewer groups than parts',
    one,
    {},
    /^by capture the labelled rows make 1 groups, expected at least 3/,
  ],
  ['fewer groups than folds', one, { folds: 4 }, /expected at least 4/],
  [
    'a group to judge that is not there',
    one,
    { test: ['b'] },
    /^no labelled row has the capture b; there are a$/,
  ],
  [
    'nothing left to train',
    one,
    { test: ['a'] },
    /^beside the capture that are to judge/,
  ],
];
for (const [title, rows, wish, message] of WRONG) {
  test(`${title}: the fault says what was expected`, (t) => {
    const options = {
      by: 'capture',
      seed: 1,
      stratify: ['service'],
      shares: SHARES,
    } as const;
    const error = t.throws(() => planSplit(rows, { ...options, ...wish }), {
      instanceOf: InputError,
    });
    t.regex(error?.message ?? '', message);
  });
}
