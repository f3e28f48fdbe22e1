// Extremely randomised trees (Geurts, Ernst, Wehenkel 2006): each node draws some columns, a threshold at random for each, and
// takes the best of them. The strongest simple baseline on packet sizes that we know. Seeded: tree n of a seed is always the same.
// Axes: R rows, D columns, K classes, B rows asked.

import { type Random, seededRandom } from '../random.ts';
import type { Table } from './table.ts';

export interface ExtraTreesOptions {
  readonly seed: number;
  readonly trees?: number;
  /** Columns that a node draws; the square root of all by default. */
  readonly drawnColumns?: number;
  /** Rows below which a node is a leaf. */
  readonly leastRows?: number;
  /** Told after each tree. */
  readonly onTree?: (grown: number) => void;
}

const TREES = 300;
const LEAST_ROWS = 2;

/**
 * Grows the trees on `table` and lets each vote on the rows of `asked`, after which it is forgotten: a forest of 60,000 flows
 * would not fit into memory.
 *
 * @param asked [B, D] row-major; NaN goes left, as the least of all values would
 * @returns mean share of the classes in the leaves, [B, K]
 */
export function extraTrees(
  table: Table,
  asked: ArrayLike<number>,
  options: ExtraTreesOptions,
): Float32Array {
  const trees = options.trees ?? TREES;
  const drawn = options.drawnColumns ?? Math.max(1, Math.round(Math.sqrt(table.columns)));
  const grower = new TreeGrower(table, drawn, options.leastRows ?? LEAST_ROWS);
  const votes = new Float32Array((asked.length / table.columns) * table.classes);
  for (let tree = 0; tree < trees; tree++) {
    // Far apart: neighbouring seeds share no tree.
    grower.grow(seededRandom(options.seed * 1_000_003 + tree));
    grower.vote(asked, votes, 1 / trees);
    options.onTree?.(tree + 1);
  }
  return votes;
}

/** Nodes of one tree in flat arrays, and the rows in the order of its leaves. */
class TreeGrower {
  readonly #table: Table;
  readonly #drawn: number;
  readonly #leastRows: number;
  readonly #order: Int32Array;
  readonly #spare: Int32Array;
  readonly #left: Float64Array;
  readonly #all: Float64Array;
  readonly #columns: Int32Array;
  /** A leaf's column is -1; its rows are order[from..to). */
  #column: Int32Array;
  #threshold: Float32Array;
  /** Of an inner node: number of the left child, the right one follows; of a leaf: its first row. */
  #child: Int32Array;
  #to: Int32Array;
  #random: Random = () => 0;
  #nodes = 0;

  constructor(table: Table, drawn: number, leastRows: number) {
    const most = 2 * table.rows + 1;
    this.#table = table;
    this.#drawn = drawn;
    this.#leastRows = leastRows;
    this.#order = new Int32Array(table.rows);
    this.#spare = new Int32Array(table.rows);
    this.#left = new Float64Array(table.classes);
    this.#all = new Float64Array(table.classes);
    this.#columns = Int32Array.from({ length: table.columns }, (_, d) => d);
    this.#column = new Int32Array(most);
    this.#threshold = new Float32Array(most);
    this.#child = new Int32Array(most);
    this.#to = new Int32Array(most);
  }

