// What twins (twin-flows.ts) mean to a split: how rows become flows that are compared, and between which parts.

import { payloadSizesOf, type SizeColumns } from './flow-sizes.ts';
import { PARTS } from './split-file.ts';
import { TWIN, type TwinFlows } from './twin-flows.ts';

/** What twins are told by, of a row. */
interface TwinRow extends SizeColumns {
  readonly service: string | null;
  readonly protocol: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export function addTwin(flows: TwinFlows, row: TwinRow): number {
  const unit = row.payloadLengths === null ? 'ip' : 'payload';
  return flows.add(payloadSizesOf(row, TWIN.packets), {
    kind: `${row.protocol} ${unit}`,
    bytesUp: row.bytesUp,
    bytesDown: row.bytesDown,
    label: row.service ?? '',
  });
}

/**
 * Test rows must be new to what was trained and to what stopped the training; validation rows to what was trained. Any fold trains
 * for any other.
 */
export function judgedAgainst(
  folds: number | undefined,
): ReadonlyMap<number, readonly number[]> {
  if (folds === undefined) {
    const train = PARTS.indexOf('train');
    const validation = PARTS.indexOf('validation');
    return new Map([
      [validation, [train]],
      [PARTS.indexOf('test'), [train, validation]],
    ]);
  }
  const all = Array.from({ length: folds }, (_, fold) => fold);
  return new Map(all.map((fold) => [fold, all.filter((other) => other !== fold)]));
}
