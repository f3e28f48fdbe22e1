// Which question a node of C4.5 asks: of every column the threshold with the most gain, of these columns the one with the best
// gain ratio (Quinlan 1993, sections 2.2 to 2.4, 3.2; the correction for many thresholds: Quinlan, JAIR 4, 1996).
// Axes: R rows of the node, D columns, K classes.

import type { Table } from './table.ts';

/** A row goes left where its value is at most the threshold, and both ways, in shares, where it has none. */
export interface C45Split {
  readonly column: number;
  readonly threshold: number;
  /** Share of the known weight that goes left: what a row without a value is worth there. */
  readonly leftShare: number;
}

/** The rows of a node. */
export interface NodeRows {
  /** Per column: the node's rows that have a value, in its order. */
  readonly sorted: readonly Int32Array[];
  /** Rows of the node in any order. */
  readonly all: Int32Array;
  /** [all rows of the table]; of the node's own the weight that has come here. */
  readonly weights: Float64Array;
  /** Sum of the node's weights. */
  readonly weight: number;
}

interface Candidate {
  readonly split: C45Split;
  readonly gain: number;
  readonly ratio: number;
}

const LN2 = Math.LN2;
/** What floats add up differently is no gain. */
const EPSILON = 1e-6;
/** Bounds of C4.5's least branch, which is a tenth of the mean class otherwise. */
const LARGEST_LEAST_BRANCH = 25;

/** x·log2(x), 0 at 0 and below (what is left of a difference). */
function xLog(x: number): number {
  return x > 0 ? (x * Math.log(x)) / LN2 : 0;
}

/** Finds splits; its scratch memory is used again for each node. */
export class C45Splitter {
  readonly #table: Table;
  readonly #minimumLeaf: number;
  readonly #left: Float64Array;
  readonly #right: Float64Array;

  constructor(table: Table, minimumLeaf: number) {
    this.#table = table;
    this.#minimumLeaf = minimumLeaf;
    this.#left = new Float64Array(table.classes);
    this.#right = new Float64Array(table.classes);
  }

  /** undefined: no column tells anything. */
  best(node: NodeRows): C45Split | undefined {
    const candidates: Candidate[] = [];
    for (let column = 0; column < this.#table.columns; column++) {
      const candidate = this.#bestOfColumn(node, column);
      if (candidate !== undefined) candidates.push(candidate);
    }
    // A ratio is large, too, where hardly anything is asked: so only of columns that gain at least what is usual.
    const usual = candidates.reduce((sum, { gain }) => sum + gain, 0) / candidates.length;
    let best: Candidate | undefined;
    for (const candidate of candidates) {
      if (candidate.gain < usual - EPSILON) continue;
      if (best === undefined || candidate.ratio > best.ratio + EPSILON) best = candidate;
    }
    return best?.split;
  }

  #bestOfColumn(node: NodeRows, column: number): Candidate | undefined {
    const order = node.sorted[column] ?? new Int32Array(0);
    const known = this.#countRight(order, node.weights);
    const least = this.#leastBranch(known);
    if (known < 2 * least) return undefined;
    const found = this.#scan(order, node.weights, { column, known, least });
    if (found === undefined) return undefined;
    const gain =
      (known / node.weight) * (found.entropy - found.after) -
      Math.log2(Math.max(found.thresholds, 1)) / node.weight;
    if (gain <= EPSILON) return undefined;
    const shares = [found.leftWeight, known - found.leftWeight, node.weight - known];
    // A split is a question with the answers left, right and unknown.
    const information = -shares.reduce((sum, w) => sum + xLog(w / node.weight), 0);
    const leftShare = found.leftWeight / known;
    return {
      split: { column, threshold: found.threshold, leftShare },
      gain,
      ratio: gain / information,
    };
  }

  /** Puts all rows on the right. Returns their weight. */
  #countRight(order: Int32Array, weights: Float64Array): number {
    this.#left.fill(0);
    this.#right.fill(0);
    let known = 0;
    for (const row of order) {
      const weight = weights[row] ?? 0;
      const k = this.#table.labels[row] ?? 0;
      this.#right[k] = (this.#right[k] ?? 0) + weight;
      known += weight;
    }
    return known;
  }

  #leastBranch(known: number): number {
    const share = (0.1 * known) / this.#table.classes;
    return Math.max(this.#minimumLeaf, Math.min(share, LARGEST_LEAST_BRANCH));
  }

  /** One pass over a column in its order, rows moving from right to left; entropies in bits a row. */
  #scan(
    order: Int32Array,
    weights: Float64Array,
    { column, known, least }: { column: number; known: number; least: number },
  ) {
    const { labels, rows, values } = this.#table;
    const [left, right] = [this.#left, this.#right];
    let [leftSum, rightSum, leftWeight, thresholds] = [0, 0, 0, 0];
    for (const weight of right) rightSum += xLog(weight);
    const entropy = (xLog(known) - rightSum) / known;
    let best: { after: number; at: number; leftWeight: number } | undefined;
    for (let i = 0; i + 1 < order.length; i++) {
      const row = order[i] ?? 0;
      const k = labels[row] ?? 0;
      const weight = weights[row] ?? 0;
      const [l, r] = [left[k] ?? 0, right[k] ?? 0];
      leftSum += xLog(l + weight) - xLog(l);
      rightSum += xLog(r - weight) - xLog(r);
      left[k] = l + weight;
      right[k] = r - weight;
      leftWeight += weight;
      const at = column * rows;
      if (values[at + row] === values[at + (order[i + 1] ?? 0)]) continue;
      const rightWeight = known - leftWeight;
      if (leftWeight < least - EPSILON || rightWeight < least - EPSILON) continue;
      thresholds++;
      const after = (xLog(leftWeight) - leftSum + xLog(rightWeight) - rightSum) / known;
      if (best === undefined || after < best.after - EPSILON) {
        best = { after, at: i, leftWeight };
      }
    }
    if (best === undefined) return undefined;
    // A value that occurs, not the middle of two: C4.5's way.
    const threshold = values[column * rows + (order[best.at] ?? 0)] ?? 0;
    return { entropy, thresholds, threshold, ...best };
  }
}
