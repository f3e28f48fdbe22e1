// Initial weights of an LSTM, as Keras draws them: uniform by Glorot for the inputs, orthogonal for the states, 1 for the
// forget gate's bias. Drawn here because tfjs takes minutes for a large orthogonal matrix. Axes: I inputs, U units.

import { type Random, seededRandom } from '../random.ts';

/** Values of kernel [I, 4U], recurrent kernel [U, 4U] and bias [4U]. */
export function drawWeights(
  inputs: number,
  units: number,
  seed: number,
): [kernel: Float32Array, recurrent: Float32Array, bias: Float32Array] {
  const random = seededRandom(seed);
  const limit = Math.sqrt(6 / (inputs + 4 * units));
  const kernel = Float32Array.from(
    { length: inputs * 4 * units },
    () => limit * (2 * random() - 1),
  );
  const bias = new Float32Array(4 * units).fill(1, units, 2 * units);
  return [kernel, orthogonalRows(units, 4 * units, random), bias];
}

/** Rows of length 1 at right angles to each other (Gram-Schmidt): [rows, columns], rows <= columns. */
function orthogonalRows(rows: number, columns: number, random: Random): Float32Array {
  const matrix = Float64Array.from({ length: rows * columns }, () => gaussian(random));
  const row = (r: number) => matrix.subarray(r * columns, (r + 1) * columns);
  for (let r = 0; r < rows; r++) {
    const own = row(r);
    for (let before = 0; before < r; before++) {
      const other = row(before);
      const share = dot(own, other);
      for (let c = 0; c < columns; c++) own[c] = (own[c] ?? 0) - share * (other[c] ?? 0);
    }
    const length = Math.sqrt(dot(own, own));
    for (let c = 0; c < columns; c++) own[c] = (own[c] ?? 0) / length;
  }
  return Float32Array.from(matrix);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** Standard normal (Box-Muller). */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
