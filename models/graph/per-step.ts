// Values that are new at every step of training: rows, dropout masks, jitter. Whoever draws them does so through here, so that a
// step that was recorded as a graph (recorder.ts) is fed with new ones.

import { tf } from '../backend.ts';

export type StepValues = Float32Array | Int32Array;

/** Told of each such tensor while a step is recorded. */
export type StepListener = (tensor: tf.Tensor, produce: () => StepValues) => void;

let listener: StepListener | undefined;

/** A tensor of what `produce` gives now; in a graph it is asked again at every step, all producers in the same order. */
export function perStep(
  produce: () => StepValues,
  shape: readonly number[],
  type: 'float32' | 'int32' = 'float32',
): tf.Tensor {
  const tensor = tf.tensor(produce(), [...shape], type);
  listener?.(tensor, produce);
  return tensor;
}

/** Runs `work`, telling of each of its tensors that are new at every step. */
export function listening<T>(to: StepListener, work: () => T): T {
  listener = to;
  try {
    return work();
  } finally {
    listener = undefined;
  }
}
