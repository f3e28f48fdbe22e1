// A data set on disk -> its rows, one by one: a row group is in memory at a time, and of it only the columns asked for.

import { type FileHandle, open } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { InputError } from '../errors.ts';
import { FEATURE_VERSION, type FeatureSpec } from '../features/features.ts';
import { PACKET_KINDS, type PacketRule } from '../features/packet-rule.ts';
import { OCCLUSION_VERSION } from '../handshake/occlusion.ts';
import { fileSha256, SHARD_KEY, shardPath } from './dataset-file.ts';
import {
  type CaptureEntry,
  type DatasetManifest,
  readManifest,
  type SourceDeclaration,
} from './dataset-manifest.ts';
import type { ColumnName, DatasetRow, LookName } from './dataset-schema.ts';
import { ROWS_A_GROUP } from './parquet-file.ts';
import { parseDescription, type ShardDescription } from './shard-description.ts';

export type RowColumn = ColumnName | LookName | 'sni';

export interface ReadOptions<C extends RowColumn = RowColumn> {
  /** All unless given. */
  readonly columns?: readonly C[];
  /** Only captures that this says yes to. */
  readonly captures?: (capture: CaptureEntry) => boolean;
}

/**
 * The rows of a data set, in the order of capture ids and flow numbers. Each row has memory of its own.
 *
 * @throws InputError ERR_DATASET: no data set, or a shard is missing, damaged or has no such column
 */
export async function* readDataset<C extends RowColumn = keyof DatasetRow>(
  directory: string,
  options: ReadOptions<C> = {},
): AsyncGenerator<Pick<DatasetRow, C>, void, undefined> {
  const { captures } = await readManifest(directory);
  for (const capture of captures) {
    if (options.captures?.(capture) === false) continue;
    for await (const rows of readShard(shardPath(directory, capture.id), options)) {
      yield* rows;
    }
  }
}

/**
 * The rows of a shard, a row group at a time.
 *
 * @throws InputError ERR_DATASET
 */
export async function* readShard<C extends RowColumn = keyof DatasetRow>(
  path: string,
  { columns }: Pick<ReadOptions<C>, 'columns'> = {},
): AsyncGenerator<Pick<DatasetRow, C>[], void, undefined> {
  const shard = await Shard.open(path);
  try {
    shard.check(columns);
    for (let from = 0; from < shard.rows; from += ROWS_A_GROUP) {
      yield (await shard.read(from, columns)) as Pick<DatasetRow, C>[];
    }
  } finally {
    await shard.close();
  }
}

/** What a shard tells of itself, and its rows; undefined: there is none, or it is no whole shard of a build. */
export async function shardDescription(
  path: string,
): Promise<
  { readonly rows: number; readonly description: ShardDescription } | undefined
> {
  try {
    const shard = await Shard.open(path);
    const { rows, description } = shard;
    await shard.close();
    return description === undefined ? undefined : { rows, description };
  } catch (fault) {
    if (fault instanceof InputError) return undefined;
    throw fault;
  }
}

class Shard {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;

  private constructor(
    path: string,
    handle: FileHandle,
    parsed: { readonly file: AsyncBuffer; readonly metadata: FileMetaData },
  ) {
    this.#path = path;
    this.#handle = handle;
    this.#file = parsed.file;
    this.#metadata = parsed.metadata;
  }

  static async open(path: string): Promise<Shard> {
    const handle = await open(path).catch((cause: NodeJS.ErrnoException) => {
      throw damaged(path, `cannot be read (${cause.code})`, cause);
    });
    try {
      const file = await bufferOf(handle);
      return new Shard(path, handle, {
        file,
        metadata: await parquetMetadataAsync(file),
      });
    } catch (cause) {
      await handle.close();
      throw damaged(path, `is no whole Parquet file: ${(cause as Error).message}`, cause);
    }
  }

