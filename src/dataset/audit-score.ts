// Guesses -> accuracy and balanced accuracy, each with an interval. Flows of one group are no independent witnesses (a client
// does the same thing all day), so the interval is had by drawing whole groups again and again (cluster bootstrap).

import type { Random } from './random.ts';

export interface Estimate {
  readonly value: number;
  /** 95%; absent where there are too few groups to tell. */
  readonly interval?: readonly [low: number, high: number];
}

const DRAWS = 400;
/** Of fewer groups, draws say nothing of the spread. */
const LEAST_GROUPS = 5;
const BLOCKS_MAX = 200;

/** What came of asking, row by row. */
export interface Asked {
  readonly actual: Int32Array;
  readonly guessed: Int32Array;
  readonly groups: Int32Array;
  readonly classes: number;
}

/** Share of rows that were guessed right. */
export function accuracyOf(asked: Asked, random: Random): Estimate {
  return estimate(asked, random, (right, rows) => {
    const all = sum(rows);
    return all === 0 ? 0 : sum(right) / all;
  });
}

/** Mean over classes of the share of its rows that were guessed right; classes without rows do not count. */
export function balancedAccuracyOf(asked: Asked, random: Random): Estimate {
  return estimate(asked, random, (right, rows) => {
    let [total, present] = [0, 0];
    for (const [c, count] of rows.entries()) {
      if (count === 0) continue;
      total += (right[c] ?? 0) / count;
      present++;
    }
    return present === 0 ? 0 : total / present;
  });
}

type Figure = (right: Float64Array, rows: Float64Array) => number;

function estimate(asked: Asked, random: Random, figure: Figure): Estimate {
  const tallies = talliesOf(asked);
  const { classes } = asked;
  const [right, rows] = [new Float64Array(classes), new Float64Array(classes)];
  const add = (tally: Float64Array): void => {
    for (let c = 0; c < classes; c++) {
      right[c] = (right[c] ?? 0) + (tally[c] ?? 0);
      rows[c] = (rows[c] ?? 0) + (tally[classes + c] ?? 0);
    }
  };
  tallies.forEach(add);
  const value = figure(right, rows);
  if (tallies.length < LEAST_GROUPS) return { value };
  const drawn = Float64Array.from({ length: DRAWS }, () => {
    right.fill(0);
    rows.fill(0);
    for (let i = 0; i < tallies.length; i++) {
      const tally = tallies[Math.floor(random() * tallies.length)];
      if (tally !== undefined) add(tally);
    }
    return figure(right, rows);
  }).sort();
  const at = (share: number): number => drawn[Math.round(share * (DRAWS - 1))] ?? value;
  return { value, interval: [at(0.025), at(0.975)] };
}

/** A group's rows guessed right by class, then its rows by class; more groups than can be drawn are dealt out to blocks. */
function talliesOf({ actual, guessed, groups, classes }: Asked): Float64Array[] {
  const tallies = new Map<number, Float64Array>();
  for (const [i, c] of actual.entries()) {
    const group = (groups[i] ?? 0) % BLOCKS_MAX;
    const tally = tallies.get(group) ?? new Float64Array(2 * classes);
    tallies.set(group, tally);
    if (guessed[i] === c) tally[c] = (tally[c] ?? 0) + 1;
    tally[classes + c] = (tally[classes + c] ?? 0) + 1;
  }
  return [...tallies.values()];
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
