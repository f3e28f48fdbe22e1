// The flows of sessions, taken apart so that one network reads them all, and put together again (paper 4, UC Davis CNN-LSTM:
// "time-distributed"). tfjs' own TimeDistributed runs its layer once a step. Axes: B sessions, F flows, O what a flow has become.

import { tf } from '../backend.ts';

/** [B, F, ...] -> [B·F, ...] */
export class FlowsApart extends tf.layers.Layer {
  static readonly className = 'FlowsApart';

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    return [null, ...(shape as tf.Shape).slice(2)];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const input = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
    const [sessions = 0, flows = 0, ...rest] = input.shape;
    return tf.reshape(input, [sessions * flows, ...rest]);
  }
}

/**
 * [B·F, O] and the sessions as they came [B, F, ...] -> [B, F, O], with a mask: flows behind the last one that has any
 * byte are padding.
 */
export class FlowsTogether extends tf.layers.Layer {
  static readonly className = 'FlowsTogether';
  override supportsMasking = true;

  override computeOutputShape(shapes: tf.Shape | tf.Shape[]): tf.Shape {
    const [each = [], whole = []] = shapes as tf.Shape[];
    return [whole[0] ?? null, whole[1] ?? null, each[1] ?? null];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [each, whole] = pairOf(inputs);
    const [sessions = 0, flows = 0] = whole.shape;
    return tf.reshape(each, [sessions, flows, -1]);
  }

  /** [B, F] bool */
  override computeMask(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [, whole] = pairOf(inputs);
    const [sessions = 0, flows = 0] = whole.shape;
    return tf.tidy(() => {
      const bytes = tf.sum(tf.abs(tf.reshape(whole, [sessions, flows, -1])), 2);
      // From the end on: a flow counts if it or one behind it has bytes.
      return tf.greater(tf.cumsum(bytes, 1, false, true), 0);
    });
  }
}

function pairOf(inputs: tf.Tensor | tf.Tensor[]): [tf.Tensor, tf.Tensor] {
  const [each, whole] = Array.isArray(inputs) ? inputs : [inputs];
  if (each === undefined || whole === undefined) throw new Error('expected two inputs');
  return [each, whole];
}
