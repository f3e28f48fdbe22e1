// An interface -> batches of flows as they get ready and end. Every ring has a native thread of its own, which owns its
// flow table and never waits for this side (native/src/capture-thread.hpp).

import { randomInt } from 'node:crypto';
import {
  type CaptureReport,
  loadNative,
  type NativeCapture,
  type RingFacts,
} from '../capture/native.ts';
import { ringFault } from '../capture/ring-faults.ts';
import { completeOptions, FlowBatch, type FlowTableOptions } from './flow-table.ts';
import { RECORD_LAYOUT_VERSION } from './record-layout.ts';
import { tunnelMask } from './tunnels.ts';

export interface LiveOptions {
  readonly interface: string;
  /** Rings among which the kernel deals the flows, each with a thread and a flow table. */
  readonly rings: number;
  /** A power of two of pages. */
  readonly blockBytes: number;
  /** Of each ring. */
  readonly blocks: number;
  /** A block with frames in it is handed over after so long, full or not. */
  readonly retireMs: number;
  readonly promiscuous: boolean;
  /** Frames that this machine sends are not captured. */
  readonly ignoreOutgoing: boolean;
  readonly lockMemory: boolean;
  /** Kept of each frame. */
  readonly snapBytes: number;
  /** Of all rings together: memory is shared out equally. */
  readonly table: Partial<FlowTableOptions>;
}

export const LIVE_DEFAULTS = {
  rings: 1,
  blockBytes: 1 << 20,
  blocks: 64,
  retireMs: 4,
  promiscuous: false,
  ignoreOutgoing: false,
  lockMemory: true,
  snapBytes: 9_216,
  table: {},
} as const;

/** Batches of each ring: while one is read the others are filled. */
const BATCHES = 16;
/** At least; a batch takes any record. */
const BATCH_BYTES = 256 * 1024;
export const RINGS_MAX = 64;

/** Flows in memory that is on loan: `release` gives it back, and what is read afterwards is empty. */
export class LiveBatch extends FlowBatch {
  readonly #release: () => void;
  #released = false;

  constructor(bytes: Uint8Array, release: () => void) {
    super(bytes);
    this.#release = release;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#release();
  }
}

/** One ring's thread and the memory of its batches. */
class Ring {
  readonly #native: NativeCapture;
  readonly #memory: Uint8Array<ArrayBuffer>[];
  readonly facts: RingFacts;

  constructor(native: NativeCapture) {
    this.#native = native;
    this.facts = native.facts();
    const length = Math.max(BATCH_BYTES, this.facts.batchBytesMin);
    this.#memory = Array.from({ length: BATCHES }, () => new Uint8Array(length));
    this.#memory.forEach((memory, batch) => {
      native.lend(batch, memory);
    });
  }

  start(): void {
    this.#native.start();
  }

  stop(): void {
    this.#native.stop();
  }

  close(): void {
    this.#native.close();
  }

  report(): CaptureReport {
    return this.#native.report();
  }

  take(): LiveBatch | undefined {
    const taken = this.#native.take();
    if (taken === undefined) return undefined;
    const [batch, bytes] = taken;
    const memory = this.#memory[batch];
    if (memory === undefined) return undefined;
    return new LiveBatch(memory.subarray(0, bytes), () => this.#giveBack(batch, memory));
  }

  /** The same memory under a new name: whoever still holds a view of the old one finds it empty. */
  #giveBack(batch: number, memory: Uint8Array<ArrayBuffer>): void {
    const { buffer } = memory;
    const moved = new Uint8Array(structuredClone(buffer, { transfer: [buffer] }));
    this.#memory[batch] = moved;
    this.#native.lend(batch, moved);
  }
}

/** A capture under way. */
export class LiveFlows {
  readonly #rings: readonly Ring[];
  /** Ends the wait for a change. */
  #wake: () => void = () => {};

  private constructor(make: (index: number, changed: () => void) => Ring, rings: number) {
    const made: Ring[] = [];
    try {
      for (let i = 0; i < rings; i++) made.push(make(i, () => this.#wake()));
    } catch (fault) {
      for (const ring of made) ring.close();
      throw fault;
    }
    this.#rings = made;
  }

  /**
   * Opens the rings; capturing begins with `batches`.
   *
   * @throws InputError what the kernel refuses: unknown interface, no permission, sizes
   * @throws CaptureError an option out of bounds, no memory, no addon
   */
  static open(options: LiveOptions): LiveFlows {
    const { rings, table, ...ring } = options;
    const whole = completeOptions(table);
    const part = {
      ...whole,
      tunnels: tunnelMask(whole.tunnels),
      maxFlows: Math.max(16, Math.ceil(whole.maxFlows / rings)),
      maxRecords: Math.max(16, Math.ceil(whole.maxRecords / rings)),
      poolBytes: Math.max(65_536, Math.ceil(whole.poolBytes / rings)),
    };
    const { Capture } = loadNative(RECORD_LAYOUT_VERSION);
    // Sockets of one group and one namespace share the flows: another process must not be in it.
    const fanoutGroup = rings > 1 ? randomInt(1, 0xffff) : undefined;
    const make = (index: number, changed: () => void): Ring => {
      try {
        return new Ring(
          new Capture({ ...ring, fanoutGroup }, { ...part, table: index }, changed),
        );
      } catch (fault) {
        throw ringFault(fault, options);
      }
    };
    return new LiveFlows(make, rings);
  }

  /** How the first ring has come out; the others are like it. */
  get facts(): RingFacts {
    const [first] = this.#rings;
    if (first === undefined) throw new Error('a capture has one ring at least');
    return first.facts;
  }

  /** Of each ring. */
  reports(): CaptureReport[] {
    return this.#rings.map((ring) => ring.report());
  }

  /**
   * Captures until `signal` aborts or the interface is gone; then all flows end and are given too. To be run to its end
   * once. Each batch has to be released; while none is, flows wait in the table, and are given up there when it is full.
   */
  async *batches(signal: AbortSignal): AsyncGenerator<LiveBatch> {
    const stop = () => {
      for (const ring of this.#rings) ring.stop();
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      for (const ring of this.#rings) ring.start();
      if (signal.aborted) stop();
      for (;;) {
        const change = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        // The order matters: an ended ring has handed over everything before it said so.
        const ended = this.#rings.map((ring) => ring.report().state === 'ended');
        const batches = this.#rings.map((ring) => ring.take());
        yield* batches.filter((batch) => batch !== undefined);
        if (batches.some((batch) => batch !== undefined)) continue;
        if (ended.every(Boolean)) return;
        await change;
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Ends threads and rings at once; no batch is valid any more. */
  close(): void {
    for (const ring of this.#rings) ring.close();
  }
}
