// Where each flow ends, for LSTMs. Natively everything stays in TensorFlow, so that a step of training can be a graph; elsewhere the
// lengths come to JavaScript, and what is behind the longest flow is not computed. Axes: B flows, T steps, C channels.

import { tf } from '../backend.ts';
import { isNative } from '../native-backend.ts';
import { runNativeOne } from './native-operation.ts';

export interface Lengths {
  /** Steps that are worth computing. */
  readonly longest: number;
  /** Each flow's own steps turned round, its padding left behind them. [T, B, C] -> [T, B, C] */
  reversed(x: tf.Tensor3D): tf.Tensor3D;
  /** The state at each flow's last step, zeros for a flow without one. [T, B, U] -> [B, U] */
  last(states: tf.Tensor3D): tf.Tensor2D;
}

/** @param mask [B, T], true at a flow's steps and false behind; @returns undefined where all have T steps, if that is known */
export function lengthsOf(mask: tf.Tensor, steps: number): Lengths | undefined {
  const counts = tf.sum(tf.cast(mask, 'int32'), 1) as tf.Tensor1D;
  if (isNative()) return new NativeLengths(counts, steps);
  const lengths = Int32Array.from(counts.dataSync());
  const longest = lengths.reduce((a, b) => Math.max(a, b), 1);
  if (lengths.every((length) => length === steps)) return undefined;
  return new HostLengths(lengths, longest);
}

class NativeLengths implements Lengths {
  readonly longest: number;
  /** [B] int32 */
  readonly #counts: tf.Tensor1D;

  constructor(counts: tf.Tensor1D, steps: number) {
    this.#counts = counts;
    this.longest = steps;
  }

  reversed(x: tf.Tensor3D): tf.Tensor3D {
    const counts = this.#counts;
    // Turning round twice changes nothing: so the gradient is turned round by the same lengths.
    const twice = tf.customGrad((...parts) => {
      const [own, save] = parts as [tf.Tensor, tf.GradSaveFunc];
      save([counts]);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
        turned(dy, saved[0] as tf.Tensor1D);
      return { value: turned(own, counts), gradFunc };
    });
    return twice(x) as tf.Tensor3D;
  }

  last(states: tf.Tensor3D): tf.Tensor2D {
    const [steps, flows, units] = states.shape;
    const zero = tf.scalar(0, 'int32');
    const ends = tf.maximum(tf.sub(this.#counts, tf.scalar(1, 'int32')), zero);
    const columns = tf.tensor1d(
      Int32Array.from({ length: flows }, (_, b) => b),
      'int32',
    );
    const rows = tf.add(tf.mul(ends, tf.scalar(flows, 'int32')), columns) as tf.Tensor1D;
    const chosen = tf.gather(tf.reshape(states, [steps * flows, units]), rows);
    const any = tf.cast(tf.greater(this.#counts, zero), 'float32');
    return tf.mul(chosen, tf.expandDims(any, 1));
  }
}

/** x: [T, B, C], counts: [B] */
function turned(x: tf.Tensor, counts: tf.Tensor1D): tf.Tensor {
  return runNativeOne({
    name: 'ReverseSequence',
    attributes: {
      seq_dim: { int: 0 },
      batch_dim: { int: 1 },
      T: { type: 'float32' },
      Tlen: { type: 'int32' },
    },
    inputs: [x, counts],
  });
}

class HostLengths implements Lengths {
  readonly longest: number;
  readonly #lengths: Int32Array;

  constructor(lengths: Int32Array, longest: number) {
    this.#lengths = lengths;
    this.longest = longest;
  }

  reversed(x: tf.Tensor3D): tf.Tensor3D {
    const [steps, flows, width] = x.shape;
    const rows = tf.tensor1d(reversedRows(this.#lengths, steps), 'int32');
    const turn = (tensor: tf.Tensor, by: tf.Tensor1D) =>
      tf.reshape(tf.gather(tf.reshape(tensor, [-1, width]), by), [steps, flows, width]);
    // Turning round twice changes nothing: so the gradient is turned round by the same rows.
    const twice = tf.customGrad((...parts) => {
      const [own, save] = parts as [tf.Tensor, tf.GradSaveFunc];
      save([rows]);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
        turn(dy, (saved as [tf.Tensor1D])[0]);
      return { value: turn(own, rows), gradFunc };
    });
    return twice(x) as tf.Tensor3D;
  }

  last(states: tf.Tensor3D): tf.Tensor2D {
    const [steps, flows] = states.shape;
    const chosen = new Float32Array(steps * flows);
    for (const [b, length] of this.#lengths.entries()) {
      if (length > 0) chosen[(length - 1) * flows + b] = 1;
    }
    return tf.sum(tf.mul(states, tf.tensor3d(chosen, [steps, flows, 1])), 0);
  }
}

/** Row t·B + b of [T·B] -> the row that takes its place. */
function reversedRows(lengths: Int32Array, steps: number): Int32Array {
  const flows = lengths.length;
  const rows = new Int32Array(steps * flows);
  for (let t = 0; t < steps; t++) {
    for (const [b, length] of lengths.entries()) {
      rows[t * flows + b] = (t < length ? length - 1 - t : t) * flows + b;
    }
  }
  return rows;
}
