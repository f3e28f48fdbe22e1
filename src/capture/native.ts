// The native addon (native/, built by `npm run build:native`) -> its typed face. Nothing else loads it.

import { createRequire } from 'node:module';
import { CaptureError } from '../errors.ts';

/** All as native/src/flow-table.hpp says; `seed` left out means a random one. */
interface NativeFlowTableOptions {
  readonly maxFlows: number;
  readonly maxRecords: number;
  readonly poolBytes: number;
  readonly seriesPackets: number;
  readonly payloadBytes: number;
  readonly tcpIdleTimeoutMs: number;
  readonly udpIdleTimeoutMs: number;
  readonly activeTimeoutMs: number;
  readonly closeLingerMs: number;
  readonly readyPackets: readonly number[];
  readonly readyAfterMs: number;
  readonly mtu: number;
  readonly tcp: boolean;
  readonly udp: boolean;
  readonly ports: readonly number[];
  readonly table: number;
  /** A mask, a bit for each of `NativeAddon.tunnels`. */
  readonly tunnels: number;
  readonly seed?: number | undefined;
}

/** What the flow table has counted since it was made, and what it holds now. */
export interface FlowTableCounters {
  readonly frames: number;
  /** Frames that were decoded; the others are in `drops`. */
  readonly packets: number;
  /** Of the decoded frames, on the wire. */
  readonly bytes: number;
  /** Of the decoded frames, those that an offload had joined of several packets. */
  readonly joined: number;
  /** Ended, and given up because nobody took them: their packets are counted, their records lost. */
  readonly flowsGivenUp: number;
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
  /** Records of open flows that are ready and not drained yet. */
  readonly recordsReady: number;
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
  /** What `feedFile` reads next is the beginning of a capture file. */
  startFile(): void;
  /**
   * Reads on and feeds, for some hundredths of a second at the most, in this thread: of a plain regular file alone.
   * `report` gets: number of the state (`NativeAddon.feedStates`), number of the stop (`NativeAddon.indexStops`), a
   * detail of either, bytes held behind the last whole frame, frames of unknown interfaces so far, whether anything has
   * made sense.
   */
  feedFile(descriptor: number, report: Uint32Array): void;
  /** Writes whole records; returns the bytes written, 0 when there is none or none fits. */
  drain(into: Uint8Array): number;
  flush(): void;
  counters(): FlowTableCounters;
  memoryBytes(): number;
  /** A buffer of this size takes any record. */
  maxRecordBytes(): number;
}

/** The C++ class that knows the formats of capture files: native/src/capture-indexer.hpp. */
export interface NativeCaptureIndexer {
  /**
   * Indexes the whole frames at the front of the window's bytes from..to, which follow on what has been passed before.
   * `report` gets: frames, their link type, bytes passed, number of the stop (`NativeAddon.indexStops`), bytes wanted
   * from there on, a detail of the stop, frames of unknown interfaces so far.
   */
  index(
    window: Uint8Array,
    from: number,
    to: number,
    index: Uint32Array,
    report: Uint32Array,
  ): void;
}

/** See native/src/packet-ring.hpp. */
interface NativeRingOptions {
  readonly interface: string;
  readonly blockBytes: number;
  readonly blocks: number;
  readonly retireMs: number;
  readonly promiscuous: boolean;
  readonly ignoreOutgoing: boolean;
  readonly lockMemory: boolean;
  /** Kept of each frame. */
  readonly snapBytes: number;
  readonly fanoutGroup?: number | undefined;
}

/** What one capture thread has counted, as of some 50 ms ago. */
export interface CaptureReport {
  readonly state: 'running' | 'down' | 'ending' | 'ended';
  /** It ends because its interface has gone. */
  readonly interfaceGone: boolean;
  /** That the kernel has seen for the ring, with the drops. */
  readonly ringPackets: number;
  /** For want of a free block. */
  readonly ringDrops: number;
  readonly ringFreezes: number;
  readonly batches: number;
  /** Times that records were at hand and no batch to put them in. */
  readonly waits: number;
  readonly flows: FlowTableCounters;
}

/** How a ring has come out. */
export interface RingFacts {
  /** Its memory cannot be swapped out. */
  readonly locked: boolean;
  /** The kernel tells the size of packets that it has joined. */
  readonly segmentSizes: boolean;
  readonly mtu: number;
  /** Of the flow table. */
  readonly memoryBytes: number;
  /** A batch that is lent has to be as large. */
  readonly batchBytesMin: number;
}

