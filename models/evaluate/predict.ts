// A trained network and examples -> probabilities. Axes: B examples, K classes.

import type { tf } from '../backend.ts';
import { batchOf, type Example, type InputSpec } from '../data/batch.ts';
import { predictBatch } from '../training-step.ts';

/** Examples of one run: more would only cost memory. */
const AT_ONCE = 256;

/** What changes an example's inputs before the network sees them: an ablation, a canary test. */
export type Alteration = (inputs: ReturnType<typeof batchOf>['inputs']) => void;

/** -> [B, K] */
export function predictExamples(
  model: tf.LayersModel,
  examples: readonly Example[],
  spec: InputSpec,
  alter?: Alteration,
): Float32Array {
  const classes = model.outputs[0]?.shape[1] ?? 0;
  const probabilities = new Float32Array(examples.length * classes);
  for (let at = 0; at < examples.length; at += AT_ONCE) {
    const batch = batchOf(examples.slice(at, at + AT_ONCE), spec);
    alter?.(batch.inputs);
    probabilities.set(predictBatch(model, batch), at * classes);
  }
  return probabilities;
}
