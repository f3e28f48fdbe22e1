// Reports on disk until the controller has them: written before anything is sent, given out in the order in which they
// were appended, bounded in bytes. A crash at any byte leaves a spool that opens again.

import { randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { SpoolError } from '../errors.ts';
import { type Refusal, RefusedReports } from './refused.ts';
import type { Report } from './report.ts';
import { encodeRecord, JSON_BYTES_MAX, SEGMENT_BYTES_MAX } from './segment.ts';
import { type PeekLimits, SegmentLog, type SpooledReport } from './segment-log.ts';
import { makeFolder, readPosition, spoolFault, writePosition } from './spool-folder.ts';
import { takeLock } from './spool-lock.ts';

const MAX_BYTES = 64 << 20;
const MAX_BYTES_LEAST = 1 << 16;
/** The position, and the one that replaces it. */
const SMALL_FILES_BYTES = 128;
/** What gives way at the bound is a segment: no more than this part of the spool at a time. */
const SEGMENTS = 16;
const REFUSED_BYTES_MAX = 1 << 20;

export interface SpoolOptions {
  readonly directory: string;
  /** Bound of all files together, 64 KiB or more. 64 MiB by default. */
  readonly maxBytes?: number;
  /** Off: the last reports before a power cut may be lost. A crash of the agent alone loses none either way. */
  readonly sync?: boolean;
  /** Wall clock, written beside refused reports. */
  readonly now?: () => number;
}

/** Since the spool was opened, apart from `waiting` and `bytes`. */
export interface SpoolCounters {
  readonly appended: number;
  readonly acknowledged: number;
  /** Given up because the bound was reached. Some of them may have arrived: the answer was still on its way. */
  readonly spoolDropped: number;
  /** What the controller will never take; `refusedUnsaved` of them could not be kept. */
  readonly refused: number;
  readonly refusedUnsaved: number;
  /** Ends of a last segment that were cut off, as a crash leaves them. */
  readonly tornTails: number;
  /** Other segments of which a part, to the end, cannot be read. */
  readonly damagedSegments: number;
  readonly damagedBytes: number;
  /** Positions that could not be written: after a restart those reports are sent again. */
  readonly unsavedPositions: number;
  /** Reports that are neither acknowledged nor given up. */
  readonly waiting: number;
  /** Of all segments. */
  readonly bytes: number;
}

/** One process a folder. Each method waits for those that were called before it. */
export class Spool {
  /** Drawn at each open. */
  readonly boot: string = randomUUID();
  readonly #options: Required<SpoolOptions>;
  readonly #log: SegmentLog;
  readonly #lock: string;
  readonly #refused: RefusedReports;
  readonly #counters = {
    appended: 0,
    acknowledged: 0,
    refused: 0,
    refusedUnsaved: 0,
    unsavedPositions: 0,
  };
  readonly #waiters = new Set<() => void>();
  #sequence = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(options: Required<SpoolOptions>, lock: string, log: SegmentLog) {
    this.#options = options;
    this.#lock = lock;
    this.#log = log;
    this.#refused = new RefusedReports(
      options.directory,
      refusedBytesOf(options.maxBytes),
    );
  }

  /**
   * Makes the folder where there is none, takes its lock, cuts damage off.
   *
   * @throws SpoolError ERR_SPOOL_LOCKED, ERR_SPOOL_BOUND, ERR_SPOOL_READ_ONLY, ERR_SPOOL_ACCESS, ERR_SPOOL_FULL,
   * ERR_SPOOL_NO_FOLDER, ERR_SPOOL_IO; never for damaged bytes
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    const all = { maxBytes: MAX_BYTES, sync: true, now: Date.now, ...options };
    const { directory, maxBytes, sync } = all;
    if (!(maxBytes >= MAX_BYTES_LEAST)) {
      throw new SpoolError(
        'ERR_SPOOL_BOUND',
        `spool ${directory}: a bound of ${maxBytes} bytes, expected ${MAX_BYTES_LEAST} or more`,
      );
    }
    let lock: string | undefined;
    try {
      await makeFolder(directory);
      lock = await takeLock(directory);
      const head = await readPosition(directory);
      const logBytes = logBytesOf(maxBytes);
      const segmentBytes = Math.min(SEGMENT_BYTES_MAX, Math.floor(logBytes / SEGMENTS));
      const bounds = { maxBytes: logBytes, segmentBytes };
      return new Spool(
        all,
        lock,
        await SegmentLog.open({ directory, sync, ...bounds }, head),
      );
    } catch (cause) {
      if (lock !== undefined) await unlink(lock).catch(() => undefined);
      throw spoolFault(directory, cause);
    }
  }

  /** The number of the next report of this boot; one that is never appended is a gap that the controller sees. */
  next(): number {
    return this.#sequence++;
  }

  /**
   * The report is on disk when it resolves. At the bound the oldest give way, on a full disk none.
   *
   * @throws SpoolError ERR_SPOOL_FULL, ERR_SPOOL_READ_ONLY, ERR_SPOOL_ACCESS, ERR_SPOOL_IO, ERR_SPOOL_REPORT_SIZE,
   * ERR_SPOOL_CLOSED; a later append works again
   */
  append(report: Report): Promise<void> {
    return this.#inTurn(async () => {
      const { directory, maxBytes } = this.#options;
      const record = encodeRecord(JSON.stringify(report));
      const most = Math.min(JSON_BYTES_MAX, Math.floor(logBytesOf(maxBytes) / 4));
      if (record.byteLength > most) {
        throw new SpoolError(
          'ERR_SPOOL_REPORT_SIZE',
          `spool ${directory}: report ${report.sequence} has ${record.byteLength} bytes, expected ${most} at most`,
        );
      }
      await this.#log.append(record);
      this.#counters.appended++;
      for (const wake of this.#waiters) wake();
    });
  }

  /** The oldest that wait; none where nothing does. */
  peek(limits: PeekLimits): Promise<SpooledReport[]> {
    return this.#inTurn(() => this.#log.read(limits));
  }

  /** The controller has these, the first of those that `peek` gave: they never come again. */
  acknowledge(reports: readonly SpooledReport[]): Promise<void> {
    return this.#inTurn(async () => {
      this.#counters.acknowledged += this.#log.advance(reports);
      await this.#saveProgress();
    });
  }

  /** Moves the first that waits to the folder `refused`, for people to look at. */
  refuse(report: SpooledReport, refusal: Refusal): Promise<void> {
    return this.#inTurn(async () => {
      this.#counters.refused++;
      const saved = await this.#refused
        .add(report.json, refusal, this.#options.now())
        // It will never be taken: that the disk is full must not stop those behind it.
        .catch(() => false);
      if (!saved) this.#counters.refusedUnsaved++;
      this.#log.advance([report]);
      await this.#saveProgress();
    });
  }

  /** True when a report waits, false when the signal came first. */
  async available(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && this.#log.waiting === 0) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiters.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiters.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
    return !signal.aborted;
  }

  counters(): SpoolCounters {
    const { waiting, bytes, counters } = this.#log;
    return { ...this.#counters, ...counters, waiting, bytes };
  }

  /** Waits for what was asked before, then gives the lock back; a second time does nothing more. */
  async close(): Promise<void> {
    this.#closed ??= this.#turn.then(() =>
      this.#log.close().finally(() => unlink(this.#lock)),
    );
    await this.#closed;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const { directory } = this.#options;
    if (this.#closed !== undefined) {
      throw new SpoolError('ERR_SPOOL_CLOSED', `spool ${directory} is closed`);
    }
    const turn = this.#turn.then(work).catch((cause: unknown) => {
      throw spoolFault(directory, cause);
    });
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }

  /** On a disk that takes nothing the position stays in memory and is written with the next. */
  async #saveProgress(): Promise<void> {
    const { directory, sync } = this.#options;
    // First, as it makes room; segments that stay are tried again the next time.
    await this.#log.removeAcknowledged().catch(() => undefined);
    try {
      await writePosition(directory, this.#log.head, sync);
    } catch {
      this.#counters.unsavedPositions++;
    }
  }
}

function refusedBytesOf(maxBytes: number): number {
  return Math.min(REFUSED_BYTES_MAX, Math.floor(maxBytes / SEGMENTS));
}

function logBytesOf(maxBytes: number): number {
  return maxBytes - refusedBytesOf(maxBytes) - SMALL_FILES_BYTES;
}
