// The looks at flows that a network would be trained with -> a tree of C4.5. Axes: D columns, K classes.

import { growC45 } from '../baselines/c45.ts';
import { tableOf } from '../baselines/table.ts';
import { batchOf } from '../data/batch.ts';
import type { FitData } from '../training/fit.ts';
import { treeOfC45 } from './c45-tree.ts';
import type { DecisionTree } from './decision-tree.ts';

/** Each flow stands in the table as often, in a look drawn anew: whole half of the times, as networks are shown it. */
const EPOCHS = 2;
/** Added to each class of a leaf (Laplace): a leaf of two flows is not sure of anything (Provost and Domingos 2003). */
const PSEUDO_COUNT = 1;

export interface TreeOptions {
  readonly minimumLeaf: number;
  readonly confidence: number;
}

/** @returns undefined when it was interrupted */
export async function growTree(
  data: FitData,
  classes: readonly string[],
  options: TreeOptions,
  signal?: AbortSignal | undefined,
): Promise<DecisionTree | undefined> {
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  for (let epoch = 1; epoch <= EPOCHS; epoch++) {
    for await (const examples of data.epoch(epoch)) {
      if (signal?.aborted) return undefined;
      const { inputs, labels: own, count } = batchOf(examples, data.spec);
      const values = Float32Array.from(inputs.statistics ?? []);
      const columns = values.length / count;
      for (const [b, label] of own.entries()) {
        rows.push(values.subarray(b * columns, (b + 1) * columns));
        labels.push(label);
      }
    }
  }
  const table = tableOf(rows, Int32Array.from(labels), classes.length);
  const root = growC45(table, options);
  return treeOfC45(root, { columns: table.columns, classes, pseudoCount: PSEUDO_COUNT });
}
