// The columns of a data set, once: writers, readers, docs/dataset.md and the types of a row are made of this table.
// One row is one flow. Up is client to server. Tensors are little endian.

import { HANDSHAKE_BYTES, HANDSHAKE_MESSAGES } from '../features/shapes.ts';
import { STATISTICS } from '../features/statistics-table.ts';
import type { ColumnType, ParquetColumn } from './parquet-file.ts';

/** Raised whenever a column changes its name, type or meaning. */
export const DATASET_VERSION = 1;

/** Bytes of all handshake messages that a model reads. */
export const HANDSHAKE_SIZE: number = HANDSHAKE_MESSAGES * HANDSHAKE_BYTES;
const DOUBLE_BYTES = 8;
const STATISTICS_BYTES = STATISTICS.length * DOUBLE_BYTES;

export const COLUMN_GROUPS = [
  'identity', // which flow it is; pseudonyms, never addresses
  'label', // what is taken as true of it
  'facts', // what people and splits want to know of it
  'audit', // what gives shortcuts away: to look for leaks, and never features
  'packets', // its first packets one by one
  'handshake', // the occluded hellos, as they looked when
  'looks', // ready-made statistics, for those who read the file without Sluice
] as const;
export type ColumnGroup = (typeof COLUMN_GROUPS)[number];

interface Column {
  readonly type: ColumnType;
  readonly group: ColumnGroup;
  readonly nullable?: true;
  readonly bytes?: number;
  readonly meaning: string;
}

export const COLUMNS = {
  flow: {
    type: 'int32',
    group: 'identity',
    meaning: 'number in its capture, by start and five-tuple, from 0',
  },
  capture: {
    type: 'string',
    group: 'identity',
    meaning: "the capture's id: first 16 hex digits of the SHA-256 of its file",
  },
  source: {
    type: 'string',
    group: 'identity',
    meaning: '`capture`, `lab`, `collect`, or an imported set; declared in dataset.json',
  },
  session: {
    type: 'string',
    group: 'identity',
    meaning: 'pseudonym of the session; flows of one session share it',
  },
  client: {
    type: 'string',
    group: 'identity',
    meaning: "pseudonym of the client's address",
  },
  host: {
    type: 'string',
    group: 'identity',
    meaning: "pseudonym of the server's name, or of its address where it has none",
  },
  service: {
    type: 'string',
    group: 'label',
    nullable: true,
    meaning: 'the class; null: no label; `infrastructure` is kept out of training',
  },
  application: {
    type: 'string',
    group: 'label',
    nullable: true,
    meaning: 'the application, where the label names one',
  },
  labelSource: {
    type: 'string',
    group: 'label',
    nullable: true,
    meaning:
      '`acted` (told by who made the traffic), `name` (a rule of the label table), `category` (a list), `session` (spread), `app`',
  },
  scenario: {
    type: 'string',
    group: 'label',
    nullable: true,
    meaning: 'what was acted',
  },
  seed: {
    type: 'int64',
    group: 'label',
    nullable: true,
    meaning: 'the seed that it was acted with',
  },
  clientSoftware: {
    type: 'string',
    group: 'label',
    nullable: true,
    meaning: 'what the client ran, as told by who made the traffic',
  },
  serverSoftware: {
    type: 'string',
    group: 'label',
    nullable: true,
    meaning: 'what the server ran, as told by who made the traffic',
  },
  profile: {
    type: 'string',
    group: 'label',
    nullable: true,
    meaning: 'the network profile, as told by who made the traffic',
  },
  startUs: {
    type: 'int64',
    group: 'facts',
    nullable: true,
    meaning: 'µs since the epoch; never a feature',
  },
  durationUs: {
    type: 'int64',
    group: 'facts',
    meaning: 'first to last packet of the whole flow, µs',
  },
  protocol: { type: 'string', group: 'facts', meaning: '`tcp` or `udp`' },
  serverPort: {
    type: 'int32',
    group: 'facts',
    nullable: true,
    meaning: "the server's port; never a feature",
  },
  kind: {
    type: 'string',
    group: 'facts',
    nullable: true,
    meaning: '`tls`, `quic`, `dtls`; null: no handshake was found',
  },
  handshakeState: {
    type: 'string',
    group: 'facts',
    meaning: '`full` (both hellos whole), `partial`, `none`',
  },
  clientHello: { type: 'boolean', group: 'facts', meaning: 'a ClientHello was seen' },
  serverHello: { type: 'boolean', group: 'facts', meaning: 'a ServerHello was seen' },
  version: {
    type: 'string',
    group: 'facts',
    nullable: true,
    meaning: 'of TLS or DTLS, chosen, else the latest offered',
  },
  alpn: {
    type: 'string',
    group: 'facts',
    nullable: true,
    meaning: "the client's offers of ALPN, commas between",
  },
  ech: { type: 'boolean', group: 'facts', meaning: 'ECH, or GREASE for it, was offered' },
  packetsUp: { type: 'int64', group: 'facts', meaning: 'of the whole flow' },
  packetsDown: { type: 'int64', group: 'facts', meaning: 'of the whole flow' },
  bytesUp: {
    type: 'int64',
    group: 'facts',
    meaning: 'of the whole flow, from the IP header on (an import: as its source counts)',
  },
  bytesDown: { type: 'int64', group: 'facts', meaning: 'the same, down' },
  endReason: {
    type: 'string',
    group: 'facts',
    meaning: 'why the flow ended: END_REASONS of src/flow/record-layout.ts',
  },
  clientHelloBytes: {
    type: 'int32',
    group: 'audit',
    nullable: true,
    meaning: 'length of the first ClientHello; null: none',
  },
  serverHelloBytes: {
    type: 'int32',
    group: 'audit',
    nullable: true,
    meaning: 'length of the first ServerHello; null: none',
  },
  cipherSuites: {
    type: 'string',
    group: 'audit',
    nullable: true,
    meaning: 'digest of the offered cipher suites, GREASE left out, in their order',
  },
  chosenCipher: {
    type: 'int32',
    group: 'audit',
    nullable: true,
    meaning: "the server's choice, IANA number",
  },
  software: {
    type: 'string',
    group: 'audit',
    nullable: true,
    meaning: "digest of what the ClientHello says of the client's program",
  },
  seen: {
    type: 'int32',
    group: 'packets',
    meaning: "packets stored: the flow's first ones, at most `storedPackets`",
  },
  timesNs: {
    type: 'bytes',
    group: 'packets',
    meaning: "float64 x seen: ns since the flow's first packet",
  },
  ipLengths: {
    type: 'bytes',
    group: 'packets',
    nullable: true,
    meaning: 'uint16 x seen: from the IP header on, on the wire; null: not known',
  },
  payloadLengths: {
    type: 'bytes',
    group: 'packets',
    nullable: true,
    meaning: 'uint16 x seen: of TCP or UDP; null: not known',
  },
  tcpFlags: {
    type: 'bytes',
    group: 'packets',
    nullable: true,
    meaning:
      'uint8 x seen: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128; null: not known',
  },
  marks: {
    type: 'bytes',
    group: 'packets',
    meaning: 'uint8 x seen: 1 server to client, 2 TCP sent again or overtaken',
  },
  initialWindowUp: {
    type: 'int32',
    group: 'packets',
    nullable: true,
    meaning: "TCP window, unscaled, of the client's first packet; null: not known",
  },
  initialWindowDown: {
    type: 'int32',
    group: 'packets',
    nullable: true,
    meaning: "the same of the server's",
  },
  handshakeBytes: {
    type: 'bytes',
    group: 'handshake',
    bytes: HANDSHAKE_SIZE,
    meaning: 'uint8 [3, 600]: the hellos of the whole flow, occluded, zero-padded',
  },
  handshakeEarly: {
    type: 'bytes',
    group: 'handshake',
    nullable: true,
    meaning:
      'uint8 [k, 3, 600]: how they looked before, in the order of time; null: k is 0',
  },
  handshakeEarlyPackets: {
    type: 'bytes',
    group: 'handshake',
    nullable: true,
    meaning:
      'uint16 x (k + 1): from which packet on each of `handshakeEarly` was what one saw, and then `handshakeBytes`; before the first: zeros. 65535: not within the stored packets. null: there are no hellos',
  },
} as const satisfies Readonly<Record<string, Column>>;

