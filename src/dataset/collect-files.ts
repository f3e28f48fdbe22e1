// Rows -> files that follow on each other in one folder, in bounded disk space. A file has its name once it is whole; the oldest
// goes when a new one needs its room.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { SHARD_KEY } from './dataset-file.ts';
import { columnsOf, DATASET_VERSION, type DatasetRow } from './dataset-schema.ts';
import { type Cell, ParquetFile, ROWS_A_GROUP } from './parquet-file.ts';
import type { ShardDescription } from './shard-description.ts';

export const COLLECTED_PATTERN: RegExp = /^collect-.*\.parquet$/;
/** Until it is whole a file's name tells who writes it. */
const PARTIAL_PATTERN = /^collect-[^.]*\.(.+)\.(\d+)\.partial$/;

export interface CollectFilesOptions {
  readonly directory: string;
  /** Of all files together. */
  readonly maxBytes: number;
  /** Of one. */
  readonly rotateBytes: number;
  readonly rotateMs: number;
  /** Of each file; its counters are told when it is whole. */
  readonly description: Omit<ShardDescription, 'counters'>;
  /** Told when a file is whole, or could not be written. */
  readonly finished: (file: CollectedFile) => void;
  readonly failed: (fault: InputError, rows: number) => void;
}

interface CollectedFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

/** Parquet says at the end of a file where each column of each group lies: of ours less than it. */
const INDEX_BYTES_A_GROUP = 8_192;
/** After a fault of the disk; until then rows are lost, and counted. */
const RETRY_MS = 60_000;

export class CollectFiles {
  filesWritten = 0;
  filesDropped = 0;
  bytesDropped = 0;
  /** Of files that could not be written, or while none can be. */
  rowsLost = 0;
  readonly #options: CollectFilesOptions;
  readonly #names: readonly (keyof DatasetRow)[];
  readonly #run = randomBytes(4).toString('hex');
  #open: OpenFile | undefined;
  #number = 0;
  #retryMs = 0;

