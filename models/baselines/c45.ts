// C4.5, the paper's baseline on flow statistics (paper 4; Quinlan 1993): gain ratio, thresholds on numbers, rows without a
// value going both ways in shares, pessimistic pruning. Our own, as no package that is kept has it; the same rows give the
// same tree. Categories are not needed here: every column is a number.
// Axes: R rows, D columns, K classes.

import { type C45Split, C45Splitter, type NodeRows } from './c45-split.ts';
import { errorsToAdd } from './pessimistic-error.ts';
import type { Table } from './table.ts';

export interface C45Options {
  /** Rows that at least two branches of a node must have. Quinlan's default is 2. */
  readonly minimumLeaf?: number;
  /** For the pessimistic error, Quinlan's default is 0.25; undefined or 1: nothing is pruned. */
  readonly confidence?: number | undefined;
}

/** A node; a leaf has no split. */
export interface C45Node {
  /** [K]: weight of each class that came here in training. */
  readonly counts: Float64Array;
  readonly split?: C45Split;
  readonly left?: C45Node;
  readonly right?: C45Node;
}

const MINIMUM_LEAF = 2;

/** Grows a tree and prunes it. */
export function growC45(table: Table, options: C45Options = {}): C45Node {
  const minimumLeaf = options.minimumLeaf ?? MINIMUM_LEAF;
  const { confidence } = options;
  const root = new Grower(table, minimumLeaf).grow();
  if (confidence === undefined || confidence >= 1) return root;
  return prune(root, confidence).node;
}

/** The share of each class for every row of a matrix. values [R, D] row-major -> [R, K] */
export function c45Probabilities(
  root: C45Node,
  matrix: ArrayLike<number>,
  columns: number,
): Float32Array {
  const classes = root.counts.length;
  const rows = matrix.length / columns;
  const shares = new Float64Array(classes);
  const answers = new Float32Array(rows * classes);
  for (let r = 0; r < rows; r++) {
    shares.fill(0);
    descend(root, 1, (d) => matrix[r * columns + d] ?? Number.NaN, shares);
    for (let k = 0; k < classes; k++) answers[r * classes + k] = shares[k] ?? 0;
  }
  return answers;
}

/** Nodes of the tree, leaves included. */
export function c45Size({ left, right }: C45Node): number {
  return (
    1 +
    (left === undefined ? 0 : c45Size(left)) +
    (right === undefined ? 0 : c45Size(right))
  );
}

function descend(
  node: C45Node,
  weight: number,
  ofColumn: (column: number) => number,
  shares: Float64Array,
): void {
  const { split, left, right, counts } = node;
  if (split === undefined || left === undefined || right === undefined) {
    const total = sum(counts);
    for (const [k, count] of counts.entries()) {
      shares[k] = (shares[k] ?? 0) + (weight * count) / Math.max(total, 1e-12);
    }
    return;
  }
  const value = ofColumn(split.column);
  if (Number.isNaN(value)) {
    descend(left, weight * split.leftShare, ofColumn, shares);
    descend(right, weight * (1 - split.leftShare), ofColumn, shares);
  } else {
    descend(value <= split.threshold ? left : right, weight, ofColumn, shares);
  }
}

/** Columns are sorted once; a split takes their order apart and keeps it. */
class Grower {
  readonly #table: Table;
  readonly #splitter: C45Splitter;
  readonly #minimumLeaf: number;
  readonly #weights: Float64Array;
  /** 1 for the rows of the branch that is about to be taken out of its node. */
  readonly #goes: Uint8Array;

  constructor(table: Table, minimumLeaf: number) {
    this.#table = table;
    this.#minimumLeaf = minimumLeaf;
    this.#splitter = new C45Splitter(table, minimumLeaf);
    this.#weights = new Float64Array(table.rows).fill(1);
    this.#goes = new Uint8Array(table.rows);
  }

  grow(): C45Node {
    const { rows, columns, values } = this.#table;
    const all = Int32Array.from({ length: rows }, (_, r) => r);
    const sorted = Array.from({ length: columns }, (_, d) => {
      const column = values.subarray(d * rows, (d + 1) * rows);
      const known = all.filter((r) => !Number.isNaN(column[r]));
      return known.sort((a, b) => (column[a] ?? 0) - (column[b] ?? 0) || a - b);
    });
    return this.#node({ all, sorted });
  }

  #node({ all, sorted }: Pick<NodeRows, 'all' | 'sorted'>): C45Node {
    const weights = this.#weights;
    const counts = new Float64Array(this.#table.classes);
    for (const row of all) {
      const k = this.#table.labels[row] ?? 0;
      counts[k] = (counts[k] ?? 0) + (weights[row] ?? 0);
    }
    const weight = sum(counts);
    const pure = counts.some((count) => count >= weight - 1e-9);
    if (pure || weight < 2 * this.#minimumLeaf) return { counts };
    const split = this.#splitter.best({ all, sorted, weights, weight });
    if (split === undefined) return { counts };
    const left = this.#branch({ all, sorted }, split, 'left');
    const right = this.#branch({ all, sorted }, split, 'right');
    return { counts, split, left, right };
  }

  /** Grows one side; rows without a value weigh less there, and what they did again afterwards. */
  #branch(
    { all, sorted }: Pick<NodeRows, 'all' | 'sorted'>,
    { column, threshold, leftShare }: C45Split,
    side: 'left' | 'right',
  ): C45Node {
    const { rows, values } = this.#table;
    const weights = this.#weights;
    const valuesOf = values.subarray(column * rows, (column + 1) * rows);
    const goes = this.#goes;
    for (const row of all) {
      const value = valuesOf[row] ?? Number.NaN;
      goes[row] = Number.isNaN(value) || value <= threshold === (side === 'left') ? 1 : 0;
    }
    const unknown = all.filter((row) => Number.isNaN(valuesOf[row]));
    const before = Float64Array.from(unknown, (row) => weights[row] ?? 0);
    const share = side === 'left' ? leftShare : 1 - leftShare;
    unknown.forEach((row, i) => {
      weights[row] = (before[i] ?? 0) * share;
    });
    const node = this.#node({
      all: all.filter((row) => goes[row] === 1),
      sorted: sorted.map((order) => order.filter((row) => goes[row] === 1)),
    });
    unknown.forEach((row, i) => {
      weights[row] = before[i] ?? 0;
    });
    return node;
  }
}

/** Replaces a subtree by a leaf where that has no more errors to expect (Quinlan 1993, section 4.2). */
function prune(node: C45Node, confidence: number): { node: C45Node; errors: number } {
  const { counts, split, left, right } = node;
  const weight = sum(counts);
  const wrong = weight - Math.max(...counts);
  const asLeaf = wrong + errorsToAdd(weight, wrong, confidence);
  if (split === undefined || left === undefined || right === undefined) {
    return { node, errors: asLeaf };
  }
  const [prunedLeft, prunedRight] = [prune(left, confidence), prune(right, confidence)];
  const asTree = prunedLeft.errors + prunedRight.errors;
  // Quinlan's margin: a tenth of an error is not worth a subtree.
  if (asLeaf <= asTree + 0.1) return { node: { counts }, errors: asLeaf };
  return {
    node: { counts, split, left: prunedLeft.node, right: prunedRight.node },
    errors: asTree,
  };
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
