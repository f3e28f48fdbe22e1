// A flow of a public set -> its row. What the set does not know is null, or what a flow without a handshake has.

import { createHash } from 'node:crypto';
import type { PacketRule } from '../../features/packet-rule.ts';
import { PACKET_MARKS } from '../../flow/record-layout.ts';
import type { DatasetRow } from '../dataset-schema.ts';
import type { LabelTable } from '../label-table.ts';
import { littleEndian } from '../parquet-file.ts';
import type { Pseudonyms } from '../pseudonyms.ts';
import { lookColumns, NO_HANDSHAKE_COLUMNS, type PacketRow } from '../row-tensors.ts';
import type { AppTable } from './apps.ts';
import type { Converted } from './definition.ts';
import type { ImportedFlow } from './imported-flow.ts';

/** What the rows of a unit have in common. */
export interface RowContext {
  /** The unit's id. */
  readonly capture: string;
  /** The set's name. */
  readonly source: string;
  /** By the unit's whole hash. */
  readonly pseudonyms: Pseudonyms;
  readonly apps: AppTable;
  /** For sets with server names, where the table of applications has no rule. */
  readonly labels: LabelTable;
  readonly counted: PacketRule;
  readonly looks: readonly number[];
}

type Label = Pick<DatasetRow, 'service' | 'application' | 'labelSource'>;

export function importRow(
  flow: ImportedFlow,
  converted: Converted,
  number: number,
  context: RowContext,
): DatasetRow {
  const { capture, source, looks, counted } = context;
  const session = sessionOf(flow, number, context);
  const packets = packetsOf(converted);
  const { client, server, serverName } = flow;
  const address = serverName ?? server;
  return {
    flow: number,
    capture,
    source,
    session,
    // A set without addresses has no clients that could be told apart but by session.
    client: client === undefined ? session : context.pseudonyms('client', client),
    host: address === undefined ? session : context.pseudonyms('host', address),
    ...labelOf(flow, context),
    scenario: null,
    seed: null,
    clientSoftware: null,
    serverSoftware: null,
    profile: null,
    startUs: flow.startUs ?? null,
    durationUs: flow.durationUs,
    serverPort: flow.serverPort ?? null,
    kind: flow.kind ?? null,
    handshakeState: 'none',
    clientHello: false,
    serverHello: false,
    version: null,
    alpn: null,
    ech: false,
    packetsUp: flow.packetsUp,
    packetsDown: flow.packetsDown,
    bytesUp: flow.bytesUp,
    bytesDown: flow.bytesDown,
    endReason: 'flush',
    clientHelloBytes: null,
    serverHelloBytes: null,
    cipherSuites: null,
    chosenCipher: null,
    software: null,
    ...packets,
    ...NO_HANDSHAKE_COLUMNS,
    ...lookColumns(packets, looks, counted),
  };
}

function packetsOf(converted: Converted): PacketRow {
  const { protocol, timesNs, ipLengths, payloadLengths, down } = converted;
  return {
    protocol,
    seen: timesNs.length,
    timesNs: littleEndian(timesNs),
    ipLengths: ipLengths === undefined ? null : littleEndian(ipLengths),
    payloadLengths: payloadLengths === undefined ? null : littleEndian(payloadLengths),
    tcpFlags: null,
    marks: down.map((is) => (is === 1 ? PACKET_MARKS.down : 0)),
    initialWindowUp: null,
    initialWindowDown: null,
  };
}

/** The application's name decides, else the server's; an application without a service keeps its name. */
function labelOf({ app, serverName }: ImportedFlow, context: RowContext): Label {
  const known = context.apps.find(app);
  if (known?.service !== undefined) {
    const { service, application } = known;
    return { service, application, labelSource: 'app' };
  }
  const named = serverName === undefined ? undefined : context.labels.find(serverName);
  if (named !== undefined) {
    const { service, application = app, by } = named;
    return { service, application, labelSource: by === 'category' ? by : 'name' };
  }
  return {
    service: null,
    application: known?.application ?? app,
    labelSource: 'app',
  };
}

/** Linked over the files of a set; a flow of a set without sessions is one of its own. */
function sessionOf(
  { app, session }: ImportedFlow,
  number: number,
  { source, capture }: RowContext,
): string {
  const parts =
    session === undefined ? [capture, String(number)] : [source, app, session];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part}\0`);
  return hash.digest('hex').slice(0, 16);
}
