// What training and evaluation read of a data set's row, and what they call its label.

import type { RowColumn } from '../../src/dataset/dataset-reader.ts';
import type { DatasetRow } from '../../src/dataset/dataset-schema.ts';

/** Who it is, what it is, what splits go by. No features. */
export const LABEL_COLUMNS = [
  'flow',
  'capture',
  'source',
  'session',
  'client',
  'host',
  'service',
  'application',
  'scenario',
  'seed',
  'clientSoftware',
  'serverSoftware',
  'profile',
  'startUs',
  'seen',
] as const satisfies readonly RowColumn[];

/** And what features and figures are made of. */
export const TRAINING_COLUMNS = [
  ...LABEL_COLUMNS,
  'protocol',
  'version',
  'alpn',
  'handshakeState',
  'packetsUp',
  'packetsDown',
  'timesNs',
  'ipLengths',
  'payloadLengths',
  'tcpFlags',
  'marks',
  'initialWindowUp',
  'initialWindowDown',
  'handshakeBytes',
  'handshakeEarly',
  'handshakeEarlyPackets',
] as const satisfies readonly RowColumn[];

export type LabelRow = Pick<DatasetRow, (typeof LABEL_COLUMNS)[number]>;
export type TrainingRow = Pick<DatasetRow, (typeof TRAINING_COLUMNS)[number]>;

/** What a class is: one of a few services, or an application. The same networks learn either. */
export const LEVELS = ['service', 'application'] as const;
export type Level = (typeof LEVELS)[number];

/** undefined: the row says nothing at this level. */
export function labelOf(
  row: Pick<LabelRow, 'service' | 'application'>,
  level: Level,
): string | undefined {
  return row[level] ?? undefined;
}

/** Bytes a packet takes in a row: time, two lengths, flags, marks. */
const PACKET_BYTES = 14;
/** What a row takes besides its packets: handshake, early looks, strings, objects; measured on 60,000 rows. */
const ROW_BYTES = 4_096;

/** Memory that a row takes, roughly. */
export function rowBytes(packets: number): number {
  return ROW_BYTES + PACKET_BYTES * packets;
}

/** The row without the packets behind the first `packets`: no look of a model sees them. */
export function trimRow(row: TrainingRow, packets: number): TrainingRow {
  if (row.seen <= packets) return row;
  const first = (bytes: Uint8Array, width: number) => bytes.slice(0, packets * width);
  const firstOf = (bytes: Uint8Array | null, width: number) =>
    bytes === null ? null : first(bytes, width);
  return {
    ...row,
    seen: packets,
    timesNs: first(row.timesNs, 8),
    ipLengths: firstOf(row.ipLengths, 2),
    payloadLengths: firstOf(row.payloadLengths, 2),
    tcpFlags: firstOf(row.tcpFlags, 1),
    marks: first(row.marks, 1),
  };
}