  /** @throws InputError ERR_OUTPUT the folder cannot be made or read */
  constructor(options: CollectFilesOptions) {
    this.#options = options;
    this.#names = COLUMNS.map(({ name }) => name as keyof DatasetRow);
    const { directory } = options;
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      readdirSync(directory);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new InputError(
        'ERR_OUTPUT',
        `${directory}: no folder that can be written to (${code}): name another with --out`,
        { cause },
      );
    }
  }

  /**
   * Removes what runs that were killed have left: a file without its end cannot be read. A folder is one collector's: what
   * another machine's, or container's, seems to be at work on goes too.
   *
   * @returns how many
   */
  removeStale(): number {
    const stale = this.#partials().filter(({ name }) => !isOwned(name));
    for (const { path } of stale) rmSync(path, { force: true });
    return stale.length;
  }

  /** Bytes of whole files. */
  get bytes(): number {
    return this.#standing().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  add(row: DatasetRow, nowMs: number): void {
    if (nowMs < this.#retryMs) {
      this.rowsLost++;
      return;
    }
    try {
      this.#open ??= this.#start(nowMs);
      const { file } = this.#open;
      file.add(this.#names.map((name): Cell => row[name] ?? null));
      if (file.rows % ROWS_A_GROUP === 0 && this.#isFull(this.#open)) this.finish();
    } catch (fault) {
      this.#fail(fault, nowMs);
    }
  }

  /** Ends the file whose time is over. */
  tick(nowMs: number): void {
    if (this.#open === undefined) return;
    if (nowMs - this.#open.startMs >= this.#options.rotateMs) this.finish(nowMs);
  }

  /** Ends the file at work; one without rows leaves nothing. */
  finish(nowMs = 0): void {
    const open = this.#open;
    if (open === undefined) return;
    try {
      const { path, file } = open;
      const { rows } = file;
      const counters = { rows };
      const told = { datasetVersion: DATASET_VERSION, ...this.#options.description };
      file.tell(SHARD_KEY, JSON.stringify({ ...told, counters }));
      file.finish();
      this.#open = undefined;
      this.filesWritten++;
      this.#options.finished({ path, rows, bytes: statSync(path).size });
      this.#makeRoom(0);
    } catch (fault) {
      this.#fail(fault, nowMs);
    }
  }

  #start(nowMs: number): OpenFile {
    const { directory, rotateBytes } = this.#options;
    this.#makeRoom(rotateBytes);
    const number = String(++this.#number).padStart(6, '0');
    // Minutes are the time of writing, the same for all rows; the run tells files of one minute apart.
    const minute = new Date(nowMs).toISOString().slice(0, 16).replaceAll(/[-:]/g, '');
    const name = `collect-${minute}Z-${this.#run}-${number}`;
    const partial = join(directory, `${name}.${hostname()}.${process.pid}.partial`);
    const path = join(directory, `${name}.parquet`);
    const file = new ParquetFile(path, { columns: COLUMNS, metadata: [], partial });
    return { path, partial, file, startMs: nowMs, bytes: 0, greatestGroup: 0 };
  }

  /** Whether the next group of rows may take the file beyond its bound. */
  #isFull(open: OpenFile): boolean {
    const { bytes } = open.file;
    open.greatestGroup = Math.max(open.greatestGroup, bytes - open.bytes);
    open.bytes = bytes;
    const groups = open.file.rows / ROWS_A_GROUP + 1;
    const end = groups * INDEX_BYTES_A_GROUP;
    return bytes + open.greatestGroup + end > this.#options.rotateBytes;
  }

  /** The oldest files go until so many bytes more may be written. */
  #makeRoom(bytes: number): void {
    const files = this.#standing();
    // What another process is at work on takes room too.
    const others = this.#partials().filter(({ path }) => path !== this.#open?.partial);
    let total = [...files, ...others].reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files) {
      if (total + bytes <= this.#options.maxBytes) return;
      rmSync(file.path, { force: true });
      total -= file.bytes;
      this.filesDropped++;
      this.bytesDropped += file.bytes;
    }
  }

  /** Whole files, the oldest first. */
  #standing(): FoundFile[] {
    return this.#find(COLLECTED_PATTERN).sort(
      (a, b) => a.atMs - b.atMs || (a.name < b.name ? -1 : 1),
    );
  }

  #partials(): FoundFile[] {
    return this.#find(PARTIAL_PATTERN);
  }

  #find(pattern: RegExp): FoundFile[] {
    const { directory } = this.#options;
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch {
      // The folder has gone: whoever writes to it next says so.
      return [];
    }
    return names.flatMap((name) => {
      if (!pattern.test(name)) return [];
      const path = join(directory, name);
      const facts = statSync(path, { throwIfNoEntry: false });
      if (facts === undefined) return [];
      return { path, name, bytes: facts.size, atMs: facts.mtimeMs };
    });
  }

  /** A disk that is full must not end what listens; a fault of the program must. */
  #fail(fault: unknown, nowMs: number): void {
    const isDisk =
      fault instanceof InputError || (fault as NodeJS.ErrnoException).code !== undefined;
    if (!isDisk) throw fault;
    const rows = this.#open?.file.rows ?? 1;
    this.#open?.file.discard();
    this.#open = undefined;
    this.rowsLost += rows;
    this.#retryMs = nowMs + RETRY_MS;
    const { message } = fault as Error;
    const told =
      fault instanceof InputError ? fault : new InputError('ERR_OUTPUT', message);
    this.#options.failed(told, rows);
  }
}

/** Whether another process of this machine may be writing it. */
function isOwned(name: string): boolean {
  const [, host, pid = ''] = PARTIAL_PATTERN.exec(name) ?? [];
  // A process that has just begun has written nothing: the number was that of one before it.
  if (host !== hostname() || Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'EPERM';
  }
}

interface FoundFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  readonly atMs: number;
}

const COLUMNS = columnsOf({ looks: [], keepSni: false });

interface OpenFile {
  readonly path: string;
  readonly partial: string;
  readonly file: ParquetFile;
  readonly startMs: number;
  /** On disk after the last group. */
  bytes: number;
  greatestGroup: number;
}
