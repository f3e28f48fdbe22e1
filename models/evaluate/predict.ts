// A trained network and examples -> probabilities. Axes: B examples, K classes.

import type { tf } from '../backend.ts';
import { batchOf, type Example, type InputSpec } from '../data/batch.ts';
import { predictInParts } from '../predict.ts';

/** What changes an example's inputs before the network sees them: an ablation, a canary test. */
export type Alteration = (inputs: ReturnType<typeof batchOf>['inputs']) => void;

/** -> [B, K] */
export function predictExamples(
  model: tf.LayersModel,
  examples: readonly Example[],
  spec: InputSpec,
  alter?: Alteration,
): Float32Array {
  return predictInParts(model, examples.length, (from, to) => {
    const batch = batchOf(examples.slice(from, to), spec);
    alter?.(batch.inputs);
    return batch;
  });
}
