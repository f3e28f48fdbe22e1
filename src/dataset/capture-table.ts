// The flow table that a capture is read with, and what it has counted, as data sets tell it.

import type { FlowTableCounters } from '../capture/native.ts';
import { openPlainFile } from '../capture/open-capture.ts';
import type { FlowTableOptions } from '../flow/flow-table.ts';
import type { BuildOptions } from './build-options.ts';

/** Any fixed number: where a full table pushes flows out, it is always the same ones. */
const TABLE_SEED = 1;
const MAX_FLOWS = 65_536;
const POOL_BYTES = 256 * 1024 * 1024;
/** A frame of a capture file takes more than that with its head; a flow takes two. */
const FLOW_FILE_BYTES = 64;
/** A flow of two small packets takes three chunks of the pool. */
const POOL_A_FILE_BYTE = 8;
const SMALL_POOL_BYTES = 4 * 1024 * 1024;
const SMALL_FLOWS = 1_024;

export async function captureTable(
  path: string,
  { tunnels, dataset }: BuildOptions,
): Promise<Partial<FlowTableOptions>> {
  return {
    tunnels,
    seriesPackets: dataset.storedPackets,
    seed: TABLE_SEED,
    ...(await tableSize(path)),
  };
}

/** A plain small capture cannot fill a big table: making one takes longer than reading it. */
async function tableSize(path: string): Promise<{ maxFlows: number; poolBytes: number }> {
  const file = await openPlainFile(path);
  if (file === undefined) return { maxFlows: MAX_FLOWS, poolBytes: POOL_BYTES };
  const { size } = await file.stat();
  await file.close();
  return {
    maxFlows: Math.min(MAX_FLOWS, SMALL_FLOWS + Math.ceil(size / FLOW_FILE_BYTES)),
    poolBytes: Math.min(POOL_BYTES, SMALL_POOL_BYTES + POOL_A_FILE_BYTE * size),
  };
}

export function countersOf(
  counters: FlowTableCounters | undefined,
): Record<string, number> {
  if (counters === undefined) return {};
  const { frames, packets, bytes, flowsCreated, flowsWithoutPayload, poolFull } =
    counters;
  return {
    frames,
    packets,
    bytes,
    dropped: Object.values(counters.drops).reduce((sum, count) => sum + count, 0),
    flows: flowsCreated,
    flowsWithoutPayload,
    flowsEvicted: counters.flowsEnded.evicted ?? 0,
    poolFull,
  };
}