  grow(random: Random): void {
    this.#random = random;
    for (let r = 0; r < this.#order.length; r++) this.#order[r] = r;
    for (let d = 0; d < this.#columns.length; d++) this.#columns[d] = d;
    this.#nodes = 1;
    // A list of its own instead of recursion: degenerate trees are deep.
    const waiting: [node: number, from: number, to: number][] = [
      [0, 0, this.#table.rows],
    ];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [node, from, to] = next;
      const middle = this.#split(node, from, to);
      if (middle === undefined) continue;
      const child = this.#child[node] ?? 0;
      waiting.push([child, from, middle], [child + 1, middle, to]);
    }
  }

  /** Makes the node a leaf (undefined), or takes its rows apart and returns where the right ones begin. */
  #split(node: number, from: number, to: number): number | undefined {
    const best = this.#isLeaf(from, to) ? undefined : this.#draw(from, to);
    if (best === undefined) {
      this.#column[node] = -1;
      this.#child[node] = from;
      this.#to[node] = to;
      return undefined;
    }
    this.#column[node] = best.column;
    this.#threshold[node] = best.threshold;
    this.#child[node] = this.#nodes;
    this.#nodes += 2;
    return this.#partition(best, from, to);
  }

  #isLeaf(from: number, to: number): boolean {
    const { labels } = this.#table;
    this.#all.fill(0);
    let met = 0;
    for (let i = from; i < to; i++) {
      const k = labels[this.#order[i] ?? 0] ?? 0;
      const count = (this.#all[k] ?? 0) + 1;
      if (count === 1) met++;
      this.#all[k] = count;
    }
    return to - from < this.#leastRows || met < 2;
  }

  /** The best of some columns that vary here, each with one threshold; undefined where none varies. */
  #draw(from: number, to: number) {
    const columns = this.#columns;
    let best: { column: number; threshold: number; score: number } | undefined;
    let tried = 0;
    for (let i = 0; i < columns.length && tried < this.#drawn; i++) {
      const j = i + Math.floor(this.#random() * (columns.length - i));
      const column = columns[j] ?? 0;
      columns[j] = columns[i] ?? 0;
      columns[i] = column;
      const [low, high] = this.#range(column, from, to);
      if (!(high > low)) continue;
      tried++;
      // Rounded as the values are, and below the highest, so that both sides have a row.
      let threshold = Math.fround(low + this.#random() * (high - low));
      if (threshold >= high) threshold = low;
      const score = this.#score(column, threshold, from, to);
      if (best === undefined || score > best.score) best = { column, threshold, score };
    }
    return best;
  }

  /** Least and greatest value; a missing one counts as less than all. */
  #range(column: number, from: number, to: number): [number, number] {
    const { values, rows } = this.#table;
    const base = column * rows;
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let missing = false;
    for (let i = from; i < to; i++) {
      const value = values[base + (this.#order[i] ?? 0)] ?? 0;
      if (value < low) low = value;
      if (value > high) high = value;
      if (Number.isNaN(value)) missing = true;
    }
    // Whether there is a value at all can be asked, too.
    if (missing && high >= low) {
      low = Math.min(low - 1, low - Math.abs(low) * 1e-3, low - (high - low) * 0.1);
    }
    return [low, high];
  }

  /** Sum of squared class counts over rows, of both sides: the higher, the purer (Gini). */
  #score(column: number, threshold: number, from: number, to: number): number {
    const { values, rows, labels } = this.#table;
    const base = column * rows;
    const left = this.#left.fill(0);
    let count = 0;
    for (let i = from; i < to; i++) {
      const row = this.#order[i] ?? 0;
      if ((values[base + row] ?? 0) > threshold) continue;
      const k = labels[row] ?? 0;
      left[k] = (left[k] ?? 0) + 1;
      count++;
    }
    let [squaresLeft, squaresRight] = [0, 0];
    for (let k = 0; k < left.length; k++) {
      const l = left[k] ?? 0;
      const r = (this.#all[k] ?? 0) - l;
      squaresLeft += l * l;
      squaresRight += r * r;
    }
    const rest = to - from - count;
    if (count === 0 || rest === 0) return -1;
    return squaresLeft / count + squaresRight / rest;
  }

  #partition(
    { column, threshold }: { column: number; threshold: number },
    from: number,
    to: number,
  ): number {
    const { values, rows } = this.#table;
    const base = column * rows;
    let [middle, right] = [from, 0];
    for (let i = from; i < to; i++) {
      const row = this.#order[i] ?? 0;
      if ((values[base + row] ?? 0) > threshold) this.#spare[right++] = row;
      else this.#order[middle++] = row;
    }
    this.#order.set(this.#spare.subarray(0, right), middle);
    return middle;
  }

  /** Adds the share of each class in the leaf that a row comes to. asked [B, D] -> votes [B, K] */
  vote(asked: ArrayLike<number>, votes: Float32Array, weight: number): void {
    const { columns, classes, labels } = this.#table;
    for (let b = 0; b < asked.length / columns; b++) {
      let node = 0;
      for (let c = this.#column[0] ?? -1; c >= 0; c = this.#column[node] ?? -1) {
        const right = (asked[b * columns + c] ?? 0) > (this.#threshold[node] ?? 0);
        node = (this.#child[node] ?? 0) + (right ? 1 : 0);
      }
      const [from, to] = [this.#child[node] ?? 0, this.#to[node] ?? 0];
      const share = weight / (to - from);
      for (let i = from; i < to; i++) {
        const at = b * classes + (labels[this.#order[i] ?? 0] ?? 0);
        votes[at] = (votes[at] ?? 0) + share;
      }
    }
  }
}