export type ColumnName = keyof typeof COLUMNS;

type ValueOf<C> = C extends { type: 'string' }
  ? string
  : C extends { type: 'boolean' }
    ? boolean
    : C extends { type: 'bytes' }
      ? Uint8Array
      : number;
type NullOf<C> = C extends { nullable: true } ? null : never;

/** A look: the statistics of the flow's first packets, of all stored ones without a number. */
export type LookName = 'statistics' | `statistics_${number}`;

/** One flow. Whole numbers are numbers, all below 2^53; tensors are bytes, little endian. */
export type DatasetRow = {
  readonly [K in ColumnName]: ValueOf<(typeof COLUMNS)[K]> | NullOf<(typeof COLUMNS)[K]>;
} & {
  /** float64 [S], raw, in the order of STATISTICS; NaN where there is no value. */
  readonly [L in LookName]?: Uint8Array;
} & {
  /** Only in data sets that keep server names. */
  readonly sni?: string | null;
};

/** What decides which columns a shard has. */
export interface ColumnChoice {
  /** Packet numbers of looks. */
  readonly looks: readonly number[];
  readonly keepSni: boolean;
}

export function lookName(packets: number | undefined): LookName {
  return packets === undefined ? 'statistics' : `statistics_${packets}`;
}

/** All columns of a shard in their order. */
export function columnsOf({ looks, keepSni }: ColumnChoice): ParquetColumn[] {
  const fixed = Object.entries(COLUMNS).map(
    ([name, column]: [string, Column]): ParquetColumn => ({
      name,
      type: column.type,
      nullable: column.nullable === true,
      ...(column.bytes !== undefined && { bytes: column.bytes }),
    }),
  );
  return [
    ...fixed,
    ...(keepSni ? [{ name: 'sni', type: 'string', nullable: true } as const] : []),
    ...[...looks, undefined].map((packets) => ({
      name: lookName(packets),
      type: 'bytes' as const,
      bytes: STATISTICS_BYTES,
      nullable: false,
    })),
  ];
}
