import test from 'ava';
import { chooseBackend, tf } from '../../models/backend.ts';
import { seededNumbers } from './numbers.ts';

// float32 sums of some hundred products in another order.
const TOLERANCE = 1e-4;

test.before(async () => {
  await chooseBackend('wasm');
});

/** The same gradient by tfjs' plain cpu backend and by wasm; returns the largest difference. */
async function differenceOf(gradient: () => tf.Tensor): Promise<number> {
  const results: Float32Array[] = [];
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    results.push(Float32Array.from(gradient().dataSync()));
  }
  const [want = [], got = []] = results;
  return Math.max(...Array.from(want, (value, i) => Math.abs(value - (got[i] ?? NaN))));
}

interface Convolution {
  readonly width: number;
  readonly channels: readonly [number, number];
  readonly kernel: number;
  readonly stride: number;
  readonly padding: 'same' | 'valid';
}

const convolution = test.macro({
  title: (_, c: Convolution) =>
    `gradients of a convolution like cpu: width ${c.width}, channels ${c.channels.join(' to ')}, kernel ${c.kernel}, stride ${c.stride}, ${c.padding}`,
  async exec(t, { width, channels, kernel, stride, padding }: Convolution) {
    const [ci, co] = channels;
    const gradient = (of: 'x' | 'filter') => () => {
      const x = tf.tensor3d(seededNumbers(1, 2 * width * ci), [2, width, ci]);
      const filter = tf.tensor3d(seededNumbers(2, kernel * ci * co), [kernel, ci, co]);
      const [dx, dFilter] = tf.grads((a: tf.Tensor, b: tf.Tensor) => {
        const y = tf.conv1d(a as tf.Tensor3D, b as tf.Tensor3D, stride, padding);
        return tf.sum(tf.mul(y, tf.sin(tf.range(0, y.size).reshape(y.shape))));
      })([x, filter]);
      return (of === 'x' ? dx : dFilter) ?? tf.scalar(Number.NaN);
    };
    for (const of of ['x', 'filter'] as const) {
      const difference = await differenceOf(gradient(of));
      t.log(`${of}: largest difference ${difference}`);
      t.true(difference < TOLERANCE);
    }
  },
});

test.serial(convolution, {
  width: 32,
  channels: [3, 8],
  kernel: 8,
  stride: 4,
  padding: 'same',
});
test.serial(convolution, {
  width: 17,
  channels: [4, 5],
  kernel: 5,
  stride: 2,
  padding: 'same',
});
test.serial(convolution, {
  width: 9,
  channels: [2, 3],
  kernel: 3,
  stride: 1,
  padding: 'valid',
});
test.serial(convolution, {
  width: 7,
  channels: [1, 1],
  kernel: 1,
  stride: 1,
  padding: 'same',
});

test.serial('gradients of a convolution in two dimensions like cpu', async (t) => {
  for (const of of [0, 1]) {
    const difference = await differenceOf(() => {
      const x = tf.tensor4d(seededNumbers(3, 2 * 6 * 7 * 3), [2, 6, 7, 3]);
      const filter = tf.tensor4d(seededNumbers(4, 3 * 2 * 3 * 4), [3, 2, 3, 4]);
      const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
        tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, [2, 1], 'same'))),
      )([x, filter]);
      return gradients[of] ?? tf.scalar(Number.NaN);
    });
    t.log(`largest difference ${difference}`);
    t.true(difference < TOLERANCE);
  }
});

const product = test.macro({
  title: (_, transposeA: boolean, transposeB: boolean) =>
    `product like cpu: first side ${transposeA ? 'transposed' : 'plain'}, second ${transposeB ? 'transposed' : 'plain'}`,
  async exec(t, transposeA: boolean, transposeB: boolean) {
    const difference = await differenceOf(() => {
      const a = tf.tensor2d(seededNumbers(6, 35), transposeA ? [7, 5] : [5, 7]);
      const b = tf.tensor2d(seededNumbers(7, 21), transposeB ? [3, 7] : [7, 3]);
      return tf.matMul(a, b, transposeA, transposeB);
    });
    t.true(difference < TOLERANCE);
  },
});

for (const transposeA of [false, true]) {
  for (const transposeB of [false, true]) test.serial(product, transposeA, transposeB);
}

const pooling = test.macro({
  title: (_, size: number, stride: number, padding: string, step: number) =>
    `pooling gradient like cpu: size ${size}, stride ${stride}, ${padding}, values in steps of ${step}`,
  async exec(t, size: number, stride: number, padding: 'same' | 'valid', step: number) {
    // Coarse steps make equal values in one window, which ReLU makes all the time.
    const values = seededNumbers(5, 2 * 11 * 3).map((v) => Math.round(v / step) * step);
    const difference = await differenceOf(() => {
      const x = tf.tensor4d(values, [2, 1, 11, 3]);
      return tf.grad((input: tf.Tensor) => {
        const y = tf.maxPool(input as tf.Tensor4D, [1, size], [1, stride], padding);
        return tf.sum(tf.mul(y, tf.range(1, y.size + 1).reshape(y.shape)));
      })(x);
    });
    t.is(difference, 0);
  },
});

test.serial(pooling, 2, 2, 'valid', 0.001);
test.serial(pooling, 2, 2, 'valid', 1);
test.serial(pooling, 3, 2, 'same', 1);
test.serial(pooling, 3, 1, 'valid', 0.5);
