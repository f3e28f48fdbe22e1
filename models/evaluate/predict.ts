// A trained model and examples -> probabilities. Axes: B examples, K classes.

import { batchOf, type Example, type InputSpec } from '../data/batch.ts';
import { predictInParts } from '../predict.ts';
import type { Trained } from '../trained.ts';

/** What changes an example's inputs before the network sees them: an ablation, a canary test. */
export type Alteration = (inputs: ReturnType<typeof batchOf>['inputs']) => void;

/** -> [B, K] */
export function predictExamples(
  trained: Trained,
  examples: readonly Example[],
  spec: InputSpec,
  alter?: Alteration,
): Float32Array {
  return predictInParts(trained, examples.length, (from, to) => {
    const batch = batchOf(examples.slice(from, to), spec);
    alter?.(batch.inputs);
    return batch;
  });
}
