// Blocks of frames -> batches of ended flows: the typed face of the native flow table.

import { getSystemErrorName } from 'node:util';
import { type CaptureNotes, noteHalt, noteHomeless } from '../capture/capture-faults.ts';
import type { FrameBlock } from '../capture/frame-index.ts';
import {
  type FlowTableCounters,
  loadNative,
  type NativeFlowTable,
} from '../capture/native.ts';
import { breathe } from '../capture/open-capture.ts';
import { CaptureError, InputError } from '../errors.ts';
import { FlowRecord } from './flow-record.ts';
import { HEADER, RECORD_LAYOUT_VERSION } from './record-layout.ts';
import { isTunnel, TUNNELS, type Tunnel, tunnelMask } from './tunnels.ts';

/** All memory is taken when the table is made and never grows; with the defaults 90 MB. */
export interface FlowTableOptions {
  /** Flows at a time. A further one pushes out the longest silent of a few. */
  readonly maxFlows: number;
  /** Flows that carry payload or have answered, and ended ones not handed over; `maxFlows` unless given. */
  readonly maxRecords: number;
  /** For series and payload of all flows. */
  readonly poolBytes: number;
  /** Packets of a flow that its record describes one by one. */
  readonly seriesPackets: number;
  /** Stored payload per flow and direction, with 8 bytes for each segment. */
  readonly payloadBytes: number;
  readonly tcpIdleTimeoutMs: number;
  readonly udpIdleTimeoutMs: number;
  /** A flow that goes on for longer is cut: what follows is another flow. */
  readonly activeTimeoutMs: number;
  /** How long a closed flow waits for the last ACKs. */
  readonly closeLingerMs: number;
  /**
   * A flow that carries payload is handed over, open, once it has so many packets; at most four, each greater than the
   * one before. None unless given.
   */
  readonly readyPackets: readonly number[];
  /** And after so long, if it has not been by then; 0: never. */
  readonly readyAfterMs: number;
  /**
   * TCP packets longer than this were joined by an offload. In the series they are split as the kernel says, or else by
   * MSS and MTU; 0: left as they are. Counters tell what was captured, unless the kernel says how many packets it was.
   */
  readonly mtu: number;
  /** Whether TCP packets are wanted; what is not becomes no flow, and is counted as the drop "unwanted". */
  readonly tcp: boolean;
  readonly udp: boolean;
  /** One of them has to stand at either end; empty: any. */
  readonly ports: readonly number[];
  /** Number of this table among several: part of each flow's id. */
  readonly table: number;
  /** Kinds to be opened: a flow is then one of the innermost packets. All unless given. */
  readonly tunnels: readonly Tunnel[];
  /** Of the table's hash; random unless given. Results do not depend on it. */
  readonly seed?: number;
}

export const FLOW_TABLE_DEFAULTS = {
  maxFlows: 65_536,
  poolBytes: 64 * 1024 * 1024,
  seriesPackets: 128,
  payloadBytes: 16_384,
  tcpIdleTimeoutMs: 300_000,
  udpIdleTimeoutMs: 60_000,
  activeTimeoutMs: 1_800_000,
  closeLingerMs: 5_000,
  readyPackets: [],
  readyAfterMs: 0,
  mtu: 1_500,
  tcp: true,
  udp: true,
  ports: [],
  table: 0,
  tunnels: TUNNELS,
} as const;

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** RFC 791: what every host has to take. */
export const MTU_LEAST = 576;
export const READY_STEPS_MAX = 4;
/** kMaxFilterPorts of native/src/packet-filter.hpp. */
export const PORTS_MAX = 1_024;

/** Least and greatest value of each option: those of FlowTableOptions::valid in native/src/flow-table.cpp. */
export const FLOW_TABLE_BOUNDS: Readonly<
  Record<
    Exclude<keyof FlowTableOptions, 'readyPackets' | 'ports' | 'tunnels' | 'tcp' | 'udp'>,
    readonly [number, number]
  >
> = {
  maxFlows: [16, 2 ** 24],
  maxRecords: [16, 2 ** 24],
  poolBytes: [65_536, 2 ** 36],
  seriesPackets: [0, 1_024],
  payloadBytes: [0, 65_536],
  tcpIdleTimeoutMs: [1, WEEK_MS],
  udpIdleTimeoutMs: [1, WEEK_MS],
  activeTimeoutMs: [1, WEEK_MS],
  closeLingerMs: [0, WEEK_MS],
  readyAfterMs: [0, DAY_MS],
  mtu: [0, 65_535],
  table: [0, 255],
  seed: [0, Number.MAX_SAFE_INTEGER],
};

const BATCH_BYTES = 1024 * 1024;
/** Numbers that `feedFile` reports a call. */
const FEED_REPORT_WORDS = 6;

/** Ended flows. Its records are views into a buffer that the next batch of the same table overwrites. */
export class FlowBatch implements Iterable<FlowRecord> {
  readonly #bytes: Uint8Array;

  /** @param bytes records back to back */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  *[Symbol.iterator](): Generator<FlowRecord> {
    const bytes = this.#bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.byteLength; ) {
      yield new FlowRecord(bytes, at);
      at += view.getUint32(at + HEADER.recordBytes, true);
    }
  }
}

/** Tells flows apart and collects their records. What its two generators yield has to be read at once. */
export class FlowTable {
  readonly #native: NativeFlowTable;
  readonly #into: Uint8Array;
  readonly #feedStates: readonly string[];
  readonly #indexStops: readonly string[];

