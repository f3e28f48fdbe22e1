// The honest base line: what the nearest neighbour by sizes alone gets. A model has to beat it, and a shortcut that beats it is worth
// a look. Every pair is compared, so rows are sampled where there are many; the figure says of how many it is.

import {
  type Asked,
  accuracyOf,
  balancedAccuracyOf,
  type Estimate,
} from './audit-score.ts';
import type { SizeStore } from './flow-sizes.ts';
import { seededRandom, shuffledIndices } from './random.ts';
import type { AuditTable, Trial } from './shortcut-audit.ts';

export const NEAREST_PACKETS = [10, 30] as const;

/** Pairs that are compared at most, over all trials: some seconds. */
const TRAIN_MAX = 10_000;
const TEST_MAX = 3_000;

export interface Nearest {
  readonly packets: number;
  readonly train: number;
  readonly test: number;
  readonly sampled: boolean;
  readonly accuracy: Estimate;
  readonly balancedAccuracy: Estimate;
}

/** @param sizes by row of the table: `sizesOf`, at least as wide as packets */
export function nearestNeighbour(
  table: AuditTable,
  sizes: SizeStore,
  trials: readonly Trial[],
  { packets, seed }: { readonly packets: number; readonly seed: number },
): Nearest {
  const random = seededRandom(seed);
  const sample = (rows: Int32Array, most: number): Int32Array =>
    rows.length <= most
      ? rows
      : shuffledIndices(rows.length, random)
          .subarray(0, most)
          .map((i) => rows[i] ?? 0);
  const least = Math.ceil(TEST_MAX / Math.max(1, trials.length));
  const drawn = trials.map(({ train, test }) => ({
    train: sample(train, TRAIN_MAX),
    test: sample(test, least),
  }));
  const rows = drawn.flatMap(({ test }) => [...test]);
  const asked: Asked = {
    actual: Int32Array.from(rows, (row) => table.services[row] ?? 0),
    groups: Int32Array.from(rows, (row) => table.groups[row] ?? 0),
    guessed: Int32Array.from(
      drawn.flatMap(({ train, test }) =>
        train.length === 0
          ? [...test].fill(-1)
          : [...test].map(
              (row) => table.services[nearestOf(row, train, sizes, packets)] ?? 0,
            ),
      ),
    ),
    classes: table.classes.length,
  };
  return {
    packets,
    train: Math.max(0, ...drawn.map(({ train }) => train.length)),
    test: rows.length,
    sampled: drawn.some(
      ({ train, test }, i) =>
        train.length !== trials[i]?.train.length ||
        test.length !== trials[i]?.test.length,
    ),
    accuracy: accuracyOf(asked, seededRandom(seed)),
    balancedAccuracy: balancedAccuracyOf(asked, seededRandom(seed)),
  };
}

/** By the sum of differences of signed sizes, place by place; what has ended is 0. */
function nearestOf(
  row: number,
  train: Int32Array,
  sizes: SizeStore,
  packets: number,
): number {
  const own = sizes.sizes(row).subarray(0, packets);
  let [best, least] = [train[0] ?? 0, Number.POSITIVE_INFINITY];
  for (const other of train) {
    const distance = distanceOf(own, sizes.sizes(other).subarray(0, packets), least);
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

/** Stops where the distance is no longer the least. */
function distanceOf(a: Int16Array, b: Int16Array, least: number): number {
  const places = Math.max(a.length, b.length);
  let distance = 0;
  for (let i = 0; i < places && distance < least; i++) {
    distance += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  }
  return distance;
}