  get rows(): number {
    return Number(this.#metadata.num_rows);
  }

  get description(): ShardDescription | undefined {
    const told = this.#metadata.key_value_metadata?.find(({ key }) => key === SHARD_KEY);
    return parseDescription(told?.value);
  }

  check(columns: readonly string[] | undefined): void {
    const known = new Set(this.#metadata.schema.slice(1).map(({ name }) => name));
    const missing = columns?.find((name) => !known.has(name));
    if (missing === undefined) return;
    throw damaged(
      this.#path,
      `has no column ${missing}; there are ${[...known].join(', ')}`,
      undefined,
    );
  }

  async read(
    from: number,
    columns: readonly string[] | undefined,
  ): Promise<Record<string, unknown>[]> {
    try {
      const rows: Record<string, unknown>[] = await parquetReadObjects({
        file: this.#file,
        metadata: this.#metadata,
        rowStart: from,
        rowEnd: Math.min(from + ROWS_A_GROUP, this.rows),
        compressors: { GZIP: (packed) => gunzipSync(packed) },
        // Bytes are tensors; text is marked as such.
        utf8: false,
        ...(columns !== undefined && { columns: [...columns] }),
      });
      for (const row of rows) plainValues(row);
      return rows;
    } catch (cause) {
      throw damaged(this.#path, `is damaged: ${(cause as Error).message}`, cause);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Whole numbers as numbers, bytes in memory of their own (else a row would hold its whole group), null for nothing. */
function plainValues(row: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'bigint') row[name] = Number(value);
    else if (value instanceof Uint8Array) row[name] = new Uint8Array(value);
    else if (value === undefined) row[name] = null;
  }
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(Math.max(0, end - start));
      const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, start);
      if (bytesRead < bytes.byteLength) throw new Error('it ends before its end');
      return bytes.buffer;
    },
  };
}

function damaged(path: string, what: string, cause: unknown): InputError {
  return new InputError('ERR_DATASET', `shard ${path} ${what}`, { cause });
}

/**
 * Whether features of a spec can be had of a data set.
 *
 * @throws InputError ERR_DATASET: its handshakes are occluded otherwise, it is of another feature version, it stores too few
 *   packets, or one of its sources does not hold what the spec counts
 */
export function checkSpec(manifest: DatasetManifest, spec: FeatureSpec): void {
  const { occlusion, featureVersion, storedPackets } = manifest;
  const fault = (what: string): InputError =>
    new InputError('ERR_DATASET', `the data set ${what}: build it anew`);
  if (featureVersion !== FEATURE_VERSION || occlusion.version !== OCCLUSION_VERSION) {
    throw fault(
      `is of feature version ${featureVersion} and occlusion version ${occlusion.version}, expected ${FEATURE_VERSION} and ${OCCLUSION_VERSION}`,
    );
  }
  const shown = (names: readonly string[]): string => [...names].sort().join(',');
  if (shown(occlusion.shown) !== shown(spec.occlusion.shown)) {
    throw fault(
      `shows the canary fields "${shown(occlusion.shown)}", wanted are "${shown(spec.occlusion.shown)}"`,
    );
  }
  if (storedPackets < spec.packets) {
    throw fault(`stores ${storedPackets} packets a flow, wanted are ${spec.packets}`);
  }
  for (const [name, source] of Object.entries(manifest.sources)) {
    if (!holdsRule(source, spec.counted)) {
      throw new InputError(
        'ERR_DATASET',
        `source ${name} of the data set holds packets of kind ${source.kinds}, ${source.repeats ? 'with' : 'without'} repeats, by ${source.size} length; the features count ${spec.counted.kinds}, ${spec.counted.repeats ? 'with' : 'without'} repeats, by ${spec.counted.length} length`,
      );
    }
  }
}

/** Whether what a rule counts can be told from what a source holds. */
export function holdsRule(source: SourceDeclaration, rule: PacketRule): boolean {
  const sized = source.size === 'both' || source.size === rule.length;
  // What a source left out cannot be had back; what it holds more can be left out, where payload is known.
  const held = PACKET_KINDS.indexOf(source.kinds);
  const wanted = PACKET_KINDS.indexOf(rule.kinds);
  const kinds = held === wanted || (held < wanted && source.size !== 'ip');
  return sized && kinds && (source.repeats || !rule.repeats);
}

/**
 * Reads every shard again and compares its hash with the manifest's.
 *
 * @throws InputError ERR_DATASET naming the first shard that differs
 */
export async function verifyDataset(
  directory: string,
  manifest: DatasetManifest,
): Promise<void> {
  for (const { id, sha256 } of manifest.captures) {
    const path = shardPath(directory, id);
    const found = await fileSha256(path).catch((cause: NodeJS.ErrnoException) => {
      throw damaged(path, `cannot be read (${cause.code})`, cause);
    });
    if (found !== sha256) {
      throw damaged(
        path,
        `has the hash ${found}, dataset.json says ${sha256}: build it anew`,
        undefined,
      );
    }
  }
}
