// A capture's name -> its flows, batch by batch: the offline way into the very flow table that live capture feeds.

import type { CaptureNotes } from '../capture/capture-faults.ts';
import { openCapture, openPlainFile } from '../capture/open-capture.ts';
import { readCapture } from '../capture/pcap.ts';
import { type FlowBatch, FlowTable, type FlowTableOptions } from './flow-table.ts';

/** What is known of a capture once it has been read. */
export interface CaptureSummary extends CaptureNotes {
  /** The flow table's counters at the end. */
  counters: ReturnType<FlowTable['counters']> | undefined;
  /** The flow table, once there is one: what it has counted so far. */
  table?: FlowTable;
}

export function emptySummary(): CaptureSummary {
  return { truncated: undefined, skipped: {}, counters: undefined };
}

/**
 * Reads a capture ('-' is standard input) and gives its flows as they end; `summary` is filled on the way. A batch is
 * valid until the next one is asked for.
 *
 * @throws InputError when the capture cannot be opened or is none.
 */
export async function* readFlows(
  name: string,
  options: Partial<FlowTableOptions>,
  summary: CaptureSummary,
): AsyncGenerator<FlowBatch> {
  const table = new FlowTable(options);
  summary.table = table;
  const file = await openPlainFile(name);
  if (file === undefined) {
    for await (const block of readCapture(openCapture(name, summary), summary)) {
      for (const batch of table.process(block)) yield batch;
    }
  } else {
    try {
      yield* table.processFile(file.fd, summary);
    } finally {
      await file.close();
    }
  }
  yield* table.finish();
  summary.counters = table.counters();
}
