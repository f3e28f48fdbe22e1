// Rows -> groups that a split must not tear apart. A group is all rows of one value (of one client, say); groups that share a
// session are tied together, because flows of a session know too much of each other.

import type { ColumnName, DatasetRow } from './dataset-schema.ts';
import { Groups } from './sessions.ts';

/** What a split can go by. */
export const SPLIT_FIELDS = [
  'capture',
  'client',
  'time',
  'host',
  'session',
  'seed',
  'profile',
  'clientSoftware',
  'serverSoftware',
  'scenario',
] as const;
export type SplitField = (typeof SPLIT_FIELDS)[number];

/** What splits read of a row. */
export const SPLIT_COLUMNS = [
  'capture',
  'flow',
  'session',
  'client',
  'host',
  'service',
  'scenario',
  'seed',
  'clientSoftware',
  'serverSoftware',
  'profile',
  'startUs',
] as const satisfies readonly ColumnName[];
export type SplitRow = Pick<DatasetRow, (typeof SPLIT_COLUMNS)[number]>;

/** Of no use for training: nobody asked for it. */
export const INFRASTRUCTURE = 'infrastructure';

/** Whether training and splits take the row. */
export function isForTraining({ service }: Pick<SplitRow, 'service'>): boolean {
  return service !== null && service !== INFRASTRUCTURE;
}

/**
 * The group of a row; undefined: the row lacks the value, and no split by it takes the row. A split by time keeps
 * sessions whole, so its groups are sessions, which stand in the order of their first flow.
 */
export function groupOf(by: SplitField, row: SplitRow): string | undefined {
  if (by === 'time') return row.startUs === null ? undefined : row.session;
  const value = row[by];
  return value === null ? undefined : String(value);
}

/** Groups that sessions tie together: what is moved as one. */
export interface Cluster {
  /** Names of groups, in the order of their first rows. */
  readonly groups: string[];
  /** Indices of rows. */
  readonly rows: number[];
  /** The earliest start, epoch in us; Infinity where no row knows one. */
  startUs: number;
}

export interface Clustered {
  readonly clusters: readonly Cluster[];
  readonly groups: number;
  /** Groups that are not alone in their cluster. */
  readonly tied: number;
  /** Rows that lack the value. */
  readonly withoutValue: number;
}

/**
 * @param rows those for training only
 * @param tie whether sessions tie groups; else each group is a cluster of its own
 */
export function clustersOf(
  rows: readonly SplitRow[],
  by: SplitField,
  tie: boolean,
): Clustered {
  const numbers = new Map<string, number>();
  const groups = rows.map((row) => {
    const name = groupOf(by, row);
    if (name === undefined) return -1;
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  });
  const sets = tie
    ? tiedBySessions(rows, groups, numbers.size)
    : new Groups(numbers.size);
  const names = [...numbers.keys()];
  const clusters = new Map<number, Cluster>();
  for (const [group, name] of names.entries()) {
    const root = sets.rootOf(group);
    const cluster = clusters.get(root);
    if (cluster === undefined) {
      clusters.set(root, { groups: [name], rows: [], startUs: Number.POSITIVE_INFINITY });
    } else cluster.groups.push(name);
  }
  let withoutValue = 0;
  for (const [i, group] of groups.entries()) {
    const cluster = group === -1 ? undefined : clusters.get(sets.rootOf(group));
    if (cluster === undefined) {
      withoutValue++;
      continue;
    }
    cluster.rows.push(i);
    const startUs = rows[i]?.startUs ?? null;
    if (startUs !== null) cluster.startUs = Math.min(cluster.startUs, startUs);
  }
  const all = [...clusters.values()];
  const tied = all.reduce(
    (sum, cluster) => sum + (cluster.groups.length > 1 ? cluster.groups.length : 0),
    0,
  );
  return { clusters: all, groups: names.length, tied, withoutValue };
}

function tiedBySessions(
  rows: readonly SplitRow[],
  groups: readonly number[],
  count: number,
): Groups {
  const sets = new Groups(count);
  const holders = new Map<string, number>();
  for (const [i, { session }] of rows.entries()) {
    const group = groups[i] ?? -1;
    if (group === -1) continue;
    const holder = holders.get(session);
    if (holder === undefined) holders.set(session, group);
    else sets.join(holder, group);
  }
  return sets;
}

/**
 * Rows of sessions that stand in several parts, but for those in the session's part: the one with most of its rows, of
 * equals the last, which judges.
 *
 * @param partOfRow of each row its part, -1 for none
 */
export function tornRows(
  rows: readonly Pick<SplitRow, 'session'>[],
  partOfRow: Int32Array,
): number[] {
  const counts = new Map<string, Map<number, number>>();
  for (const [i, part] of partOfRow.entries()) {
    const session = rows[i]?.session;
    if (part === -1 || session === undefined) continue;
    const parts = counts.get(session) ?? new Map<number, number>();
    counts.set(session, parts);
    parts.set(part, (parts.get(part) ?? 0) + 1);
  }
  const stays = (session: string): number => {
    const [most] = [...(counts.get(session) ?? [])].sort(
      ([a, many], [b, more]) => more - many || b - a,
    );
    return most?.[0] ?? -1;
  };
  return [...partOfRow.keys()].filter((i) => {
    const session = rows[i]?.session;
    return (
      partOfRow[i] !== -1 && session !== undefined && stays(session) !== partOfRow[i]
    );
  });
}
