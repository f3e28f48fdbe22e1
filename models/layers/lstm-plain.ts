// A whole LSTM as one operation for backends without a fused kernel: products by tfjs, gates and their gradient by plain
// loops. tfjs' own layer records a dozen operations a time step, which takes wasm most of its time.
// Axes: T steps, B flows, I inputs, U units. Gates stand in the order i, f, candidate, o: that of tfjs' weights.

import { tf } from '../backend.ts';

interface Sizes {
  readonly steps: number;
  readonly flows: number;
  readonly units: number;
}

/** What going forward leaves for going back. */
interface Trace {
  /** [T, B, 4U], after sigmoid and tanh */
  readonly gates: Float32Array;
  /** [T, B, U] */
  readonly cells: Float32Array;
  /** [T, B, U] */
  readonly hidden: Float32Array;
}

/** x: [T, B, I], weights: [I + U, 4U], bias: [4U] -> hidden states [T, B, U], from zeros on. */
export function plainLstm(
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
    const trace = forward(own, matrix, vector);
    save([own, matrix]);
    const gradFunc = (dh: tf.Tensor, saved: tf.Tensor[]) => {
      const [input, kept] = saved as [tf.Tensor3D, tf.Tensor2D];
      return backward(input, kept, trace, dh);
    };
    const [steps, flows] = own.shape;
    const value = tf.tensor3d(trace.hidden, [steps, flows, vector.size / 4]);
    return { value, gradFunc };
  });
  return run(x, weights, bias) as tf.Tensor3D;
}

function forward(x: tf.Tensor3D, weights: tf.Tensor2D, bias: tf.Tensor1D): Trace {
  const [steps, flows, inputs] = x.shape;
  const units = bias.size / 4;
  const size = flows * units;
  // What the inputs give to the gates, of all steps at once.
  const kernel = tf.slice(weights, 0, inputs);
  const gates = Float32Array.from(
    tf.add(tf.matMul(tf.reshape(x, [-1, inputs]), kernel), bias).dataSync(),
  );
  const recurrent = tf.slice(weights, inputs, units);
  const cells = new Float32Array(steps * size);
  const hidden = new Float32Array(steps * size);
  const sizes = { steps, flows, units };
  for (let t = 0; t < steps; t++) {
    if (t > 0) {
      const before = hidden.slice((t - 1) * size, t * size);
      addProduct(gates, t * size * 4, before, recurrent);
    }
    stepForward({ gates, cells, hidden }, t, sizes);
  }
  return { gates, cells, hidden };
}

/** into[at..] += rows [B, U] x matrix [U, J] */
function addProduct(
  into: Float32Array,
  at: number,
  rows: Float32Array,
  matrix: tf.Tensor2D,
): void {
  const product = tf.tidy(() =>
    tf
      .matMul(tf.tensor2d(rows, [rows.length / matrix.shape[0], matrix.shape[0]]), matrix)
      .dataSync(),
  );
  for (let i = 0; i < product.length; i++) {
    into[at + i] = (into[at + i] ?? 0) + (product[i] ?? 0);
  }
}

/** Gates of step t: sums in, activations out; then cell and hidden state. */
function stepForward(
  { gates, cells, hidden }: Trace,
  t: number,
  { flows, units }: Sizes,
): void {
  const size = flows * units;
  for (let b = 0; b < flows; b++) {
    for (let u = 0; u < units; u++) {
      const at = (t * flows + b) * units + u;
      const g = (t * flows + b) * units * 4 + u;
      const input = sigmoid(gates[g] ?? 0);
      const forget = sigmoid(gates[g + units] ?? 0);
      const candidate = Math.tanh(gates[g + 2 * units] ?? 0);
      const output = sigmoid(gates[g + 3 * units] ?? 0);
      const before = t === 0 ? 0 : (cells[at - size] ?? 0);
      const cell = input * candidate + forget * before;
      gates[g] = input;
      gates[g + units] = forget;
      gates[g + 2 * units] = candidate;
      gates[g + 3 * units] = output;
      cells[at] = cell;
      hidden[at] = output * Math.tanh(cell);
    }
  }
}

/** dh: [T, B, U] -> gradients of x, weights and bias. */
function backward(
  x: tf.Tensor3D,
  weights: tf.Tensor2D,
  trace: Trace,
  dh: tf.Tensor,
): [tf.Tensor3D, tf.Tensor2D, tf.Tensor1D] {
  const [steps, flows, inputs] = x.shape;
  const units = (weights.shape[1] ?? 0) / 4;
  const sizes = { steps, flows, units };
  const size = flows * units;
  // Turned round once rather than at each step.
  const recurrent = tf.transpose(tf.slice(weights, inputs, units));
  const dHidden = Float32Array.from(dh.dataSync());
  const dGates = new Float32Array(trace.gates.length);
  const dCells = new Float32Array(size);
  for (let t = steps - 1; t >= 0; t--) {
    stepBackward(trace, { dHidden, dGates, dCells }, t, sizes);
    if (t > 0) {
      const own = dGates.slice(t * size * 4, (t + 1) * size * 4);
      addProduct(dHidden, (t - 1) * size, own, recurrent as tf.Tensor2D);
    }
  }
  const dz = tf.tensor2d(dGates, [steps * flows, 4 * units]);
  const before = new Float32Array(trace.hidden.length);
  before.set(trace.hidden.subarray(0, trace.hidden.length - size), size);
  const rows = tf.concat2d(
    [tf.reshape(x, [steps * flows, inputs]), tf.tensor2d(before, [steps * flows, units])],
    1,
  );
  const kernel = tf.slice(weights, 0, inputs);
  return [
    tf.reshape(tf.matMul(dz, tf.transpose(kernel)), x.shape),
    tf.matMul(tf.transpose(rows), dz) as tf.Tensor2D,
    tf.sum(dz, 0) as tf.Tensor1D,
  ];
}

/** Step t of going back: dHidden[t] and the cells' gradient in, dGates[t] and the cells' gradient of t - 1 out. */
function stepBackward(
  { gates, cells }: Trace,
  into: {
    readonly dHidden: Float32Array;
    readonly dGates: Float32Array;
    readonly dCells: Float32Array;
  },
  t: number,
  { flows, units }: Sizes,
): void {
  const { dHidden, dGates, dCells } = into;
  const size = flows * units;
  for (let b = 0; b < flows; b++) {
    for (let u = 0; u < units; u++) {
      const at = (t * flows + b) * units + u;
      const g = (t * flows + b) * units * 4 + u;
      const input = gates[g] ?? 0;
      const forget = gates[g + units] ?? 0;
      const candidate = gates[g + 2 * units] ?? 0;
      const output = gates[g + 3 * units] ?? 0;
      const bent = Math.tanh(cells[at] ?? 0);
      const before = t === 0 ? 0 : (cells[at - size] ?? 0);
      const dh = dHidden[at] ?? 0;
      const dc = (dCells[b * units + u] ?? 0) + dh * output * (1 - bent * bent);
      dGates[g] = dc * candidate * input * (1 - input);
      dGates[g + units] = dc * before * forget * (1 - forget);
      dGates[g + 2 * units] = dc * input * (1 - candidate * candidate);
      dGates[g + 3 * units] = dh * bent * output * (1 - output);
      dCells[b * units + u] = dc * forget;
    }
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
