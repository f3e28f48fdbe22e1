// Rows of one capture -> its shard, shards/ID.parquet. A shard that has its name is whole: a build that was killed goes on by
// skipping what stands.

import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  type ColumnChoice,
  columnsOf,
  DATASET_VERSION,
  type DatasetRow,
} from './dataset-schema.ts';
import { type Cell, cannotWrite, ParquetFile } from './parquet-file.ts';

/** Key of the shard's own description in its metadata. */
export const SHARD_KEY = 'sluice.dataset';
export const SHARD_FOLDER = 'shards';
export const PARTIAL_SUFFIX = '.partial';

export function shardPath(directory: string, id: string): string {
  return join(directory, SHARD_FOLDER, `${id}.parquet`);
}

/** What a shard is called until it is whole: told apart by machine and process, so that many may work in one folder. */
export function partialPath(directory: string, id: string): string {
  const name = `${id}.${hostname()}.${process.pid}${PARTIAL_SUFFIX}`;
  return join(directory, SHARD_FOLDER, name);
}

export interface ShardOptions extends ColumnChoice {
  /** Of the capture: 16 hex digits. */
  readonly id: string;
  /** What the shard tells of itself: JSON, in the file's metadata under SHARD_KEY beside its version. */
  readonly description: object;
}

export class ShardWriter {
  readonly #file: ParquetFile;
  readonly #description: Readonly<Record<string, unknown>>;
  readonly #names: readonly (keyof DatasetRow)[];

  /**
   * @param directory of the data set; made where it is missing
   * @throws InputError ERR_OUTPUT
   */
  constructor(directory: string, options: ShardOptions) {
    const { id, description } = options;
    makeShardFolder(directory);
    const columns = columnsOf(options);
    this.#names = columns.map(({ name }) => name as keyof DatasetRow);
    this.#description = { datasetVersion: DATASET_VERSION, ...description };
    const told = JSON.stringify(this.#description);
    this.#file = new ParquetFile(shardPath(directory, id), {
      columns,
      metadata: [[SHARD_KEY, told]],
      partial: partialPath(directory, id),
    });
  }

  get rows(): number {
    return this.#file.rows;
  }

  /** Rows come in the order of their flow numbers. */
  add(row: DatasetRow): void {
    this.#file.add(this.#names.map((name): Cell => row[name] ?? null));
  }

  /**
   * The shard stands from here on.
   *
   * @param more of its description: what was not known before the last row
   */
  finish(more: Readonly<Record<string, unknown>> = {}): void {
    this.#file.tell(SHARD_KEY, JSON.stringify({ ...this.#description, ...more }));
    this.#file.finish();
  }

  /** Leaves nothing behind. */
  discard(): void {
    this.#file.discard();
  }
}

/** @throws InputError ERR_OUTPUT */
export function makeShardFolder(directory: string): void {
  const folder = join(directory, SHARD_FOLDER);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw cannotWrite(folder, cause);
  }
}

/** SHA-256 of a file, hex. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
