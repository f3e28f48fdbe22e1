// Segment files as one bounded log: appended to at the end, read from the head, the oldest segment gives way. Callers take
// turns (spool.ts): no two of its methods run at once.

import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Position, readRecords, segmentName } from './segment.ts';
import {
  findSegments,
  isBefore,
  readSegment,
  type Segment,
  syncFolder,
} from './spool-folder.ts';

export interface LogOptions {
  readonly directory: string;
  /** Bound of all segments together. */
  readonly maxBytes: number;
  /** A segment that has as much takes no more. */
  readonly segmentBytes: number;
  readonly sync: boolean;
}

/** A report that waits, as it was appended. */
export interface SpooledReport {
  readonly json: string;
  /** The first byte after it. */
  readonly end: Position;
}

export interface PeekLimits {
  readonly reports: number;
  /** Of JSON; a first report that is longer comes alone. */
  readonly bytes: number;
}

export class SegmentLog {
  readonly counters = {
    spoolDropped: 0,
    tornTails: 0,
    damagedSegments: 0,
    damagedBytes: 0,
  };
  readonly #options: LogOptions;
  /** The oldest first. */
  readonly #segments: Segment[] = [];
  /** Takes appends: the last segment, while it has a handle. */
  #active: FileHandle | undefined;
  #head: Position;
  /** Never used again in this folder, lest an old position points into a new segment. */
  #lastNumber: number;

  private constructor(options: LogOptions, head: Position) {
    this.#options = options;
    this.#head = head;
    this.#lastNumber = head.segment;
  }

  /** Cuts damage off, gives up what is beyond the bound. @throws what the system says, never for damaged bytes */
  static async open(options: LogOptions, head: Position): Promise<SegmentLog> {
    const log = new SegmentLog(options, head);
    await log.#load();
    return log;
  }

  /** All before it is acknowledged. */
  get head(): Position {
    return this.#head;
  }

  get waiting(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.unacknowledged, 0);
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0);
  }

  /** On disk when it resolves; what was there before stays when it rejects, but for what the bound drove out. */
  async append(record: Buffer): Promise<void> {
    const { sync, directory } = this.#options;
    await this.#makeRoom(record.byteLength);
    const { handle, segment } = await this.#segmentFor(record.byteLength);
    try {
      await handle.appendFile(record);
      if (sync) await handle.datasync();
      if (sync && segment.whole === 0) await syncFolder(directory);
    } catch (cause) {
      segment.size += record.byteLength;
      await this.#abandon(segment, handle);
      throw cause;
    }
    segment.whole += record.byteLength;
    segment.size = segment.whole;
    segment.unacknowledged++;
  }

  /** Reports from the head on. */
  async read(limits: PeekLimits): Promise<SpooledReport[]> {
    const reports: SpooledReport[] = [];
    let room = limits.bytes;
    for (const segment of [...this.#segments]) {
      if (segment.unacknowledged === 0) continue;
      const { bytes } = await readSegment(segment.path);
      let offset = segment.number === this.#head.segment ? this.#head.offset : 0;
      for (const { json, end } of readRecords(bytes.subarray(0, segment.whole), offset)) {
        room -= Buffer.byteLength(json);
        if (reports.length === limits.reports) return reports;
        if (reports.length > 0 && room < 0) return reports;
        reports.push({ json, end: { segment: segment.number, offset: end } });
        offset = end;
      }
      if (offset < segment.whole) await this.#cut(segment, bytes.subarray(0, offset));
    }
    return reports;
  }

  /** Moves the head behind these; how many of them were still before it. */
  advance(reports: readonly SpooledReport[]): number {
    let count = 0;
    for (const { end } of reports) {
      // Those that were given up in the meantime are counted already.
      const segment = this.#segments.find(({ number }) => number === end.segment);
      if (segment === undefined || !isBefore(this.#head, end)) continue;
      segment.unacknowledged--;
      this.#head = end;
      count++;
    }
    return count;
  }

  /** Deletes segments of which nothing waits. */
  async removeAcknowledged(): Promise<void> {
    for (const segment of [...this.#segments]) {
      const isActive = this.#active !== undefined && segment === this.#segments.at(-1);
      if (segment.unacknowledged > 0 || isActive) return;
      await this.#remove(segment);
    }
  }

  async close(): Promise<void> {
    const handle = this.#active;
    this.#active = undefined;
    await handle?.close();
  }

  async #load(): Promise<void> {
    const found = await findSegments(this.#options.directory, this.#head);
    for (const [i, { segment, damagedBytes }] of found.entries()) {
      this.#segments.push(segment);
      this.#lastNumber = Math.max(this.#lastNumber, segment.number);
      if (damagedBytes > 0) this.#countDamage(damagedBytes, i === found.length - 1);
    }
    await this.removeAcknowledged();
    await this.#makeRoom(0);
    const last = this.#segments.at(-1);
    // One that is still here has a report behind the head: no new one can come to lie before it, not even behind a cut.
    if (last !== undefined && last.size < this.#options.segmentBytes) {
      this.#active = await open(last.path, 'a');
    }
  }

  /** Gives up the oldest segments until `bytes` more are within the bound. */
  async #makeRoom(bytes: number): Promise<void> {
    while (this.bytes + bytes > this.#options.maxBytes) {
      const [oldest] = this.#segments;
      if (oldest === undefined) return;
      await this.#remove(oldest);
      this.counters.spoolDropped += oldest.unacknowledged;
    }
  }

  async #remove(segment: Segment): Promise<void> {
    await unlink(segment.path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause;
    });
    if (segment === this.#segments.at(-1)) await this.close();
    this.#segments.splice(this.#segments.indexOf(segment), 1);
  }

  async #segmentFor(bytes: number): Promise<{ handle: FileHandle; segment: Segment }> {
    const { directory, segmentBytes } = this.#options;
    const last = this.#segments.at(-1);
    if (this.#active !== undefined && last !== undefined) {
      const fits = last.size === 0 || last.size + bytes <= segmentBytes;
      if (fits) return { handle: this.#active, segment: last };
    }
    await this.close();
    const number = this.#lastNumber + 1;
    const path = join(directory, segmentName(number));
    const handle = await open(path, 'ax', 0o600);
    this.#active = handle;
    this.#lastNumber = number;
    const segment: Segment = { number, path, whole: 0, size: 0, unacknowledged: 0 };
    this.#segments.push(segment);
    return { handle, segment };
  }

  /** After a write that failed nothing is known of what follows the whole records: cut there, go on in a new segment. */
  async #abandon(segment: Segment, handle: FileHandle): Promise<void> {
    this.#active = undefined;
    try {
      await handle.truncate(segment.whole).finally(() => handle.close());
      segment.size = segment.whole;
      if (segment.whole === 0) await this.#remove(segment);
    } catch {
      // The fault to tell is the write's; what stays is cut off at the next open.
    }
  }

  /** A segment turned out to be damaged behind these bytes. */
  async #cut(segment: Segment, whole: Buffer): Promise<void> {
    const isLast = segment === this.#segments.at(-1);
    this.#countDamage(segment.whole - whole.byteLength, isLast);
    if (isLast) await this.close();
    segment.whole = whole.byteLength;
    segment.unacknowledged = 0;
    for (const { end } of readRecords(whole)) {
      if (isBefore(this.#head, { segment: segment.number, offset: end })) {
        segment.unacknowledged++;
      }
    }
  }

  #countDamage(bytes: number, isLast: boolean): void {
    this.counters.damagedBytes += bytes;
    if (isLast) this.counters.tornTails++;
    else this.counters.damagedSegments++;
  }
}
