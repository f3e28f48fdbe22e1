// Rows of a table that is learnt. tfjs' gradient of `gather` needs a kernel that wasm has not. Axes: L rows asked for, R rows of
// the table, O numbers a row.

import { tf } from '../backend.ts';
import { isNative } from '../native-backend.ts';

/** table: [R, O], rows: [L] int32 -> [L, O] */
export function lookUp(table: tf.Tensor2D, rows: tf.Tensor1D): tf.Tensor2D {
  const run = tf.customGrad((...parts) => {
    const [own, save] = parts as [tf.Tensor2D, tf.GradSaveFunc];
    save([rows]);
    const [count, width] = own.shape;
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [kept] = saved as [tf.Tensor1D];
      return isNative()
        ? tf.unsortedSegmentSum(dy, kept, count)
        : summed(dy, kept, [count, width]);
    };
    return { value: tf.gather(own, rows), gradFunc };
  });
  return run(table) as tf.Tensor2D;
}

/** What each row of the table gets of dy [L, O]. */
function summed(dy: tf.Tensor, rows: tf.Tensor1D, shape: [number, number]): tf.Tensor2D {
  const width = shape[1];
  const sums = new Float32Array(shape[0] * width);
  const values = dy.dataSync();
  for (const [l, row] of rows.dataSync().entries()) {
    for (let o = 0; o < width; o++) {
      const at = row * width + o;
      sums[at] = (sums[at] ?? 0) + (values[l * width + o] ?? 0);
    }
  }
  return tf.tensor2d(sums, shape);
}
