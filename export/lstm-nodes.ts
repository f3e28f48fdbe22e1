// An LSTM step -> ONNX' LSTM, or com.microsoft's DynamicQuantizeLSTM with int8 weights; and the lengths of its rows.
// Axes: see network.ts; D directions, gates in the order i, o, f, c.

import type { GraphBuilder } from './graph.ts';
import type { LengthsStep, LstmStep } from './network.ts';
import { DATA_TYPES } from './proto.ts';
import { quantizeColumns } from './quantize.ts';

/** x: [T, B, I] (, lengths: int32 [B]) -> [T, B, D·U] or [B, D·U] */
export function writeLstm(
  graph: GraphBuilder,
  step: LstmStep,
  inputs: readonly string[],
  name: string,
): void {
  const { units, directions } = step;
  const [x = '', lengths = ''] = inputs;
  const columns = 4 * units;
  const part = (which: 'kernel' | 'recurrent', rows: number) =>
    joined(directions.map((d) => transposed(d[which], rows, columns)));
  const width = widthOf(step);
  const count = directions.length;
  const weights = [
    graph.floats(`${name}_kernel`, [count, columns, width], part('kernel', width)),
    graph.floats(`${name}_recurrent`, [count, columns, units], part('recurrent', units)),
    graph.floats(`${name}_bias`, [count, 2 * columns], biasOf(step)),
  ];
  writeStates(graph, step, name, {
    op: 'LSTM',
    domain: '',
    inputs: [x, ...weights, ...(lengths === '' ? [] : [lengths])],
  });
}

/** The same with weights in int8 within ±64, a scale a column; states and inputs are quantized as they come. */
export function writeInt8Lstm(
  graph: GraphBuilder,
  step: LstmStep,
  inputs: readonly string[],
  name: string,
): void {
  const { units, directions } = step;
  const [x = '', lengths = ''] = inputs;
  const columns = 4 * units;
  const count = directions.length;
  const quantized = (which: 'kernel' | 'recurrent', rows: number) => {
    const parts = directions.map((d) => quantizeColumns(d[which], columns));
    const values = Int8Array.from(parts.flatMap(({ weights }) => [...weights]));
    const scales = Float32Array.from(parts.flatMap(({ scales }) => [...scales]));
    const zeros = new Int8Array(count * columns);
    const prefix = `${name}_${which}`;
    return {
      weights: graph.int8s(`${prefix}_q`, [count, rows, columns], values),
      scale: graph.floats(`${prefix}_scale`, [count, columns], scales),
      zero: graph.int8s(`${prefix}_zero`, [count, columns], zeros),
    };
  };
  const kernel = quantized('kernel', widthOf(step));
  const recurrent = quantized('recurrent', units);
  const bias = graph.floats(`${name}_bias`, [count, 2 * columns], biasOf(step));
  writeStates(graph, step, name, {
    op: 'DynamicQuantizeLSTM',
    domain: 'com.microsoft',
    inputs: [
      x,
      kernel.weights,
      recurrent.weights,
      bias,
      lengths,
      // First hidden and cell state, peepholes: none.
      '',
      '',
      '',
      kernel.scale,
      kernel.zero,
      recurrent.scale,
      recurrent.zero,
    ],
  });
}

/** I */
function widthOf({ directions, units }: LstmStep): number {
  return (directions[0]?.kernel.length ?? 0) / (4 * units);
}

/** The node itself, and its directions side by side. */
function writeStates(
  graph: GraphBuilder,
  { sequences, units, directions }: LstmStep,
  name: string,
  node: { readonly op: string; readonly domain: string; readonly inputs: string[] },
): void {
  const both = directions.length === 2;
  const states = `${name}_states`;
  graph.wideNode({
    ...node,
    name: `${name}_cells`,
    outputs: sequences ? [states] : ['', states],
    attributes: {
      hidden_size: units,
      direction: both
        ? 'bidirectional'
        : directions[0]?.reverse === true
          ? 'reverse'
          : 'forward',
    },
  });
  // [T, D, B, U] or [D, B, U]
  if (!both) {
    const axes = graph.int64s(`${name}_axes`, [sequences ? 1 : 0]);
    graph.node('Squeeze', name, [states, axes]);
    return;
  }
  const perm = sequences ? [0, 2, 1, 3] : [1, 0, 2];
  const turned = graph.node('Transpose', `${name}_sides`, [states], { perm });
  const shape = [...(sequences ? [0, 0] : [0]), 2 * units];
  graph.node('Reshape', name, [turned, graph.int64s(`${name}_shape`, shape)]);
}

/** [D, 8U]: of the inputs, then of the states, which have none of their own in tfjs. */
function biasOf({ directions, units }: LstmStep): Float32Array {
  return joined(directions.flatMap(({ bias }) => [bias, new Float32Array(4 * units)]));
}

/** [rows, columns] -> [columns, rows] */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(
    { length: values.length },
    (_, i) => values[(i % rows) * columns + Math.floor(i / rows)] ?? 0,
  );
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Adds what counts the steps of each row: see `LengthsStep`. */
export function writeLengths(
  graph: GraphBuilder,
  step: LengthsStep,
  from: string,
  name: string,
): void {
  const node = (
    op: string,
    suffix: string,
    inputs: readonly string[],
    attributes: Record<string, number | number[]> = {},
  ) => graph.node(op, `${name}_${suffix}`, inputs, attributes);
  const { of, padding } = step;
  let x = node('Cast', 'floats', [from], { to: DATA_TYPES.float32 });
  if (padding !== 'zeros-behind-last' && padding.values !== 0) {
    x = node('Sub', 'moved', [x, graph.float(`${name}_padding`, padding.values)]);
  }
  x = node('Abs', 'sizes', [x]);
  if (of.length > 1) {
    const axes = of.slice(1).map((_, i) => i + 2);
    x = node('ReduceMax', 'largest', [x], { axes, keepdims: 0 });
  }
  // 1 where a step holds anything, else 0: [B, T]
  x = node('Sign', 'present', [x]);
  if (padding === 'zeros-behind-last') {
    const [steps = 0] = of;
    const numbers = Float32Array.from({ length: steps }, (_, i) => i + 1);
    x = node('Mul', 'places', [x, graph.floats(`${name}_numbers`, [steps], numbers)]);
    x = node('ReduceMax', 'last', [x], { axes: [1], keepdims: 0 });
  } else {
    const axes = graph.int64s(`${name}_axes`, [1]);
    x = node('ReduceSum', 'count', [x, axes], { keepdims: 0 });
  }
  graph.node('Cast', name, [x], { to: DATA_TYPES.int32 });
}
