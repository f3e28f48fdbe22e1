// One field -> a guess at the class: a look-up table, or a decision tree over a number. Both are fitted on some rows and asked of others.
// Each row weighs what its class weighs: 1 each, so that as many rows as possible come out right, or less for a class
// with many rows, so that classes count alike.

/** Rows to learn from; index for index. NaN is no value. */
export interface Learnt {
  readonly values: Float64Array;
  readonly classes: Int32Array;
  /** By class. */
  readonly weights: Float64Array;
}

export type Guess = (value: number) => number;

const NO_VALUE = 'none';

/** The class that weighs most among rows of that value; of a value never seen, among all rows. */
export function fitTable({ values, classes, weights }: Learnt): Guess {
  const tallies = new Map<number | string, Float64Array>();
  const all = new Float64Array(weights.length);
  for (const [i, value] of values.entries()) {
    const key = Number.isNaN(value) ? NO_VALUE : value;
    const tally = tallies.get(key) ?? new Float64Array(weights.length);
    tallies.set(key, tally);
    const c = classes[i] ?? 0;
    tally[c] = (tally[c] ?? 0) + (weights[c] ?? 0);
    all[c] = (all[c] ?? 0) + (weights[c] ?? 0);
  }
  const otherwise = heaviest(all);
  const best = new Map([...tallies].map(([key, tally]) => [key, heaviest(tally)]));
  return (value) => best.get(Number.isNaN(value) ? NO_VALUE : value) ?? otherwise;
}

const DEPTH_MAX = 8;
/** Rows on either side of a cut: fewer are chance. */
const LEAST_ROWS = 5;

/** A binary tree of cuts, each where the Gini impurity falls most; rows without a value are a leaf of their own. */
export function fitTree({ values, classes, weights }: Learnt): Guess {
  const order = [...values.keys()].filter((i) => !Number.isNaN(values[i]));
  order.sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const sorted: Learnt = {
    values: Float64Array.from(order, (i) => values[i] ?? 0),
    classes: Int32Array.from(order, (i) => classes[i] ?? 0),
    weights,
  };
  const root = grow(sorted, 0, order.length, DEPTH_MAX);
  const without = fitTable({ values, classes, weights })(Number.NaN);
  return (value) => (Number.isNaN(value) ? without : ask(root, value));
}

type Node =
  | { readonly leaf: number }
  | { readonly cut: number; readonly below: Node; readonly above: Node };

function ask(root: Node, value: number): number {
  let node = root;
  while ('cut' in node) node = value < node.cut ? node.below : node.above;
  return node.leaf;
}

function grow(rows: Learnt, from: number, to: number, depth: number): Node {
  const all = new Float64Array(rows.weights.length);
  for (let i = from; i < to; i++) {
    const c = rows.classes[i] ?? 0;
    all[c] = (all[c] ?? 0) + (rows.weights[c] ?? 0);
  }
  const at = depth === 0 ? undefined : bestCut(rows, from, to, all);
  if (at === undefined) return { leaf: heaviest(all) };
  return {
    cut: ((rows.values[at - 1] ?? 0) + (rows.values[at] ?? 0)) / 2,
    below: grow(rows, from, at, depth - 1),
    above: grow(rows, at, to, depth - 1),
  };
}

/**
 * The first row above the best cut; undefined where none makes it purer. Purity is the sum over both sides of
 * (sum of squared class weights) / (weight of the side), which is what Gini's impurity lacks to the weight of all.
 */
function bestCut(
  { values, classes, weights }: Learnt,
  from: number,
  to: number,
  all: Float64Array,
): number | undefined {
  const below = new Float64Array(weights.length);
  const above = Float64Array.from(all);
  let [belowSum, belowSquares] = [0, 0];
  let aboveSum = all.reduce((sum, weight) => sum + weight, 0);
  let aboveSquares = all.reduce((sum, weight) => sum + weight * weight, 0);
  let purest = (aboveSquares / aboveSum) * (1 + 1e-9);
  let best: number | undefined;
  for (let i = from; i < to - LEAST_ROWS; i++) {
    const c = classes[i] ?? 0;
    const weight = weights[c] ?? 0;
    const [b, a] = [below[c] ?? 0, above[c] ?? 0];
    belowSquares += weight * (2 * b + weight);
    aboveSquares -= weight * (2 * a - weight);
    below[c] = b + weight;
    above[c] = a - weight;
    belowSum += weight;
    aboveSum -= weight;
    if (i + 1 - from < LEAST_ROWS || values[i] === values[i + 1]) continue;
    const purity = belowSquares / belowSum + aboveSquares / aboveSum;
    if (purity > purest) [purest, best] = [purity, i + 1];
  }
  return best;
}

function heaviest(tally: Float64Array): number {
  let best = 0;
  for (const [c, weight] of tally.entries()) if (weight > (tally[best] ?? 0)) best = c;
  return best;
}
