// Tables that are looked up -> Gather, of float rows or of int8 rows that are made floats as they are read. Axes: see
// network.ts.

import type { GraphBuilder } from './graph.ts';
import type { LookUpStep, PacketChannelsStep } from './network.ts';
import { DATA_TYPES } from './proto.ts';

const INT8_MAX = 127;

export interface Written {
  /** Of the tensor that is made. */
  readonly name: string;
  readonly precision: 'fp32' | 'int8';
}

/** Numbers of rows [B, T] -> [B, T, O] */
export function writeLookUp(
  graph: GraphBuilder,
  step: LookUpStep,
  from: string,
  written: Written,
): void {
  const rows = graph.node('Cast', `${written.name}_rows`, [from], {
    to: DATA_TYPES.int64,
  });
  gather(graph, { values: step.table, rows: step.rows }, rows, written);
}

interface Table {
  readonly values: Float32Array;
  readonly rows: number;
}

/** int64 [B, T] -> [B, T, O] */
function gather(
  graph: GraphBuilder,
  { values, rows }: Table,
  numbers: string,
  { name, precision }: Written,
): string {
  const shape = [rows, values.length / rows];
  if (precision === 'fp32') {
    const table = graph.floats(`${name}_table`, shape, values);
    return graph.node('Gather', name, [table, numbers], { axis: 0 });
  }
  const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const scale = largest > 0 ? Math.fround(largest / INT8_MAX) : 1;
  const quantized = Int8Array.from(values, (value) => Math.round(value / scale));
  const table = graph.int8s(`${name}_table_q`, shape, quantized);
  const found = graph.node('Gather', `${name}_found`, [table, numbers], { axis: 0 });
  // The zero-point by name: where it is left out, onnxruntime 1.30 turns a Transpose behind into one of uint8 and forgets
  // that its zero is 128.
  return graph.node('DequantizeLinear', name, [
    found,
    graph.float(`${name}_table_scale`, scale),
    graph.int8s(`${name}_table_zero`, [], new Int8Array(1)),
  ]);
}

/** [B, T, 3] -> [B, T, C]: see `PacketChannelsStep`. */
export function writePacketChannels(
  graph: GraphBuilder,
  step: PacketChannelsStep,
  from: string,
  { name, precision }: Written,
): void {
  const node = (op: string, suffix: string, inputs: readonly string[], attributes = {}) =>
    graph.node(op, `${name}_${suffix}`, inputs, attributes);
  const number = (suffix: string, value: number) =>
    graph.float(`${name}_${suffix}`, value);
  const channels = ['time', 'size', 'direction'].map((channel) => `${name}_${channel}`);
  graph.wideNode({
    op: 'Split',
    domain: '',
    name: `${name}_split`,
    inputs: [from],
    outputs: channels,
    attributes: { axis: 2 },
  });
  const [time = '', size = '', direction = ''] = channels;
  const parts = [time, direction];
  if (step.scaled !== undefined) {
    const amount = node('Abs', 'amount', [size]);
    parts.push(node('Mul', 'scaled', [amount, number('unit', step.scaled)]));
  }
  const { limit, sizes, bins } = step;
  if (sizes === undefined && bins === undefined) {
    graph.node('Concat', name, parts, { axis: 2 });
    return;
  }
  const present = node('Abs', 'present', [direction]);
  const bounds = [number('least', -limit), number('most', limit)];
  const clipped = node('Clip', 'clipped', [size, ...bounds]);
  const place = node('Add', 'place', [clipped, number('offset', limit)]);
  const axis = graph.int64s(`${name}_channel`, [2]);
  const rowsOf = (suffix: string, value: string) => {
    const flat = node('Squeeze', `${suffix}_flat`, [value, axis]);
    return node('Cast', `${suffix}_rows`, [flat], { to: DATA_TYPES.int64 });
  };
  const look = (suffix: string, table: Table, value: string) =>
    gather(graph, table, rowsOf(suffix, value), { name: `${name}_${suffix}`, precision });
  if (sizes !== undefined) {
    const table = { values: sizes, rows: 2 * limit + 1 };
    const found = look('sizes', table, node('Round', 'whole', [place]));
    parts.push(node('Mul', 'embedded', [found, present]));
  }
  if (bins !== undefined) {
    const table = { values: bins.table, rows: bins.rows };
    const position = node('Div', 'position', [place, number('bin', bins.bytes)]);
    const low = node('Floor', 'low', [position]);
    const one = number('one', 1);
    const high = node('Add', 'high', [low, one]);
    const share = node('Sub', 'share', [position, low]);
    const rest = node('Sub', 'rest', [one, share]);
    const below = node('Mul', 'below_share', [look('below', table, low), rest]);
    const above = node('Mul', 'above_share', [look('above', table, high), share]);
    const mixed = node('Add', 'mixed', [below, above]);
    parts.push(node('Mul', 'binned', [mixed, present]));
  }
  graph.node('Concat', name, parts, { axis: 2 });
}
