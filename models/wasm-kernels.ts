// Kernels of the wasm backend that training needs otherwise than tfjs-backend-wasm 4.22 has them:
// - Conv2DBackpropFilter is missing there;
// - MaxPoolGrad gives wrong gradients along the width;
// - Conv2DBackpropInput and BatchMatMul with a transposed side are plain loops: without ours a step takes twice as long.
// test/models/wasm-kernels.test.ts compares them all with the cpu backend.
// Axes: B batch, H height, W width, Ci and Co channels in and out; everything is NHWC.

import * as tf from '@tensorflow/tfjs';

type Pair = [number, number];

interface ConvAttributes {
  readonly strides: Pair | number;
  readonly pad: 'same' | 'valid' | number;
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface FilterAttributes extends ConvAttributes {
  readonly filterShape: [number, number, number, number];
}

interface InputAttributes extends ConvAttributes {
  readonly inputShape: [number, number, number, number];
}

interface PoolAttributes {
  readonly filterSize: Pair | number;
  readonly strides: Pair | number;
  readonly pad: 'same' | 'valid' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface ProductAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Registers the kernels; call once, after tfjs-backend-wasm has been imported. */
export function registerWasmKernels(): void {
  register(tf.Conv2DBackpropFilter, ({ x, dy }, attributes: FilterAttributes) =>
    filterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, attributes),
  );
  register(tf.Conv2DBackpropInput, ({ dy, filter }, attributes: InputAttributes) =>
    inputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, attributes),
  );
  register(tf.MaxPoolGrad, ({ dy, input }, attributes: PoolAttributes) =>
    poolGradient(dy as tf.Tensor4D, input as tf.Tensor4D, attributes),
  );
  const product = tf.getKernel(tf.BatchMatMul, 'wasm').kernelFunc;
  register(tf.BatchMatMul, ({ a, b }, { transposeA, transposeB }: ProductAttributes) =>
    tf.tidy(() => {
      const inputs = {
        a: transposeA ? swapLastAxes(a as tf.Tensor) : (a as tf.Tensor),
        b: transposeB ? swapLastAxes(b as tf.Tensor) : (b as tf.Tensor),
      };
      const attrs = { transposeA: false, transposeB: false };
      const made = product({ inputs, attrs, backend: tf.backend() });
      return tensorOf(made as tf.TensorInfo);
    }),
  );
}

/** Puts `kernel` in the place of the backend's own, if there is one. */
function register<A>(
  kernelName: string,
  kernel: (inputs: Readonly<Record<string, tf.Tensor>>, attributes: A) => tf.Tensor,
): void {
  const replaced = tf.getKernel(kernelName, 'wasm');
  if (replaced !== undefined) tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    // Binds the backend's own kernel, which ours may call.
    ...replaced,
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const tensors = Object.entries(inputs).map(([name, info]) => {
        if (info === undefined) throw new Error(`${kernelName} lacks input "${name}"`);
        return [name, tensorOf(info)] as const;
      });
      return kernel(Object.fromEntries(tensors), attrs as A);
    },
  });
}

/** A kernel may be handed a bare TensorInfo; operations want a tensor over the same data. */
function tensorOf(info: tf.TensorInfo): tf.Tensor {
  return info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info);
}

/** [..., I, J] -> [..., J, I] */
function swapLastAxes(tensor: tf.Tensor): tf.Tensor {
  const axes = tensor.shape.map((_, i) => i);
  return tf.transpose(tensor, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
}
/**
 * x: [B, H, W, Ci], dy: [B, H', W', Co] -> [Kh, Kw, Ci, Co].
 * Columns of x under each output, then one product: [Kh·Kw·Ci, B·H'·W'] x [B·H'·W', Co].
 */
function filterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  attributes: FilterAttributes,
): tf.Tensor {
  const { filterShape } = attributes;
  const info = convInfo(x.shape, filterShape, attributes);
  return tf.tidy(() => {
    const outputs = info.batchSize * info.outHeight * info.outWidth;
    // Transposed first: the backend's product is fast only where neither side is.
    const columns = tf.transpose(columnsOf(x, info));
    const right = tf.reshape(dy, [outputs, info.outChannels]);
    return tf.reshape(tf.matMul(columns, right), filterShape);
  });
}

/**
 * x: [B, H, W, Ci] -> [B·H'·W', Kh·Kw·Ci]. By plain copies, a whole row of the filter at a time: the backend's own
 * stridedSlice took half of a training step.
 */
function columnsOf(x: tf.Tensor4D, info: tf.backend_util.Conv2DInfo): tf.Tensor2D {
  const { top, bottom, left, right } = info.padInfo;
  const padding: [number, number][] = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  const values = tf.pad(x, padding).dataSync();
  const height = info.inHeight + top + bottom;
  const width = info.inWidth + left + right;
  const row = info.filterWidth * info.inChannels;
  const outputs = info.batchSize * info.outHeight * info.outWidth;
  const columns = new Float32Array(outputs * info.filterHeight * row);
  forEachRow(info, height, width, (from, at) => {
    columns.set(values.subarray(from, from + row), at);
  });
  return tf.tensor2d(columns, [outputs, info.filterHeight * row]);
}

