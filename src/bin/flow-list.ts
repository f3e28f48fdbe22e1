// The rows of `sluice flows`: a line a flow, for people or for machines, and its hellos where they are wanted.

import type { FlowBatch } from '../flow/flow-table.ts';
import { factsOf } from '../handshake/facts.ts';
import { type Handshake, handshakeOf } from '../handshake/handshake.ts';
import { HandshakeCounts } from '../handshake/handshake-counts.ts';
import { FLOW_COLUMNS, flowCells, flowLine } from './flow-line.ts';
import { dumpHandshake, helloLines } from './handshake-dump.ts';
import { type Column, emit, heading, row } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  ...FLOW_COLUMNS,
  { title: 'version', width: 7, align: 'left' },
  { title: 'alpn', width: 11, align: 'left' },
  { title: 'server name', width: 0, align: 'left' },
];

interface FlowList {
  /** What goes above the rows. */
  readonly begin: () => Promise<void>;
  readonly batch: (file: string, batch: FlowBatch) => Promise<void>;
  /** Handshakes of the flows since the last time, by kind, version of QUIC and state. */
  readonly takeHandshakes: () => Readonly<Record<string, number>>;
}

export function flowList({
  json,
  hellos,
}: {
  readonly json: boolean;
  readonly hellos: boolean;
}): FlowList {
  let handshakes = new HandshakeCounts();
  return {
    begin: async () => {
      if (!json) await emit(heading(COLUMNS));
    },
    batch: async (file, batch) => {
      for (const flow of batch) {
        const handshake = handshakeOf(flow);
        handshakes.add(handshake);
        const line = flowLine(file, flow, factsOf(handshake));
        if (json) {
          const more = hellos ? { hellos: helloLines(handshake) } : {};
          await emit(JSON.stringify({ ...line, ...more }));
          continue;
        }
        const { version, quicVersion, alpn, sni } = line.handshake;
        const named = version ?? quicVersion ?? '-';
        await emit(row(COLUMNS, [...flowCells(line), named, alpn ?? '-', sni ?? '-']));
        if (hellos) await emitDump(handshake);
      }
    },
    takeHandshakes: () => {
      const taken = handshakes.byName();
      handshakes = new HandshakeCounts();
      return taken;
    },
  };
}

async function emitDump(handshake: Handshake): Promise<void> {
  // https://no-color.org
  const colour = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const dump = dumpHandshake(handshake, colour);
  if (dump !== '') await emit(dump);
}
