// Clusters of rows -> parts, so that each part has its share of every class, as well as whole clusters allow. To fill parts exactly is
// a knapsack problem; here large clusters go first, each to where it is missed most, and then single moves and swaps follow as
// long as they help. The same seed gives the same parts.

import { type Random, shuffledIndices } from './random.ts';

/** What of a cluster counts: [stratum, rows] pairs, each stratum once. Strata are classes, or classes by protocol. */
export type Weights = readonly (readonly [stratum: number, rows: number])[];

const PASSES_MAX = 20;
/** Partners of a swap that are tried for a cluster in a pass. */
const PARTNERS = 8;
/** What is less is rounding, not progress. */
const LEAST_GAIN = 1e-12;

/**
 * Part of each cluster. No part is left empty where there are clusters enough.
 *
 * @param shares of the rows that each part is to have; they add up to 1
 */
export function balance(
  clusters: readonly Weights[],
  shares: readonly number[],
  random: Random,
): Int32Array {
  const fill = new Fill(clusters, shares);
  const order = largestFirst(clusters, random);
  for (const cluster of order) fill.put(cluster, fill.bestPart(cluster));
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    if (!improve(fill, clusters.length, random)) break;
  }
  fillEmpty(fill, order, shares.length);
  return fill.parts;
}

function largestFirst(clusters: readonly Weights[], random: Random): number[] {
  const sizes = clusters.map((weights) =>
    weights.reduce((sum, [, rows]) => sum + rows, 0),
  );
  // Shuffled first: the sort is stable, so equals stand in an order that the seed decides.
  return [...shuffledIndices(clusters.length, random)].sort(
    (a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0),
  );
}

/** One pass over all clusters; whether anything got better. */
function improve(fill: Fill, clusters: number, random: Random): boolean {
  let better = false;
  for (const cluster of shuffledIndices(clusters, random)) {
    const from = fill.partOf(cluster);
    fill.take(cluster);
    const to = fill.bestPart(cluster);
    const gain = fill.cost(cluster, from) - fill.cost(cluster, to);
    fill.put(cluster, gain > LEAST_GAIN ? to : from);
    if (gain > LEAST_GAIN) better = true;
    for (let i = 0; i < PARTNERS; i++) {
      if (fill.swapIfBetter(cluster, Math.floor(random() * clusters))) better = true;
    }
  }
  return better;
}

/** A part that nobody needs for balance still has to be there: it gets the smallest cluster of the part with most of them. */
function fillEmpty(fill: Fill, order: readonly number[], parts: number): void {
  const held = new Array<number>(parts).fill(0);
  for (const part of fill.parts) held[part] = (held[part] ?? 0) + 1;
  for (const part of held.keys()) {
    if (held[part] !== 0) continue;
    const richest = held.indexOf(Math.max(...held));
    const smallest = order.findLast((cluster) => fill.partOf(cluster) === richest);
    if ((held[richest] ?? 0) < 2 || smallest === undefined) return;
    fill.take(smallest);
    fill.put(smallest, part);
    held[richest] = (held[richest] ?? 0) - 1;
    held[part] = 1;
  }
}

/**
 * How full parts are. What is kept small: over parts and strata, the squared difference between the share of the stratum's
 * rows that the part has and the share that it should have, over the latter (as chi-squared does, so that small parts count).
 * All rows together are a stratum too.
 */
class Fill {
  readonly parts: Int32Array;
  readonly #clusters: readonly Weights[];
  readonly #shares: readonly number[];
  readonly #totals: Float64Array;
  /** [parts, strata] */
  readonly #filled: Float64Array;
  readonly #strata: number;

  constructor(clusters: readonly Weights[], shares: readonly number[]) {
    const strata = 1 + clusters.flat().reduce((most, [s]) => Math.max(most, s), -1);
    this.#strata = strata + 1;
    this.#totals = new Float64Array(this.#strata);
    this.#clusters = clusters.map((weights) => [
      ...weights,
      [strata, weights.reduce((sum, [, rows]) => sum + rows, 0)] as const,
    ]);
    for (const weights of this.#clusters) {
      for (const [s, rows] of weights) this.#totals[s] = (this.#totals[s] ?? 0) + rows;
    }
    this.#shares = shares;
    this.#filled = new Float64Array(shares.length * this.#strata);
    this.parts = new Int32Array(clusters.length).fill(-1);
  }

  partOf(cluster: number): number {
    return this.parts[cluster] ?? -1;
  }

  /** What putting the cluster there adds to the sum that is kept small. */
  cost(cluster: number, part: number): number {
    const share = this.#shares[part] ?? 0;
    let sum = 0;
    for (const [s, rows] of this.#clusters[cluster] ?? []) {
      const total = this.#totals[s] || 1;
      const off = (this.#filled[part * this.#strata + s] ?? 0) / total - share;
      const more = rows / total;
      sum += more * (2 * off + more);
    }
    return sum / share;
  }

  bestPart(cluster: number): number {
    let [best, least] = [0, Number.POSITIVE_INFINITY];
    for (const part of this.#shares.keys()) {
      const cost = this.cost(cluster, part);
      if (cost < least) [best, least] = [part, cost];
    }
    return best;
  }

  put(cluster: number, part: number): void {
    this.parts[cluster] = part;
    this.#add(cluster, part, 1);
  }

  take(cluster: number): void {
    this.#add(cluster, this.partOf(cluster), -1);
    this.parts[cluster] = -1;
  }

  swapIfBetter(one: number, other: number): boolean {
    const [a, b] = [this.partOf(one), this.partOf(other)];
    if (a === b) return false;
    this.take(one);
    this.take(other);
    const stay = this.cost(one, a) + this.cost(other, b);
    const swapped = this.cost(one, b) + this.cost(other, a);
    const better = stay - swapped > LEAST_GAIN;
    this.put(one, better ? b : a);
    this.put(other, better ? a : b);
    return better;
  }

  #add(cluster: number, part: number, sign: 1 | -1): void {
    for (const [s, rows] of this.#clusters[cluster] ?? []) {
      const at = part * this.#strata + s;
      this.#filled[at] = (this.#filled[at] ?? 0) + sign * rows;
    }
  }
}
