// Weights in tfjs' order -> in ONNX' order. Axes: see network.ts.

/** [kernel, Ci, Co] -> [Co, Ci, kernel] */
export function reorderKernel(
  values: Float32Array,
  [size, channelsIn, channels]: readonly [number, number, number],
): Float32Array {
  const reordered = new Float32Array(values.length);
  let at = 0;
  for (let o = 0; o < channels; o++) {
    for (let i = 0; i < channelsIn; i++) {
      for (let k = 0; k < size; k++, at++) {
        reordered[at] = values[(k * channelsIn + i) * channels + o] ?? 0;
      }
    }
  }
  return reordered;
}

/** Where the numbers of flattened positions are in tfjs: ONNX has [C·W] by channel, tfjs [W·C] by position. */
export function flattenedOrder(width: number, channels: number): Int32Array {
  const order = new Int32Array(width * channels);
  for (let c = 0; c < channels; c++) {
    for (let w = 0; w < width; w++) order[c * width + w] = w * channels + c;
  }
  return order;
}

/** Rows [I, O] so that row i meets the number that stands at i in ONNX. */
export function reorderRows(
  values: Float32Array,
  units: number,
  order: Int32Array | undefined,
): Float32Array {
  if (order === undefined) return values;
  const reordered = new Float32Array(values.length);
  for (const [i, from] of order.entries()) {
    reordered.set(values.subarray(from * units, (from + 1) * units), i * units);
  }
  return reordered;
}

/** tfjs has i, f, c, o; ONNX i, o, f, c. */
const GATES = [0, 3, 1, 2];

/** Gates along the last axis: [rows, 4U] -> the same, in ONNX' order. */
export function reorderGates(values: Float32Array, units: number): Float32Array {
  const reordered = new Float32Array(values.length);
  const width = 4 * units;
  for (let row = 0; row < values.length; row += width) {
    for (const [g, from] of GATES.entries()) {
      const start = row + from * units;
      reordered.set(values.subarray(start, start + units), row + g * units);
    }
  }
  return reordered;
}

/** TensorFlow's 'same': ceil(width / stride) positions, the odd zero behind. */
export function samePadding(
  width: number,
  size: number,
  stride: number,
): readonly [number, number] {
  const total = Math.max((Math.ceil(width / stride) - 1) * stride + size - width, 0);
  const front = Math.floor(total / 2);
  return [front, total - front];
}