  /**
   * @throws CaptureError ERR_FLOW_TABLE_OPTION: a value out of bounds; ERR_FLOW_TABLE_MEMORY: not enough of it;
   * ERR_NATIVE_MISSING, ERR_NATIVE_VERSION: the addon has to be built.
   */
  constructor(options: Partial<FlowTableOptions> = {}) {
    const all = completeOptions(options);
    const {
      FlowTable: Native,
      feedStates,
      indexStops,
    } = loadNative(RECORD_LAYOUT_VERSION);
    this.#feedStates = feedStates;
    this.#indexStops = indexStops;
    try {
      this.#native = new Native({ ...all, tunnels: tunnelMask(all.tunnels) });
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      throw new CaptureError(code ?? 'ERR_FLOW_TABLE', message, { cause });
    }
    this.#into = new Uint8Array(Math.max(BATCH_BYTES, this.#native.maxRecordBytes()));
  }

  /**
   * Feeds a block and gives the flows that have ended by then. The block is fed to its end only if the generator is
   * run to its end. A batch is valid until the next one is asked for.
   */
  *process(block: FrameBlock): Generator<FlowBatch> {
    const { bytes, index, frames, linkType } = block;
    for (let from = 0; from < frames; ) {
      from += this.#native.feed(bytes, index, from, frames - from, linkType);
      yield* this.#ended();
    }
  }

  /**
   * Feeds a plain regular file from its beginning, read by the addon, and gives the flows that have ended. A batch is
   * valid until the next one is asked for.
   *
   * @throws InputError as `readCapture` does; ERR_CAPTURE_READ: the kernel refuses to read it
   */
  async *processFile(
    descriptor: number,
    notes: CaptureNotes,
  ): AsyncGenerator<FlowBatch, void> {
    const report = new Uint32Array(FEED_REPORT_WORDS);
    this.#native.startFile();
    for (;;) {
      this.#native.feedFile(descriptor, report);
      const [state = 0, stop = 0, detail = 0, held = 0, homeless = 0, sound = 0] = report;
      for (const batch of this.#ended()) yield batch;
      noteHomeless(homeless, notes);
      switch (this.#feedStates[state]) {
        case 'drain':
          break;
        case 'pause':
          await breathe();
          break;
        case 'failed':
          throw new InputError(
            'ERR_CAPTURE_READ',
            `cannot be read (${getSystemErrorName(-detail)})`,
          );
        default: {
          const halt = {
            stop: this.#indexStops[stop] ?? '',
            detail,
            held,
            sound: sound !== 0,
          };
          noteHalt(halt, true, notes);
          return;
        }
      }
    }
  }

  /** Ends all flows and gives those that have not been given. A batch is valid until the next one is asked for. */
  *finish(): Generator<FlowBatch> {
    this.#native.flush();
    yield* this.#ended();
  }

  counters(): FlowTableCounters {
    return this.#native.counters();
  }

  /** What the table has reserved; the kernel hands it out as it is used. */
  get memoryBytes(): number {
    return this.#native.memoryBytes();
  }

  *#ended(): Generator<FlowBatch> {
    for (;;) {
      const length = this.#native.drain(this.#into);
      if (length === 0) return;
      yield new FlowBatch(this.#into.subarray(0, length));
    }
  }
}

/**
 * Options with defaults for what is left out.
 *
 * @throws CaptureError ERR_FLOW_TABLE_OPTION
 */
export function completeOptions(options: Partial<FlowTableOptions>): FlowTableOptions {
  const maxRecords = options.maxFlows ?? FLOW_TABLE_DEFAULTS.maxFlows;
  const all = { ...FLOW_TABLE_DEFAULTS, maxRecords, ...options };
  for (const [name, value] of Object.entries(all)) {
    const expected = fault(name, value);
    if (expected !== undefined) throw badOption(name, value, expected);
  }
  if (all.maxRecords > all.maxFlows) {
    throw badOption('maxRecords', all.maxRecords, `at most maxFlows, ${all.maxFlows}`);
  }
  if (all.mtu !== 0 && all.mtu < MTU_LEAST) {
    throw badOption('mtu', all.mtu, `0 or at least ${MTU_LEAST}`);
  }
  if (!all.tcp && !all.udp) throw badOption('tcp', false, 'tcp or udp to be wanted');
  return all;
}

const whole = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;

/** What a value should have been; undefined where it is all right. */
function fault(name: string, value: unknown): string | undefined {
  switch (name) {
    case 'tcp':
    case 'udp':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'ports': {
      const ports = value as readonly number[];
      const fine =
        ports.length <= PORTS_MAX && ports.every((port) => whole(port, 1, 0xffff));
      return fine ? undefined : `at most ${PORTS_MAX} ports from 1 to 65535`;
    }
    case 'tunnels':
      return Array.isArray(value) && value.every(isTunnel)
        ? undefined
        : `a list of some of ${TUNNELS.join(', ')}`;
    case 'readyPackets': {
      const steps = value as readonly number[];
      const fine =
        steps.length <= READY_STEPS_MAX &&
        steps.every((step, i) => whole(step, (steps[i - 1] ?? 0) + 1, 0xffff));
      return fine
        ? undefined
        : `at most ${READY_STEPS_MAX} whole numbers up to 65535, each greater than the one before`;
    }
    default: {
      const bounds = FLOW_TABLE_BOUNDS[name as keyof typeof FLOW_TABLE_BOUNDS];
      if (bounds === undefined)
        return `no such option; there are ${Object.keys(FLOW_TABLE_DEFAULTS).join(', ')}`;
      if (value === undefined && name === 'seed') return undefined;
      const [least, most] = bounds;
      return whole(value, least, most)
        ? undefined
        : `a whole number from ${least} to ${most}`;
    }
  }
}

function badOption(name: string, value: unknown, expected: string): CaptureError {
  return new CaptureError(
    'ERR_FLOW_TABLE_OPTION',
    `flow table: ${name} is ${typeof value === 'number' ? value : JSON.stringify(value)}, expected ${expected}`,
  );
}
