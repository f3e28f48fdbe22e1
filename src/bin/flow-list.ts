// Flows and what their handshakes say in clear, as JSON lines or as a table.

import type { FlowBatch } from '../flow/flow-table.ts';
import { factsOf, handshakeOf } from '../handshake/handshake.ts';
import { FLOW_COLUMNS, flowCells, flowLine } from './flow-line.ts';
import { type Column, emit, heading, row } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  ...FLOW_COLUMNS,
  { title: 'version', width: 7, align: 'left' },
  { title: 'alpn', width: 11, align: 'left' },
  { title: 'server name', width: 0, align: 'left' },
];

/** Prints the heading and gives what prints a batch of a file. */
export async function flowList(
  json: boolean,
): Promise<(file: string, batch: FlowBatch) => Promise<void>> {
  if (!json) await emit(heading(COLUMNS));
  return async (file, batch) => {
    for (const flow of batch) {
      const line = flowLine(file, flow, factsOf(handshakeOf(flow)));
      const { version, alpn, sni } = line.handshake;
      await emit(
        json
          ? JSON.stringify(line)
          : row(COLUMNS, [...flowCells(line), version ?? '-', alpn ?? '-', sni ?? '-']),
      );
    }
  };
}
