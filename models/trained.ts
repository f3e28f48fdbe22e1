// What a training leaves behind: a network of tfjs, or a decision tree on the statistics. Axes: B rows, S statistics, K classes.

import type { tf } from './backend.ts';
import { type Batch, predictBatch } from './training-step.ts';
import { type DecisionTree, probabilitiesByTree } from './tree/decision-tree.ts';

export type Trained =
  | { readonly kind: 'network'; readonly model: tf.LayersModel }
  | { readonly kind: 'tree'; readonly tree: DecisionTree };

/** -> probabilities [B, K] */
export function answersOf(trained: Trained, batch: Batch): Float32Array {
  if (trained.kind === 'network') return predictBatch(trained.model, batch);
  const { tree } = trained;
  const statistics = batch.inputs.statistics ?? new Float32Array(0);
  const answers = new Float32Array(batch.count * tree.classes.length);
  for (let b = 0; b < batch.count; b++) {
    const row = statistics.subarray(b * tree.features, (b + 1) * tree.features);
    answers.set(probabilitiesByTree(tree, row), b * tree.classes.length);
  }
  return answers;
}

export function disposeTrained(trained: Trained): void {
  if (trained.kind === 'network') trained.model.dispose();
}
