// A flow record -> its row but for what the whole capture decides: number, session and label.

import { createHash } from 'node:crypto';
import type { FlowRecord } from '../flow/flow-record.ts';
import type { OcclusionOptions } from '../handshake/canary.ts';
import { uint16s } from '../handshake/cursor.ts';
import { factsOf } from '../handshake/facts.ts';
import type { Handshake } from '../handshake/handshake.ts';
import { type Hello, isGrease } from '../handshake/hello.ts';
import type { DatasetRow } from './dataset-schema.ts';
import { handshakeColumns, packetColumns } from './row-tensors.ts';

type Undecided =
  | 'flow'
  | 'capture'
  | 'source'
  | 'session'
  | 'client'
  | 'host'
  | 'service'
  | 'application'
  | 'labelSource'
  | 'scenario'
  | 'seed'
  | 'clientSoftware'
  | 'serverSoftware'
  | 'profile'
  | 'software'
  | 'sni'
  | 'statistics'
  | `statistics_${number}`;

export interface FlowDraft {
  readonly row: Omit<DatasetRow, Undecided>;
  /** What becomes a pseudonym, and never stands in the file. */
  readonly client: string;
  readonly server: string;
  readonly sni: string | null;
}

export function flowDraft(
  flow: FlowRecord,
  handshake: Handshake,
  occlusion: OcclusionOptions,
): FlowDraft {
  const { client, server, serverPort, startUs, packets, bytes } = flow;
  const facts = factsOf(handshake);
  return {
    row: {
      startUs,
      durationUs: Math.round(flow.durationNs / 1000),
      protocol: flow.transport,
      serverPort,
      kind: facts.kind,
      handshakeState: facts.state,
      clientHello: facts.clientHello,
      serverHello: facts.serverHello,
      version: facts.version,
      alpn: facts.alpn,
      ech: facts.ech,
      packetsUp: packets.up,
      packetsDown: packets.down,
      bytesUp: bytes.up,
      bytesDown: bytes.down,
      endReason: flow.endReason,
      ...auditColumns(handshake),
      ...packetColumns(flow),
      ...handshakeColumns(flow, handshake, occlusion),
    },
    client,
    server,
    sni: facts.sni,
  };
}

type AuditColumns = Pick<
  DatasetRow,
  'clientHelloBytes' | 'serverHelloBytes' | 'cipherSuites' | 'chosenCipher'
>;

function auditColumns({ hellos }: Handshake): AuditColumns {
  const client = hellos.find(({ kind }) => kind === 'client' || kind === 'chlo');
  const server = hellos.find(
    (hello): hello is Hello => hello.kind === 'server' || hello.kind === 'retry',
  );
  const suites = client?.kind === 'client' ? uint16s(client.cipherSuites) : undefined;
  return {
    clientHelloBytes: client?.message.byteLength ?? null,
    serverHelloBytes: server?.message.byteLength ?? null,
    cipherSuites: suites === undefined ? null : suitesDigest(suites),
    chosenCipher: server === undefined ? null : (uint16s(server.cipherSuites)[0] ?? null),
  };
}

const SUITES_DIGITS = 16;

function suitesDigest(suites: readonly number[]): string {
  const plain = suites.filter((suite) => !isGrease(suite));
  const digest = createHash('sha256').update(plain.join(' ')).digest('hex');
  return digest.slice(0, SUITES_DIGITS);
}
