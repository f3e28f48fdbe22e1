// A network and many rows -> probabilities, so many rows at a time. Axes: B rows, K classes.

import type { tf } from './backend.ts';
import { pick, type Samples } from './samples.ts';
import { type Batch, predictBatch } from './training-step.ts';

/** Rows of one run: more would only cost memory. */
const AT_ONCE = 256;

/** -> [B, K]; `part` makes the rows from the first number up to the second. */
export function predictInParts(
  model: tf.LayersModel,
  count: number,
  part: (from: number, to: number) => Batch,
): Float32Array {
  const classes = model.outputs[0]?.shape[1] ?? 0;
  const probabilities = new Float32Array(count * classes);
  for (let from = 0; from < count; from += AT_ONCE) {
    const batch = part(from, Math.min(from + AT_ONCE, count));
    probabilities.set(predictBatch(model, batch), from * classes);
  }
  return probabilities;
}

/** -> [B, K] */
export function predict(model: tf.LayersModel, samples: Samples): Float32Array {
  return predictInParts(model, samples.count, (from, to) =>
    pick(
      samples,
      Int32Array.from({ length: to - from }, (_, i) => from + i),
    ),
  );
}
