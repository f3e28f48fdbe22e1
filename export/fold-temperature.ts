// A temperature found on validation -> divided into the last layer's weights, or put into a tree's leaves, so that serving needs
// to know nothing of it.

import { atTemperature } from '../models/calibration.ts';
import type { DecisionTree, TreeNode } from '../models/tree/decision-tree.ts';
import type { Network } from './network.ts';

/** The same network with logits divided by `temperature`. */
export function foldTemperature(network: Network, temperature: number): Network {
  const logits = new Set(
    network.steps.flatMap((step) => (step.kind === 'softmax' ? [step.from] : [])),
  );
  const steps = network.steps.map((step) => {
    if (step.kind !== 'dense' || !logits.has(step.name)) return step;
    const divide = (value: number) => value / temperature;
    return { ...step, weights: step.weights.map(divide), bias: step.bias.map(divide) };
  });
  return { ...network, steps };
}

/** The same tree, each leaf at `temperature`. */
export function treeAtTemperature(tree: DecisionTree, temperature: number): DecisionTree {
  const classes = tree.classes.length;
  const nodeAt = (node: TreeNode): TreeNode => {
    if (node.kind === 'split') {
      return { ...node, atMost: nodeAt(node.atMost), above: nodeAt(node.above) };
    }
    const own = Float32Array.from(node.probabilities);
    return { ...node, probabilities: [...atTemperature(own, classes, temperature)] };
  };
  return { ...tree, root: nodeAt(tree.root) };
}
