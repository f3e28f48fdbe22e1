// How far does one field get alone? Of each field that should say nothing a look-up table, and of each number a decision tree, are
// fitted on the rows that train and asked of the rows that judge. What does well above chance is a shortcut: a model may
// learn it instead of what flows do, and it will not hold elsewhere.

import { fitTable, fitTree, type Guess, type Learnt } from './audit-fit.ts';
import {
  type Asked,
  accuracyOf,
  balancedAccuracyOf,
  type Estimate,
} from './audit-score.ts';
import { seededRandom } from './random.ts';

/** Columns of all rows; what is not known is NaN. */
export interface AuditTable {
  /** Names of classes, by number. */
  readonly classes: readonly string[];
  /** By row: class. */
  readonly services: Int32Array;
  /** By row: what its interval goes by. */
  readonly groups: Int32Array;
  readonly fields: readonly AuditColumn[];
}

export interface AuditColumn {
  readonly name: string;
  readonly words: string;
  readonly isNumber: boolean;
  readonly values: Float64Array;
}

/** Which rows teach and which are asked; each row is asked at most once. */
export interface Trial {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

const VERDICTS = ['gives the class away', 'well above chance', 'as chance'] as const;
type Verdict = (typeof VERDICTS)[number];

interface Audited {
  readonly field: string;
  readonly words: string;
  readonly fitted: 'table' | 'tree';
  /** Different values among the rows that teach. */
  readonly values: number;
  /** Share of the rows asked whose value was taught. */
  readonly known: number;
  readonly accuracy: Estimate;
  readonly balancedAccuracy: Estimate;
  readonly verdict: Verdict;
}

export interface Audit {
  readonly asked: number;
  /** Accuracy of always guessing the class that is most common among those that teach. */
  readonly majority: number;
  /** Balanced accuracy of any guess that does not look: 1 / classes that are asked. */
  readonly chance: number;
  /** Best first. */
  readonly fields: readonly Audited[];
  /** Fields that no row knows. */
  readonly unknown: readonly string[];
}

/** Share of the way from chance to certainty. */
const AWAY = 0.5;
const ABOVE = 0.2;

export function auditShortcuts(
  table: AuditTable,
  trials: readonly Trial[],
  seed: number,
): Audit {
  const majority = new Float64Array(table.services.length).fill(Number.NaN);
  const blind = askTrials(table, majority, trials, fitTable);
  const random = seededRandom(seed);
  const present = new Set(blind.plain.actual);
  const chance = present.size === 0 ? 1 : 1 / present.size;
  const known = table.fields.filter(({ values }) => values.some((v) => !Number.isNaN(v)));
  const fields = known
    .flatMap((column) => [
      auditField(table, column, trials, { fitted: 'table', chance, seed }),
      ...(column.isNumber
        ? [auditField(table, column, trials, { fitted: 'tree', chance, seed })]
        : []),
    ])
    .sort((a, b) => b.balancedAccuracy.value - a.balancedAccuracy.value);
  return {
    asked: blind.plain.actual.length,
    majority: accuracyOf(blind.plain, random).value,
    chance,
    fields,
    unknown: table.fields.filter((field) => !known.includes(field)).map((f) => f.name),
  };
}

interface How {
  readonly fitted: 'table' | 'tree';
  readonly chance: number;
  readonly seed: number;
}

function auditField(
  table: AuditTable,
  { name, words, values }: AuditColumn,
  trials: readonly Trial[],
  { fitted, chance, seed }: How,
): Audited {
  const answers = askTrials(
    table,
    values,
    trials,
    fitted === 'tree' ? fitTree : fitTable,
  );
  // The same draws for every field: what differs between two fields is the fields.
  const accuracy = accuracyOf(answers.plain, seededRandom(seed));
  const balancedAccuracy = balancedAccuracyOf(answers.balanced, seededRandom(seed));
  return {
    field: name,
    words,
    fitted,
    values: answers.values,
    known: answers.known,
    accuracy,
    balancedAccuracy,
    verdict: verdictOf(balancedAccuracy, chance),
  };
}

/** Chance must lie below the interval, where there is one. */
function verdictOf({ value, interval }: Estimate, chance: number): Verdict {
  const way = chance >= 1 ? 0 : (value - chance) / (1 - chance);
  if (way < ABOVE || (interval !== undefined && interval[0] <= chance))
    return 'as chance';
  return way >= AWAY ? 'gives the class away' : 'well above chance';
}

interface Answers {
  /** Fitted to be right as often as can be. */
  readonly plain: Asked;
  /** Fitted with all classes alike. */
  readonly balanced: Asked;
  readonly values: number;
  readonly known: number;
}

function askTrials(
  table: AuditTable,
  values: Float64Array,
  trials: readonly Trial[],
  teach: (learnt: Learnt) => Guess,
): Answers {
  const all = trials.reduce((sum, { test }) => sum + test.length, 0);
  const actual = new Int32Array(all);
  const groups = new Int32Array(all);
  const [plain, balanced] = [new Int32Array(all), new Int32Array(all)];
  let [at, known, most] = [0, 0, 0];
  for (const { train, test } of trials) {
    const learnt = pick(table, values, train);
    const guess = teach({
      ...learnt,
      weights: learnt.weights.map((w) => (w === 0 ? 0 : 1)),
    });
    const fairGuess = teach(learnt);
    const taught = new Set(learnt.values);
    most = Math.max(most, taught.size);
    for (const row of test) {
      const value = values[row] ?? Number.NaN;
      actual[at] = table.services[row] ?? 0;
      groups[at] = table.groups[row] ?? 0;
      plain[at] = guess(value);
      balanced[at] = fairGuess(value);
      at++;
      if (taught.has(value)) known++;
    }
  }
  const asked = { actual, groups, classes: table.classes.length };
  return {
    plain: { ...asked, guessed: plain },
    balanced: { ...asked, guessed: balanced },
    values: most,
    known: all === 0 ? 0 : known / all,
  };
}

/** Rows that teach, each weighing 1 / rows of its class. */
function pick(table: AuditTable, values: Float64Array, rows: Int32Array): Learnt {
  const classes = Int32Array.from(rows, (row) => table.services[row] ?? 0);
  const weights = new Float64Array(table.classes.length);
  for (const c of classes) weights[c] = (weights[c] ?? 0) + 1;
  return {
    values: Float64Array.from(rows, (row) => values[row] ?? Number.NaN),
    classes,
    weights: weights.map((count) => (count === 0 ? 0 : 1 / count)),
  };
}
