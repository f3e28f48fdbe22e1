// Rows and wishes -> which group goes where. Pure: the same rows, wishes and seed give the same split.

import { InputError } from '../errors.ts';
import type { ColumnName, DatasetRow } from './dataset-schema.ts';
import { seededRandom } from './random.ts';
import { balance, type Weights } from './split-balance.ts';
import { PARTS, type Part } from './split-file.ts';
import {
  type Cluster,
  clustersOf,
  INFRASTRUCTURE,
  isForTraining,
  SPLIT_COLUMNS,
  type SplitField,
  tornRows,
} from './split-groups.ts';

/** What parts can be balanced by. */
export const STRATIFY_FIELDS = [
  'service',
  'application',
  'source',
  'protocol',
  'profile',
  'clientSoftware',
  'serverSoftware',
] as const;
export type StratifyField = (typeof STRATIFY_FIELDS)[number];

/** What plans read of a row. */
export const PLAN_COLUMNS = [
  ...SPLIT_COLUMNS,
  'source',
  'application',
  'protocol',
] as const satisfies readonly ColumnName[];
export type PlanRow = Pick<DatasetRow, (typeof PLAN_COLUMNS)[number]>;

export interface PlanOptions {
  readonly by: SplitField;
  readonly seed: number;
  /** Every part gets its share of each value of these. */
  readonly stratify: readonly StratifyField[];
  /** Of train, validation, test; they add up to 1, and only the second may be 0. */
  readonly shares: readonly [train: number, validation: number, test: number];
  /** Instead of parts. */
  readonly folds?: number;
  /** Groups that are to judge, and no others. */
  readonly test?: readonly string[];
  /** Sessions do not tie groups: of one that is torn, only the part with most of its flows keeps them. */
  readonly cutSessions?: boolean;
}

export interface Plan {
  readonly parts?: Readonly<Record<Part, string[]>>;
  readonly folds?: string[][];
  /** By time: the earliest start of each part. */
  readonly fromUs?: (number | null)[];
  /** Of each row: its part or fold, -1 for none. */
  readonly partOfRow: Int32Array;
  readonly groups: number;
  /** Groups that had to stay with others because a session spans them. */
  readonly tied: number;
  /** Rows that are in no part because most of their session is in another one. */
  readonly torn: readonly number[];
  /** What is left to be divided: groups that are alone, and those that stay together. */
  readonly clusters: number;
  readonly rows: {
    readonly all: number;
    readonly unlabelled: number;
    readonly infrastructure: number;
    readonly withoutValue: number;
  };
}

/** @throws InputError ERR_SPLIT when the groups do not make that split */
export function planSplit(rows: readonly PlanRow[], options: PlanOptions): Plan {
  const taken = [...rows.keys()].filter((i) => rows[i] && isForTraining(rows[i]));
  const used = taken.flatMap((i) => rows[i] ?? []);
  const { clusters, groups, tied, withoutValue } = clustersOf(
    used,
    options.by,
    options.cutSessions !== true,
  );
  const count = options.folds ?? PARTS.length;
  if (groups === 0) {
    throw fault(
      used.length === 0
        ? 'no row of the data set has a label: nothing to split'
        : `no labelled row has a value of ${options.by}: split by another field`,
    );
  }
  const assigned = assign(clusters, used, options);
  const names = Array.from({ length: count }, (): string[] => []);
  const fromUs = new Array<number>(count).fill(Number.POSITIVE_INFINITY);
  const partOfRow = new Int32Array(rows.length).fill(-1);
  for (const [i, cluster] of clusters.entries()) {
    const part = assigned[i] ?? 0;
    for (const name of cluster.groups) names[part]?.push(name);
    fromUs[part] = Math.min(fromUs[part] ?? 0, cluster.startUs);
    for (const row of cluster.rows) partOfRow[taken[row] ?? 0] = part;
  }
  const torn = tornRows(rows, partOfRow);
  for (const row of torn) partOfRow[row] = -1;
  const bare = names.findIndex(
    (list, part) => list.length > 0 && !partOfRow.includes(part),
  );
  if (bare >= 0) {
    throw fault(
      `by ${options.by} no flow is left in part ${bare + 1} of ${count}, as the sessions there have more flows in others: split by another field, or into fewer parts`,
    );
  }
  for (const list of names) list.sort();
  const [train = [], validation = [], test = []] = names;
  return {
    ...(options.folds === undefined
      ? { parts: { train, validation, test } }
      : { folds: names }),
    ...(options.by === 'time' && {
      fromUs: fromUs.map((us) => (Number.isFinite(us) ? us : null)),
    }),
    partOfRow,
    groups,
    tied,
    torn,
    clusters: clusters.length,
    rows: { ...leftOut(rows), withoutValue },
  };
}

