// A decision tree as plain values: what C4.5 learns, what export writes as ONNX. Axes: F features, K classes.

export type TreeNode = TreeLeaf | TreeSplit;

interface TreeLeaf {
  readonly kind: 'leaf';
  /** [K], of the classes at this leaf; they sum to 1. */
  readonly probabilities: readonly number[];
}

interface TreeSplit {
  readonly kind: 'split';
  /** Index of the feature that is looked at. */
  readonly feature: number;
  /** A value up to and including it goes to `atMost`, one beyond it to `above`. */
  readonly threshold: number;
  readonly atMost: TreeNode;
  readonly above: TreeNode;
  /** Where NaN goes. */
  readonly missing: 'atMost' | 'above';
}

export interface DecisionTree {
  /** F */
  readonly features: number;
  readonly classes: readonly string[];
  readonly root: TreeNode;
}

/** features: [F] -> probabilities [K] */
export function probabilitiesByTree(
  { root }: DecisionTree,
  features: ArrayLike<number>,
): readonly number[] {
  let node = root;
  while (node.kind === 'split') {
    const value = features[node.feature] ?? Number.NaN;
    const side = Number.isNaN(value)
      ? node.missing
      : value <= node.threshold
        ? 'atMost'
        : 'above';
    node = node[side];
  }
  return node.probabilities;
}

/** Nodes, leaves included. Without recursion, as trees may be deep. */
export function nodesOf({ root }: DecisionTree): TreeNode[] {
  const nodes: TreeNode[] = [root];
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at];
    if (node?.kind === 'split') nodes.push(node.atMost, node.above);
  }
  return nodes;
}
