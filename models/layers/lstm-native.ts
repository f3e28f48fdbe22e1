// A whole LSTM in two calls of TensorFlow's fused kernels, one each way, instead of a dozen calls a time step.
// Axes: T steps, B flows, I inputs, U units. Gates stand in the order i, f, candidate, o: that of tfjs' weights.

import { tf } from '../backend.ts';
import { runNative } from './native-operation.ts';

/** Names in the order of BlockLSTMV2's outputs, each [T, B, U]. */
const FORWARD_OUTPUTS = 7;
const HIDDEN = 6;
/** Gradients of x, first cell, first hidden, weights, three peepholes, bias. */
const BACKWARD_OUTPUTS = 8;

/** x: [T, B, I], weights: [I + U, 4U], bias: [4U] -> hidden states [T, B, U], from zeros on. */
export function nativeLstm(
  x: tf.Tensor3D,
  weights: tf.Tensor2D,
  bias: tf.Tensor1D,
): tf.Tensor3D {
  const run = tf.customGrad((...parts) => {
    const [own, matrix, vector, save] = parts as [
      tf.Tensor3D,
      tf.Tensor2D,
      tf.Tensor1D,
      tf.GradSaveFunc,
    ];
    const [steps, flows] = own.shape;
    const units = vector.size / 4;
    const zeros = tf.zeros([flows, units]);
    const peephole = tf.zeros([units]);
    const fed = [own, zeros, zeros, matrix, peephole, peephole, peephole, vector];
    const made = runNative({
      name: 'BlockLSTMV2',
      attributes: {
        cell_clip: { float: 0 },
        use_peephole: { bool: false },
        T: { type: 'float32' },
      },
      int64: steps,
      inputs: fed,
      outputs: FORWARD_OUTPUTS,
    });
    const value = made[HIDDEN];
    if (value === undefined) throw new Error('BlockLSTMV2 gave no hidden states');
    save([...fed, ...made]);
    const gradFunc = (dh: tf.Tensor, saved: tf.Tensor[]) => {
      const [dx, , , dWeights, , , , dBias] = runNative({
        name: 'BlockLSTMGradV2',
        attributes: { use_peephole: { bool: false }, T: { type: 'float32' } },
        int64: steps,
        inputs: [...saved, tf.zerosLike(dh), dh],
        outputs: BACKWARD_OUTPUTS,
      });
      if (dx === undefined || dWeights === undefined || dBias === undefined) {
        throw new Error('BlockLSTMGradV2 gave too few gradients');
      }
      return [dx, dWeights, dBias];
    };
    return { value, gradFunc };
  });
  return run(x, weights, bias) as tf.Tensor3D;
}