function leftOut(
  rows: readonly PlanRow[],
): Pick<Plan['rows'], 'all' | 'unlabelled' | 'infrastructure'> {
  return {
    all: rows.length,
    unlabelled: rows.filter(({ service }) => service === null).length,
    infrastructure: rows.filter(({ service }) => service === INFRASTRUCTURE).length,
  };
}

function fault(words: string): InputError {
  return new InputError('ERR_SPLIT', words);
}

/** Part or fold of each cluster. */
function assign(
  clusters: readonly Cluster[],
  rows: readonly PlanRow[],
  options: PlanOptions,
): Int32Array {
  const { by, folds, test, shares } = options;
  if (test !== undefined) return heldOut(clusters, rows, { ...options, test });
  const wanted = folds === undefined ? shares : new Array<number>(folds).fill(1 / folds);
  // A share of nothing is a part that stays empty.
  const parts = [...wanted.keys()].filter((part) => (wanted[part] ?? 0) > 0);
  checkEnough(clusters, parts.length, by);
  const some = parts.map((part) => wanted[part] ?? 0);
  const chosen =
    by === 'time'
      ? inOrderOfTime(clusters, some)
      : balance(
          weightsOf(clusters, rows, options.stratify),
          some,
          seededRandom(options.seed),
        );
  return chosen.map((part) => parts[part] ?? 0);
}

function checkEnough(clusters: readonly Cluster[], parts: number, by: string): void {
  if (clusters.length >= parts) return;
  const groups = clusters.reduce((sum, { groups }) => sum + groups.length, 0);
  const tied =
    groups > clusters.length
      ? ' (sessions that span several tie them, --cut-sessions unties)'
      : '';
  throw fault(
    `by ${by} the labelled rows make ${clusters.length} groups${tied}, expected at least ${parts}: split by another field, or into fewer parts`,
  );
}

function heldOut(
  clusters: readonly Cluster[],
  rows: readonly PlanRow[],
  { by, test, shares, stratify, seed }: PlanOptions & { test: readonly string[] },
): Int32Array {
  const there = new Set(clusters.flatMap(({ groups }) => groups));
  const missing = test.filter((value) => !there.has(value));
  if (missing.length > 0) {
    const some = [...there].sort();
    const more =
      some.length > VALUES_LISTED ? `, and ${some.length - VALUES_LISTED} more` : '';
    throw fault(
      `no labelled row has the ${by} ${missing.join(', ')}; there are ${some.slice(0, VALUES_LISTED).join(', ')}${more}`,
    );
  }
  const wanted = new Set(test);
  const judges = clusters.map(({ groups }) => groups.some((name) => wanted.has(name)));
  const rest = clusters.filter((_, i) => !judges[i]);
  const [train, validation] = shares;
  const parts =
    validation === 0 ? [1] : [train, validation].map((s) => s / (train + validation));
  if (rest.length < parts.length) {
    throw fault(
      `beside the ${by} that are to judge there are ${rest.length} groups, expected at least ${parts.length}: name fewer of them`,
    );
  }
  const chosen = balance(weightsOf(rest, rows, stratify), parts, seededRandom(seed));
  let next = 0;
  return Int32Array.from(judges, (isJudge) =>
    isJudge ? PARTS.indexOf('test') : (chosen[next++] ?? 0),
  );
}

const VALUES_LISTED = 20;

/** The earliest part trains. */
function inOrderOfTime(
  clusters: readonly Cluster[],
  shares: readonly number[],
): Int32Array {
  const order = [...clusters.keys()].sort(
    (a, b) => (clusters[a]?.startUs ?? 0) - (clusters[b]?.startUs ?? 0) || a - b,
  );
  const total = clusters.reduce((sum, { rows }) => sum + rows.length, 0);
  const parts = new Int32Array(clusters.length);
  let [part, filled, until] = [0, 0, shares[0] ?? 0];
  for (const [at, cluster] of order.entries()) {
    const rows = clusters[cluster]?.rows.length ?? 0;
    // Each part gets one at least, and leaves one to each that comes.
    const mustMove = order.length - at === shares.length - 1 - part;
    const isFull =
      filled + rows / 2 > until * total && at > 0 && parts[order[at - 1] ?? 0] === part;
    if (part < shares.length - 1 && (isFull || mustMove) && at > 0) {
      part++;
      until += shares[part] ?? 0;
    }
    parts[cluster] = part;
    filled += rows;
  }
  return parts;
}

function weightsOf(
  clusters: readonly Cluster[],
  rows: readonly PlanRow[],
  stratify: readonly StratifyField[],
): Weights[] {
  const strata = new Map<string, number>();
  return clusters.map((cluster) => {
    const counts = new Map<number, number>();
    for (const i of cluster.rows) {
      for (const field of stratify) {
        const name = `${field} ${rows[i]?.[field] ?? ''}`;
        const stratum = strata.get(name) ?? strata.size;
        strata.set(name, stratum);
        counts.set(stratum, (counts.get(stratum) ?? 0) + 1);
      }
    }
    return [...counts];
  });
}
