// A flow as a line: the JSON object that scripts depend on, and the cells of a table for people.

import type { FlowRecord } from '../flow/flow-record.ts';
import type { HandshakeFacts } from '../handshake/facts.ts';
import { type Column, formatBytes, thousands } from './terminal.ts';

/** What every line of a flow holds. Names are a contract. */
interface FlowFacts {
  readonly protocol: 'tcp' | 'udp';
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** Of the outermost tag; null when untagged. */
  readonly vlan: number | null;
  /** Both ways. */
  readonly packets: number;
  /** IP bytes both ways. */
  readonly bytes: number;
  readonly startUs: number;
  readonly durationUs: number;
  readonly endReason: string;
  readonly handshake: HandshakeFacts;
}

/** The line of `sluice flows --json`. */
export interface FlowLine extends FlowFacts {
  readonly file: string;
}

/** The line of `sluice capture --json`: a flow may have several, the last one is not `open`. */
export interface LiveFlowLine extends FlowFacts {
  readonly interface: string;
  /** The same in all lines of a flow. */
  readonly id: number;
  /** Lines of this flow before this one. */
  readonly handovers: number;
}

export function flowLine(
  file: string,
  flow: FlowRecord,
  handshake: HandshakeFacts,
): FlowLine {
  return { file, ...flowFacts(flow, handshake) };
}

export function liveFlowLine(
  name: string,
  flow: FlowRecord,
  handshake: HandshakeFacts,
): LiveFlowLine {
  const { id, handovers } = flow;
  return { interface: name, id, handovers, ...flowFacts(flow, handshake) };
}

function flowFacts(flow: FlowRecord, handshake: HandshakeFacts): FlowFacts {
  const { packets, bytes } = flow;
  return {
    protocol: flow.transport,
    client: flow.client,
    clientPort: flow.clientPort,
    server: flow.server,
    serverPort: flow.serverPort,
    vlan: flow.vlan ?? null,
    packets: packets.up + packets.down,
    bytes: bytes.up + bytes.down,
    startUs: flow.startUs,
    durationUs: Math.round(flow.durationNs / 1000),
    endReason: flow.endReason,
    handshake,
  };
}

export const FLOW_COLUMNS: readonly Column[] = [
  { title: 'client', width: 26, align: 'left' },
  { title: 'server', width: 26, align: 'left' },
  { title: 'proto', width: 5, align: 'left' },
  { title: 'packets', width: 7, align: 'right' },
  { title: 'bytes', width: 8, align: 'right' },
  { title: 'seconds', width: 8, align: 'right' },
  { title: 'handshake', width: 9, align: 'left' },
];

export function flowCells(line: FlowFacts): string[] {
  return [
    endpoint(line.client, line.clientPort),
    endpoint(line.server, line.serverPort),
    line.protocol,
    thousands(line.packets),
    formatBytes(line.bytes),
    (line.durationUs / 1e6).toFixed(3),
    line.handshake.state,
  ];
}

/** [::1]:443, 10.0.0.1:443. */
export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
