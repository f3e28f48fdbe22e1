// Fields of a row that should say nothing of its class, or that a model may lean on instead of what the flow does. One line a field:
// what it is, and whether it is a number (then a tree is asked too).

import type { ColumnName, DatasetRow } from './dataset-schema.ts';
import { payloadSizesOf, SIZE_COLUMNS, type SizeColumns } from './flow-sizes.ts';
import { SPLIT_COLUMNS } from './split-groups.ts';

/** What the audit reads of a row. */
export const AUDIT_COLUMNS = [
  ...SPLIT_COLUMNS,
  ...SIZE_COLUMNS,
  'source',
  'protocol',
  'serverPort',
  'kind',
  'handshakeState',
  'version',
  'alpn',
  'ech',
  'clientHelloBytes',
  'serverHelloBytes',
  'cipherSuites',
  'chosenCipher',
  'software',
  'initialWindowUp',
  'initialWindowDown',
] as const satisfies readonly ColumnName[];
export type AuditRow = Pick<DatasetRow, (typeof AUDIT_COLUMNS)[number]>;

interface AuditField {
  readonly name: string;
  readonly isNumber?: true;
  /** Where a field comes from when it is no column. */
  readonly words: string;
  readonly of: (row: AuditRow, first: FirstPackets) => string | number | null;
}

/** What the first packets with payload tell; null: there are none. */
interface FirstPackets {
  readonly up: number | null;
  readonly down: number | null;
  /** Payload of the server until the client speaks again. */
  readonly serverFlight: number | null;
}

/** Packets of a server's first flight: certificates seldom take more. */
const FLIGHT_PACKETS = 64;

export const AUDIT_FIELDS: readonly AuditField[] = [
  { name: 'source', words: 'where the row is from', of: (row) => row.source },
  { name: 'capture', words: 'its capture', of: (row) => row.capture },
  { name: 'client', words: "the client's pseudonym", of: (row) => row.client },
  { name: 'host', words: "the server's pseudonym", of: (row) => row.host },
  { name: 'protocol', words: 'TCP or UDP', of: (row) => row.protocol },
  {
    name: 'serverPort',
    isNumber: true,
    words: "the server's port",
    of: (row) => row.serverPort,
  },
  { name: 'kind', words: 'TLS, QUIC or DTLS', of: (row) => row.kind },
  {
    name: 'handshakeState',
    words: 'how much of the handshake was seen',
    of: (row) => row.handshakeState,
  },
  { name: 'version', words: 'TLS or QUIC version', of: (row) => row.version },
  { name: 'alpn', words: 'application protocol (ALPN)', of: (row) => row.alpn },
  { name: 'ech', words: 'ECH in the ClientHello', of: ({ ech }) => (ech ? 'yes' : 'no') },
  {
    name: 'cipherSuites',
    words: 'list of suites offered',
    of: (row) => row.cipherSuites,
  },
  {
    name: 'chosenCipher',
    words: 'suite chosen',
    of: ({ chosenCipher }) => (chosenCipher === null ? null : String(chosenCipher)),
  },
  {
    name: 'clientHelloBytes',
    isNumber: true,
    words: "the first ClientHello's length",
    of: (row) => row.clientHelloBytes,
  },
  {
    name: 'serverHelloBytes',
    isNumber: true,
    words: "the first ServerHello's length",
    of: (row) => row.serverHelloBytes,
  },
  {
    name: 'serverFlightBytes',
    isNumber: true,
    words: "payload of the server's first flight",
    of: (_row, first) => first.serverFlight,
  },
  {
    name: 'firstSizeUp',
    isNumber: true,
    words: "payload of the client's first packet that has any",
    of: (_row, first) => first.up,
  },
  {
    name: 'firstSizeDown',
    isNumber: true,
    words: "payload of the server's first packet that has any",
    of: (_row, first) => first.down,
  },
  {
    name: 'initialWindowUp',
    isNumber: true,
    words: "the client's first TCP window",
    of: (row) => row.initialWindowUp,
  },
  {
    name: 'initialWindowDown',
    isNumber: true,
    words: "the server's first TCP window",
    of: (row) => row.initialWindowDown,
  },
  {
    name: 'software',
    words: 'what the ClientHello says of the program',
    of: (row) => row.software,
  },
  {
    name: 'clientSoftware',
    words: "the client's program, of the lab",
    of: (row) => row.clientSoftware,
  },
  {
    name: 'serverSoftware',
    words: "the server's program, of the lab",
    of: (row) => row.serverSoftware,
  },
  { name: 'profile', words: 'network profile, of the lab', of: (row) => row.profile },
  {
    name: 'seed',
    words: 'seed of the lab',
    of: ({ seed }) => (seed === null ? null : String(seed)),
  },
  {
    name: 'hourOfDay',
    isNumber: true,
    words: 'hour of the start, UTC',
    of: ({ startUs }) => (startUs === null ? null : hourOf(startUs)),
  },
];

const HOUR_US = 3_600_000_000;

function hourOf(startUs: number): number {
  return Math.floor(startUs / HOUR_US) % 24;
}

export function firstPacketsOf(row: SizeColumns): FirstPackets {
  const sizes = payloadSizesOf(row, FLIGHT_PACKETS);
  const up = sizes.find((size) => size > 0) ?? null;
  const firstDown = sizes.findIndex((size) => size < 0);
  if (firstDown === -1) return { up, down: null, serverFlight: null };
  const behind = sizes.subarray(firstDown);
  const end = behind.findIndex((size) => size > 0);
  const flight = end === -1 ? behind : behind.subarray(0, end);
  return {
    up,
    down: -(sizes[firstDown] ?? 0),
    serverFlight: -flight.reduce((sum, size) => sum + size, 0),
  };
}
