// A trained model and many rows -> probabilities, so many rows at a time. Axes: B rows, K classes.

import { pick, type Samples } from './samples.ts';
import { answersOf, type Trained } from './trained.ts';
import type { Batch } from './training-step.ts';

/** Rows of one run: more would only cost memory. */
const AT_ONCE = 256;

/** -> [B, K]; `part` makes the rows from the first number up to the second. */
export function predictInParts(
  trained: Trained,
  count: number,
  part: (from: number, to: number) => Batch,
): Float32Array {
  const parts: Float32Array[] = [];
  for (let from = 0; from < count; from += AT_ONCE) {
    parts.push(answersOf(trained, part(from, Math.min(from + AT_ONCE, count))));
  }
  const probabilities = new Float32Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const own of parts) {
    probabilities.set(own, at);
    at += own.length;
  }
  return probabilities;
}

/** -> [B, K] */
export function predict(trained: Trained, samples: Samples): Float32Array {
  return predictInParts(trained, samples.count, (from, to) =>
    pick(
      samples,
      Int32Array.from({ length: to - from }, (_, i) => from + i),
    ),
  );
}
