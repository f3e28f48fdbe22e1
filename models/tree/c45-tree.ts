// A tree of C4.5 (models/baselines/c45.ts) -> a plain tree, as runs keep it and export writes it. Axes: D columns, K classes.

import type { C45Node } from '../baselines/c45.ts';
import type { DecisionTree, TreeNode } from './decision-tree.ts';

export interface PlainTreeOptions {
  /** Columns [D] that the tree may look at. */
  readonly columns: number;
  /** Names [K]. */
  readonly classes: readonly string[];
  /** Added to the count of each class of a leaf; 0 leaves the shares as they are. */
  readonly pseudoCount?: number;
}

/**
 * Says of rows that have all values what C4.5 says. A row without a value goes down both branches in C4.5, in shares; a plain
 * tree, as ONNX, knows only one way, so it takes the one that more of the training rows took.
 */
export function treeOfC45(
  root: C45Node,
  { columns, classes, pseudoCount = 0 }: PlainTreeOptions,
): DecisionTree {
  return { features: columns, classes, root: nodeOf(root, pseudoCount) };
}

function nodeOf({ counts, split, left, right }: C45Node, pseudoCount: number): TreeNode {
  if (split === undefined || left === undefined || right === undefined) {
    const own = Array.from(counts, (count) => count + pseudoCount);
    const total = Math.max(
      own.reduce((sum, count) => sum + count, 0),
      Number.MIN_VALUE,
    );
    return { kind: 'leaf', probabilities: own.map((count) => count / total) };
  }
  const { column, threshold, leftShare } = split;
  return {
    kind: 'split',
    feature: column,
    threshold,
    atMost: nodeOf(left, pseudoCount),
    above: nodeOf(right, pseudoCount),
    missing: leftShare >= 0.5 ? 'atMost' : 'above',
  };
}
