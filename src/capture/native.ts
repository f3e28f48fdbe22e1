// The native addon (native/, built by `npm run build:native`) -> its typed face. Nothing else loads it.

import { createRequire } from 'node:module';
import { CaptureError } from '../errors.ts';

/** All as native/src/flow-table.hpp says; `seed` left out means a random one. */
export interface NativeFlowTableOptions {
  readonly maxFlows: number;
  readonly maxRecords: number;
  readonly poolBytes: number;
  readonly seriesPackets: number;
  readonly payloadBytes: number;
  readonly tcpIdleTimeoutMs: number;
  readonly udpIdleTimeoutMs: number;
  readonly activeTimeoutMs: number;
  readonly closeLingerMs: number;
  readonly seed?: number | undefined;
}

/** What the flow table has counted since it was made, and what it holds now. */
export interface FlowTableCounters {
  readonly frames: number;
  /** Frames that were decoded; the others are in `drops`. */
  readonly packets: number;
  /** Of the decoded frames, on the wire. */
  readonly bytes: number;
  readonly flowsCreated: number;
  /** Ended without ever carrying payload: counted, never handed over. */
  readonly flowsWithoutPayload: number;
  /** By end reason; with those without payload. */
  readonly flowsEnded: Readonly<Record<string, number>>;
  /** By drop reason, all of them, also at zero. */
  readonly drops: Readonly<Record<string, number>>;
  /** Packets whose payload or place in the series found the pool full. */
  readonly poolFull: number;
  readonly activeFlows: number;
  readonly recordsInUse: number;
  /** Of these, ended and not drained yet. */
  readonly recordsEnded: number;
  /** Pieces of 256 bytes of the pool. */
  readonly chunksInUse: number;
  readonly chunksPeak: number;
}

/** The C++ class. It trusts its caller in nothing that could break memory safety. */
export interface NativeFlowTable {
  /** Takes frames `from`..`from + count`; returns how many, fewer than `count` when a drain is due. */
  feed(
    block: Uint8Array,
    index: Uint32Array,
    from: number,
    count: number,
    linkType: number,
  ): number;
  /** Writes whole records; returns the bytes written, 0 when there is none or none fits. */
  drain(into: Uint8Array): number;
  flush(): void;
  counters(): FlowTableCounters;
  memoryBytes(): number;
  /** A buffer of this size takes any record. */
  maxRecordBytes(): number;
}

export interface NativeAddon {
  readonly FlowTable: new (options: NativeFlowTableOptions) => NativeFlowTable;
  readonly layoutVersion: number;
  /** The constants of flow/record-layout.ts under the names they have there. */
  readonly layout: Readonly<Record<string, unknown>>;
  readonly dropReasons: readonly string[];
}

// Seen from dist/src/capture/.
const ADDON_PATH = '../../../build/Release/sluice_native.node';

/**
 * Loads the addon.
 *
 * @param layoutVersion of the flow records that the caller can read
 * @throws CaptureError ERR_NATIVE_MISSING, ERR_NATIVE_VERSION
 */
export function loadNative(layoutVersion: number): NativeAddon {
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(ADDON_PATH) as NativeAddon;
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    throw new CaptureError(
      'ERR_NATIVE_MISSING',
      why
        ? 'native addon not built: run `npm run build:native`'
        : `native addon cannot be loaded (${String(cause)}): run \`npm run build:native\``,
      { cause },
    );
  }
  if (addon.layoutVersion !== layoutVersion) {
    throw new CaptureError(
      'ERR_NATIVE_VERSION',
      `native addon writes flow records of layout ${addon.layoutVersion}, expected ${layoutVersion}: run \`npm run build:native\``,
    );
  }
  return addon;
}