/** The C++ class over a capture thread. */
export interface NativeCapture {
  start(): void;
  /** Ends in good order: the last batches come, then the state is 'ended'. */
  stop(): void;
  /** Ends at once. Nothing may be called afterwards. */
  close(): void;
  /** The thread writes into `memory` until `take` names the batch. */
  lend(batch: number, memory: Uint8Array): void;
  /** Number and length of the oldest filled batch. */
  take(): readonly [batch: number, bytes: number] | undefined;
  report(): CaptureReport;
  facts(): RingFacts;
}

/** A system call that failed, as an answer: in which step, and why. */
interface NativeFault {
  readonly step: string;
  readonly errno: number;
}

/** As `ethtool -k` shows them; undefined where kernel or driver do not know the feature. */
export interface InterfaceOffloads {
  readonly gro: boolean | undefined;
  readonly lro: boolean | undefined;
  readonly gso: boolean | undefined;
  readonly tso: boolean | undefined;
  /** The VLAN tag is taken out of the frame before anybody sees it, and handed over beside it. */
  readonly rxVlan: boolean | undefined;
  readonly txVlan: boolean | undefined;
  readonly udpGro: boolean | undefined;
  readonly hwTc: boolean | undefined;
}

/** All as native/src/interface-facts.hpp says. */
export interface NativeInterfaceFacts {
  readonly index: number;
  /** Bytes of the largest IP packet. */
  readonly mtu: number;
  /** ARPHRD_* of linux/if_arp.h. */
  readonly hardwareType: number;
  readonly up: boolean;
  /** It has a carrier. */
  readonly running: boolean;
  /** Set by hand; what sniffers ask for does not show. */
  readonly promiscuous: boolean;
  readonly offloads: InterfaceOffloads;
}

/** A step of native/src/capture-probe.hpp; `errno` is 0 when it worked, undefined when it was not tried. */
interface NativeProbeStep {
  readonly step: string;
  readonly errno: number | undefined;
}

interface NativeClockFacts {
  /** By NTP, PTP or the like. */
  readonly synchronised: boolean;
  readonly maxErrorUs: number;
}

export interface NativeAddon {
  /**
   * @param changed called when there is something to take or the state has changed
   * @throws with `code` ERR_RING, `step`, `errno` and `reason` when the ring cannot be opened
   */
  readonly Capture: new (
    ring: NativeRingOptions,
    table: NativeFlowTableOptions,
    changed: () => void,
  ) => NativeCapture;
  readonly FlowTable: new (options: NativeFlowTableOptions) => NativeFlowTable;
  readonly CaptureIndexer: new () => NativeCaptureIndexer;
  /** Names of what indexing stops at, in the order of their numbers. */
  readonly indexStops: readonly string[];
  /** Why feeding from a file has stopped, in the order of their numbers. */
  readonly feedStates: readonly string[];
  readonly layoutVersion: number;
  /** The constants of flow/record-layout.ts under the names they have there. */
  readonly layout: Readonly<Record<string, unknown>>;
  readonly dropReasons: readonly string[];
  /** ENODEV for a name that no interface has. */
  readonly interfaceFacts: (name: string) => NativeInterfaceFacts | NativeFault;
  readonly probeCapture: (interfaceName: string) => readonly NativeProbeStep[];
  readonly clockFacts: () => NativeClockFacts | NativeFault;
  /** Kinds of tunnel in the order of the mask's bits. */
  readonly tunnels: readonly string[];
}

// Seen from dist/src/capture/.
const ADDON_PATH = '../../../build/Release/sluice_native.node';

/**
 * Loads the addon.
 *
 * @param layoutVersion of the flow records that the caller can read; left out: it reads none
 * @throws CaptureError ERR_NATIVE_MISSING, ERR_NATIVE_VERSION
 */
export function loadNative(layoutVersion?: number): NativeAddon {
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
  if (layoutVersion !== undefined && addon.layoutVersion !== layoutVersion) {
    throw new CaptureError(
      'ERR_NATIVE_VERSION',
      `native addon writes flow records of layout ${addon.layoutVersion}, expected ${layoutVersion}: run \`npm run build:native\``,
    );
  }
  return addon;
}
