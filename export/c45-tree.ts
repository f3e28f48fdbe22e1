// A tree of C4.5 (models/baselines/c45.ts) -> the plain tree that write-tree.ts turns into ONNX. Axes: D columns, K classes.

import type { C45Node } from '../models/baselines/c45.ts';
import type { DecisionTree, TreeNode } from '../models/decision-tree.ts';

/**
 * Says of rows that have all values what C4.5 says. A row without a value goes down both branches in C4.5, in shares; ONNX
 * knows only one way, so it takes the one that more of the training rows took.
 *
 * @param of columns [D] that the tree may look at, names of the classes [K]
 */
export function treeOfC45(
  root: C45Node,
  of: { readonly columns: number; readonly classes: readonly string[] },
): DecisionTree {
  return { features: of.columns, classes: of.classes, root: nodeOf(root) };
}

function nodeOf({ counts, split, left, right }: C45Node): TreeNode {
  if (split === undefined || left === undefined || right === undefined) {
    const total = Math.max(
      counts.reduce((sum, count) => sum + count, 0),
      Number.MIN_VALUE,
    );
    return { kind: 'leaf', probabilities: Array.from(counts, (count) => count / total) };
  }
  const { column, threshold, leftShare } = split;
  return {
    kind: 'split',
    feature: column,
    threshold,
    atMost: nodeOf(left),
    above: nodeOf(right),
    missing: leftShare >= 0.5 ? 'atMost' : 'above',
  };
}