/**
 * dy: [B, H', W', Co], filter: [Kh, Kw, Ci, Co] -> [B, H, W, Ci].
 * One product makes what each output gives back to each place under it; then those are added up.
 */
function inputGradient(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  attributes: InputAttributes,
): tf.Tensor {
  const { inputShape } = attributes;
  const info = convInfo(inputShape, filter.shape, attributes);
  const { top, bottom, left, right } = info.padInfo;
  const height = info.inHeight + top + bottom;
  const width = info.inWidth + left + right;
  const row = info.filterWidth * info.inChannels;
  return tf.tidy(() => {
    const outputs = info.batchSize * info.outHeight * info.outWidth;
    const weights = tf.transpose(
      tf.reshape(filter, [info.filterHeight * row, info.outChannels]),
    );
    const columns = tf.matMul(tf.reshape(dy, [outputs, info.outChannels]), weights);
    const values = columns.dataSync();
    const sums = new Float32Array(info.batchSize * height * width * info.inChannels);
    forEachRow(info, height, width, (from, at) => {
      for (let i = 0; i < row; i++) {
        sums[from + i] = (sums[from + i] ?? 0) + (values[at + i] ?? 0);
      }
    });
    const padded = tf.tensor4d(sums, [info.batchSize, height, width, info.inChannels]);
    return tf.slice(padded, [0, top, left, 0], inputShape);
  });
}

function convInfo(
  inputShape: [number, number, number, number],
  filterShape: [number, number, number, number],
  { strides, pad, dataFormat, dimRoundingMode }: ConvAttributes,
): tf.backend_util.Conv2DInfo {
  if (dataFormat !== 'NHWC') throw new Error(`wasm: ${dataFormat} is not supported`);
  return tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}

/**
 * Calls `visit` for each row of the filter under each output, in the order of columns: `from` is where it begins in the
 * padded input of `height` x `width`, `at` where in the columns.
 */
function forEachRow(
  info: tf.backend_util.Conv2DInfo,
  height: number,
  width: number,
  visit: (from: number, at: number) => void,
): void {
  const row = info.filterWidth * info.inChannels;
  let at = 0;
  for (let b = 0; b < info.batchSize; b++) {
    for (let h = 0; h < info.outHeight; h++) {
      for (let w = 0; w < info.outWidth; w++) {
        const corner =
          (b * height + h * info.strideHeight) * width + w * info.strideWidth;
        for (let k = 0; k < info.filterHeight; k++, at += row) {
          visit((corner + k * width) * info.inChannels, at);
        }
      }
    }
  }
}

/** dy: [B, H', W', C], x: [B, H, W, C] -> [B, H, W, C]; of equal values in a window the first one takes it all. */
function poolGradient(
  dy: tf.Tensor4D,
  x: tf.Tensor4D,
  attributes: PoolAttributes,
): tf.Tensor {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  const info = tf.backend_util.computePool2DInfo(
    x.shape,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const gradient = new Float32Array(x.size);
  const [from, values] = [dy.dataSync(), x.dataSync()];
  let at = 0;
  for (let b = 0; b < info.batchSize; b++) {
    for (let h = 0; h < info.outHeight; h++) {
      for (let w = 0; w < info.outWidth; w++) {
        const window = windowOf(info, b, h, w);
        for (let c = 0; c < info.inChannels; c++, at++) {
          const winner = winnerOf(values, window, c);
          gradient[winner] = (gradient[winner] ?? 0) + (from[at] ?? 0);
        }
      }
    }
  }
  return tf.tensor4d(gradient, x.shape);
}

/** Where the positions under one output begin in x, for channel 0. */
function windowOf(
  info: tf.backend_util.Conv2DInfo,
  b: number,
  h: number,
  w: number,
): number[] {
  const { inHeight, inWidth, inChannels } = info;
  const top = h * info.strideHeight - info.padInfo.top;
  const left = w * info.strideWidth - info.padInfo.left;
  const positions: number[] = [];
  for (let i = Math.max(0, top); i < Math.min(inHeight, top + info.filterHeight); i++) {
    for (let j = Math.max(0, left); j < Math.min(inWidth, left + info.filterWidth); j++) {
      positions.push(((b * inHeight + i) * inWidth + j) * inChannels);
    }
  }
  return positions;
}

/** The position of channel c with the largest value, the first of equal ones. */
function winnerOf(
  values: ArrayLike<number>,
  window: readonly number[],
  c: number,
): number {
  let winner = (window[0] ?? 0) + c;
  for (const position of window) {
    if ((values[position + c] ?? 0) > (values[winner] ?? 0)) winner = position + c;
  }
  return winner;
}
