// Where an agent's flows come from: an interface, or captures fed through the very same table, at full speed or at that
// of their packets.

import { setTimeout as sleep } from 'node:timers/promises';
import { type FrameBlock, INDEX_WORDS } from '../capture/frame-index.ts';
import type { FlowTableCounters } from '../capture/native.ts';
import { openCapture } from '../capture/open-capture.ts';
import { readCapture } from '../capture/pcap.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { type FlowBatch, FlowTable, type FlowTableOptions } from '../flow/flow-table.ts';
import { LiveFlows, type LiveOptions } from '../flow/live-flows.ts';
import { emptySummary } from '../flow/read-flows.ts';
import type { Totals } from '../report/window-tally.ts';

/** Flows that are ready or have ended; valid until they are released. */
export interface SourceBatch extends Iterable<FlowRecord> {
  release(): void;
}

export interface FlowSource {
  /** Waits for whoever takes its flows; an interface does not. */
  readonly patient: boolean;
  /** To be run to its end once; ends by itself or, in good order, by the signal. */
  batches(signal: AbortSignal): AsyncGenerator<SourceBatch>;
  /** Counters of the whole run. */
  totals(): { readonly packets: number; readonly drops: Totals; readonly lost: Totals };
  /** Why it ended, where that is a fault. */
  readonly fault: string | undefined;
  /** Spent in the flow table by the caller's thread; an interface's has threads of its own. */
  readonly tableMs: number;
  close(): void;
}

/** Of a live interface. */
export class LiveSource implements FlowSource {
  readonly patient = false;
  readonly tableMs = 0;
  readonly #flows: LiveFlows;
  readonly #name: string;

  /** @throws InputError, CaptureError as LiveFlows.open */
  constructor(options: LiveOptions) {
    this.#flows = LiveFlows.open(options);
    this.#name = options.interface;
  }

  batches(signal: AbortSignal): AsyncGenerator<SourceBatch> {
    return this.#flows.batches(signal);
  }

  totals() {
    const reports = this.#flows.reports();
    const sum = (of: (report: (typeof reports)[number]) => number): number =>
      reports.reduce((total, report) => total + of(report), 0);
    const tables = dropsOf(reports.map(({ flows }) => flows));
    return {
      packets: sum(({ flows }) => flows.packets),
      drops: { ...tables, kernel: sum(({ ringDrops }) => ringDrops) },
      lost: { flows: sum(({ flows }) => flows.flowsGivenUp) },
    };
  }

  get fault(): string | undefined {
    return this.#flows.reports().some(({ interfaceGone }) => interfaceGone)
      ? `${this.#name}: the interface has disappeared`
      : undefined;
  }

  close(): void {
    this.#flows.close();
  }
}

export type Speed = 'real' | 'max';

/** Frames of so much packet time go at once, then what is ready is taken: about as a live ring hands it over. */
const PACE_MS = 20;

/** Of capture files, one behind the other. */
export class ReadSource implements FlowSource {
  readonly patient = true;
  readonly fault = undefined;
  tableMs = 0;
  readonly #files: readonly string[];
  readonly #speed: Speed;
  readonly #table: FlowTable;
  /** The first packet's own time, and when it was fed. */
  #begun: { readonly packetMs: number; readonly atMs: number } | undefined;

  constructor(
    files: readonly string[],
    speed: Speed,
    options: Partial<FlowTableOptions>,
  ) {
    this.#files = files;
    this.#speed = speed;
    this.#table = new FlowTable(options);
  }

  /** @throws InputError a file that cannot be read */
  async *batches(signal: AbortSignal): AsyncGenerator<SourceBatch> {
    for (const file of this.#files) {
      const summary = emptySummary();
      for await (const block of readCapture(openCapture(file, summary), summary)) {
        for await (const part of this.#paced(block, signal)) {
          for (const batch of this.#timed(this.#table.process(part)))
            yield unleased(batch);
        }
        if (signal.aborted) break;
      }
    }
    for (const batch of this.#timed(this.#table.finish())) yield unleased(batch);
  }

  totals() {
    const counters = this.#table.counters();
    return {
      packets: counters.packets,
      drops: dropsOf([counters]),
      lost: { flows: counters.flowsGivenUp },
    };
  }

  close(): void {}

  *#timed(batches: Generator<FlowBatch>): Generator<FlowBatch> {
    for (;;) {
      const start = performance.now();
      const { value, done } = batches.next();
      this.tableMs += performance.now() - start;
      if (done === true) return;
      yield value;
    }
  }

  /** Until the packet's time has come, counted from the first packet of all. */
  async #due(packetMs: number, signal: AbortSignal): Promise<void> {
    this.#begun ??= { packetMs, atMs: performance.now() };
    const elapsed = performance.now() - this.#begun.atMs;
    const waitMs = packetMs - this.#begun.packetMs - elapsed;
    // A capture that was merged of several may leap: no wait is longer than a minute.
    if (waitMs > 0)
      await sleep(Math.min(waitMs, 60_000), undefined, { signal }).catch(() => {});
  }

  async *#paced(block: FrameBlock, signal: AbortSignal): AsyncGenerator<FrameBlock> {
    for (let from = 0; from < block.frames && !signal.aborted; ) {
      const firstMs = stampMs(block, from);
      let to = from + 1;
      while (to < block.frames && stampMs(block, to) < firstMs + PACE_MS) to++;
      if (this.#speed === 'real') await this.#due(firstMs, signal);
      const index = block.index.subarray(from * INDEX_WORDS, to * INDEX_WORDS);
      yield { ...block, index, frames: to - from };
      from = to;
    }
  }
}

/** Time of frame `i` of a block. */
function stampMs({ index }: FrameBlock, i: number): number {
  const at = i * INDEX_WORDS;
  return (index[at + 3] ?? 0) * 1000 + (index[at + 4] ?? 0) / 1e6;
}

/** The next batch overwrites this one: there is nothing to give back. */
function unleased(batch: Iterable<FlowRecord>): SourceBatch {
  return { [Symbol.iterator]: () => batch[Symbol.iterator](), release: () => {} };
}

function dropsOf(tables: readonly FlowTableCounters[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { drops } of tables) {
    for (const [reason, count] of Object.entries(drops)) {
      sums[reason] = (sums[reason] ?? 0) + count;
    }
  }
  return sums;
}
