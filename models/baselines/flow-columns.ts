// Rows -> the columns that trees and neighbours read: sizes and gaps of the first packets, or statistics of them.

import { featuresOfRow, packetSourceOf } from '../../src/dataset/row-tensors.ts';
import type { FeatureSpec } from '../../src/features/features.ts';
import { counts, type PacketRule, sizeOf } from '../../src/features/packet-rule.ts';
import { emptyPacket } from '../../src/flow/flow-record.ts';
import type { LabelledRow } from '../data/flow-source.ts';
import type { TrainingRow } from '../data/training-row.ts';

/** Row-major numbers. */
export interface Matrix {
  readonly columns: number;
  readonly values: Float32Array;
}

export function matrixOf(
  rows: readonly LabelledRow[],
  columns: number,
  write: (row: TrainingRow, into: Float32Array) => void,
): Matrix {
  const values = new Float32Array(rows.length * columns);
  for (const [r, { row }] of rows.entries()) {
    write(row, values.subarray(r * columns, (r + 1) * columns));
  }
  return { columns, values };
}

const packet = emptyPacket();

/** Signed sizes of the first `packets`, then ln(1 + gap in us) of each; `padding` where there are fewer. */
export function sizesAndGaps(packets: number, rule: PacketRule, padding: number) {
  return (row: TrainingRow, into: Float32Array): void => {
    into.fill(padding);
    const source = packetSourceOf(row, packets);
    let [at, last] = [0, 0];
    for (let i = 0; i < source.seriesPackets && at < packets; i++) {
      source.packet(i, packet);
      if (!counts(packet, rule)) continue;
      into[at] = sizeOf(packet, rule) * packet.direction;
      if (into.length > packets) {
        const gapUs = at === 0 ? 0 : (packet.timeNs - last) / 1e3;
        into[packets + at] = Math.sign(gapUs) * Math.log1p(Math.abs(gapUs));
      }
      last = packet.timeNs;
      at++;
    }
  };
}

/** The statistics of the first `packets`, raw. */
export function statisticsAt(packets: number, spec: FeatureSpec) {
  return (row: TrainingRow, into: Float32Array): void => {
    into.set(featuresOfRow(row, spec, packets).statistics);
  };
}

/** Columns of both, side by side. */
export function beside(a: Matrix, b: Matrix): Matrix {
  const columns = a.columns + b.columns;
  const rows = a.values.length / a.columns;
  const values = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    values.set(a.values.subarray(r * a.columns, (r + 1) * a.columns), r * columns);
    values.set(
      b.values.subarray(r * b.columns, (r + 1) * b.columns),
      r * columns + a.columns,
    );
  }
  return { columns, values };
}
