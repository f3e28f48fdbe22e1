// A decision tree, or several whose probabilities are averaged -> an ONNX graph of one node: ai.onnx.ml's
// TreeEnsembleClassifier (https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html).
// Axes: B flows, F features, K classes.

import type { DecisionTree, TreeNode } from '../models/tree/decision-tree.ts';
import { GraphBuilder } from './graph.ts';

export interface TreeNames {
  /** Of the graph. */
  readonly name: string;
  /** Of the input, float32 [B, F]; NaN is a missing value. */
  readonly input: string;
  /** Of the output, float32 [B, K]. */
  readonly output: string;
}

/** The node's attributes, one entry a tree node: they are numbered tree by tree, from the root on. */
interface Columns {
  readonly trees: number[];
  readonly numbers: number[];
  readonly modes: string[];
  readonly features: number[];
  readonly thresholds: number[];
  readonly atMost: number[];
  readonly above: number[];
  readonly missing: number[];
  /** One entry a leaf and class. */
  readonly leafTrees: number[];
  readonly leafNumbers: number[];
  readonly leafClasses: number[];
  readonly leafWeights: number[];
}

/** The model file. Trees must be of the same features and classes. */
export function writeTree(trees: readonly DecisionTree[], names: TreeNames): Uint8Array {
  const [first] = trees;
  if (first === undefined) throw new Error(`${names.name}: there is no tree`);
  const { features, classes } = first;
  const columns: Columns = {
    trees: [],
    numbers: [],
    modes: [],
    features: [],
    thresholds: [],
    atMost: [],
    above: [],
    missing: [],
    leafTrees: [],
    leafNumbers: [],
    leafClasses: [],
    leafWeights: [],
  };
  for (const [t, tree] of trees.entries()) {
    if (tree.features !== features || tree.classes.join() !== classes.join()) {
      throw new Error(`${names.name}: tree ${t} is of other features or classes`);
    }
    addTree(columns, tree, { number: t, share: 1 / trees.length });
  }
  const graph = new GraphBuilder(names.name);
  graph.input(names.input, 'float32', ['B', features]);
  graph.wideNode({
    op: 'TreeEnsembleClassifier',
    domain: 'ai.onnx.ml',
    name: `${names.name}_trees`,
    inputs: [names.input],
    outputs: [`${names.output}_class`, names.output],
    attributes: attributesOf(columns, classes.length),
  });
  graph.output(names.output, ['B', classes.length]);
  return graph.encode();
}

function attributesOf(columns: Columns, classes: number) {
  return {
    classlabels_int64s: Array.from({ length: classes }, (_, k) => k),
    post_transform: 'NONE',
    nodes_treeids: columns.trees,
    nodes_nodeids: columns.numbers,
    nodes_modes: columns.modes,
    nodes_featureids: columns.features,
    nodes_values: Float32Array.from(columns.thresholds),
    nodes_truenodeids: columns.atMost,
    nodes_falsenodeids: columns.above,
    nodes_missing_value_tracks_true: columns.missing,
    class_treeids: columns.leafTrees,
    class_nodeids: columns.leafNumbers,
    class_ids: columns.leafClasses,
    class_weights: Float32Array.from(columns.leafWeights),
  };
}

/** Without recursion: a tree may be as deep as it has nodes. */
function addTree(
  columns: Columns,
  { root, features, classes }: DecisionTree,
  tree: { readonly number: number; readonly share: number },
): void {
  const nodes: TreeNode[] = [root];
  for (let number = 0; number < nodes.length; number++) {
    const node = nodes[number];
    if (node === undefined) return;
    columns.trees.push(tree.number);
    columns.numbers.push(number);
    if (node.kind === 'leaf') {
      pushNode(columns, { mode: 'LEAF' });
      if (node.probabilities.length !== classes.length) {
        throw new Error(
          `a leaf has ${node.probabilities.length} probabilities, expected ${classes.length}`,
        );
      }
      for (const [k, probability] of node.probabilities.entries()) {
        columns.leafTrees.push(tree.number);
        columns.leafNumbers.push(number);
        columns.leafClasses.push(k);
        columns.leafWeights.push(probability * tree.share);
      }
      continue;
    }
    if (!(node.feature < features))
      throw new Error(`there is no feature ${node.feature}`);
    const atMost = nodes.push(node.atMost) - 1;
    const above = nodes.push(node.above) - 1;
    pushNode(columns, {
      mode: 'BRANCH_LEQ',
      feature: node.feature,
      threshold: float32AtMost(node.threshold),
      atMost,
      above,
      missing: node.missing === 'atMost' ? 1 : 0,
    });
  }
}

function pushNode(
  columns: Columns,
  node: {
    readonly mode: string;
    readonly feature?: number;
    readonly threshold?: number;
    readonly atMost?: number;
    readonly above?: number;
    readonly missing?: number;
  },
): void {
  columns.modes.push(node.mode);
  columns.features.push(node.feature ?? 0);
  columns.thresholds.push(node.threshold ?? 0);
  columns.atMost.push(node.atMost ?? 0);
  columns.above.push(node.above ?? 0);
  columns.missing.push(node.missing ?? 0);
}

/** The largest float32 that is no larger: so a float32 feature goes the same way as by the double. */
function float32AtMost(value: number): number {
  const [rounded = 0] = Float32Array.of(value);
  if (!(rounded > value)) return rounded;
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, rounded);
  const pattern = bits.getUint32(0);
  // One step towards -Infinity: away from zero where it is negative; from 0 to the least negative number.
  bits.setUint32(0, rounded > 0 ? pattern - 1 : rounded < 0 ? pattern + 1 : 0x80000001);
  return bits.getFloat32(0);
}
