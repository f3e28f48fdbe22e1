// Shards of sources that are no captures -> a data set: new, or joined to one that stands. A shard that stands with the same
// recipe is left as it is, so whatever was stopped goes on where it was.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { fileSha256, shardPath } from './dataset-file.ts';
import {
  type CaptureEntry,
  type DatasetManifest,
  type DatasetOptions,
  MANIFEST_FILE,
  makeManifest,
  readManifest,
  type SourceDeclaration,
  writeManifest,
} from './dataset-manifest.ts';
import { shardDescription } from './dataset-reader.ts';
import { checkPooling, worseConversion } from './pooling.ts';
import type { ShardDescription } from './shard-description.ts';
import { removeOwn, removeStale } from './shard-folder.ts';

/** A shard to be. */
export interface PlannedShard {
  /** Base name of what it is made of. */
  readonly name: string;
  readonly source: string;
  readonly declaration: SourceDeclaration;
  /** First 16 hex digits of the hash of its content. */
  readonly id: () => Promise<string>;
  /** All that decides its rows beside content and options: told in the shard as its hash. */
  readonly recipe: Readonly<Record<string, unknown>>;
  /**
   * Writes it.
   *
   * @returns undefined: stopped, nothing of it is left
   */
  readonly write: (shard: WrittenAs) => Promise<WrittenShard | undefined>;
  /** Of the counters of a shard: how its numbers came to be what the declaration says. */
  readonly conversion: (
    counters: Readonly<Record<string, number>>,
  ) => SourceDeclaration['conversion'];
}

export interface WrittenAs {
  readonly id: string;
  readonly options: DatasetOptions;
  /** But for its counters. */
  readonly description: Omit<ShardDescription, 'counters'>;
}

export interface WrittenShard {
  readonly rows: number;
  readonly counters: Readonly<Record<string, number>>;
}

export interface JoinedShard extends WrittenShard {
  readonly name: string;
  readonly id: string;
  readonly source: string;
  /** It stood already. */
  readonly stood: boolean;
}

export interface JoinRun {
  readonly signal: AbortSignal;
  readonly done: (shard: JoinedShard) => void | Promise<void>;
}

/**
 * @param options of rows to be written; those of a data set that stands have to be the same
 * @returns undefined: stopped; shards that are whole stand, the manifest is as it was
 * @throws InputError ERR_POOLING definitions would be mixed; ERR_DATASET other options; what writing a shard throws
 */
export async function joinDataset(
  directory: string,
  options: DatasetOptions,
  plan: readonly PlannedShard[],
  run: JoinRun,
): Promise<DatasetManifest | undefined> {
  const before = existsSync(join(directory, MANIFEST_FILE))
    ? await readManifest(directory)
    : undefined;
  const shared = sharedOptions(options, before);
  const sources: Record<string, SourceDeclaration> = { ...before?.sources };
  // Before the first shard is written: what may not be pooled is not begun.
  for (const { source, declaration } of plan) {
    checkPooling(sources, source, declaration);
    sources[source] ??= declaration;
  }
  const captures = new Map(before?.captures.map((entry) => [entry.id, entry]));
  await removeStale(directory);
  try {
    for (const planned of plan) {
      const entry = run.signal.aborted
        ? undefined
        : await joinOne(directory, planned, shared, run);
      if (entry === undefined) return undefined;
      captures.set(entry.id, entry);
      const declared = sources[entry.source] ?? planned.declaration;
      sources[entry.source] = {
        ...declared,
        conversion: worseConversion(
          declared.conversion,
          planned.conversion(entry.counters),
        ),
      };
    }
  } finally {
    await removeOwn(directory);
  }
  const entries = [...captures.values()];
  const manifest = makeManifest({ options: shared, sources, captures: entries });
  await writeManifest(directory, manifest);
  return manifest;
}

/** Labels are of captures: what others bring along does not depend on the table. */
function sharedOptions(
  options: DatasetOptions,
  before: DatasetManifest | undefined,
): DatasetOptions {
  if (before === undefined) return options;
  const { labelsSha256 } = before;
  const told = ({ looks, storedPackets, keepSni, ...rest }: DatasetOptions): string =>
    `${storedPackets} packets a flow, looks ${looks.join(',')}, ${keepSni ? 'with' : 'no'} server names, features ${rest.featureVersion}, occlusion ${rest.occlusion.version}${rest.occlusion.shown.map((name) => ` ${name}`).join('')}`;
  if (told(before) === told(options)) return { ...options, labelsSha256 };
  throw new InputError(
    'ERR_DATASET',
    `the data set that stands there is of ${told(before)}; this would be of ${told(options)}: give the same --packets and --looks, or another folder`,
  );
}

async function joinOne(
  directory: string,
  planned: PlannedShard,
  options: DatasetOptions,
  run: JoinRun,
): Promise<CaptureEntry | undefined> {
  const { name, source } = planned;
  const id = await planned.id();
  const made = { ...options, labelsSha256: null };
  const recipe = createHash('sha256')
    .update(JSON.stringify([planned.recipe, made]))
    .digest('hex');
  const path = shardPath(directory, id);
  const found = await shardDescription(path);
  const stood = found?.description.recipe === recipe;
  const shard = stood
    ? { rows: found.rows, counters: found.description.counters }
    : await planned.write({
        id,
        options,
        description: { recipe, digest: recipe, options: made, source },
      });
  if (shard === undefined) return undefined;
  const { rows, counters } = shard;
  await run.done({ name, id, source, rows, counters, stood });
  return { id, name, source, rows, counters, sha256: await fileSha256(path) };
}

/** What of a data set is not built of captures: a build of captures leaves it in. */
export async function joinedBefore(
  directory: string,
  options: DatasetOptions,
  builtSources: readonly string[],
): Promise<Pick<DatasetManifest, 'sources' | 'captures'>> {
  if (!existsSync(join(directory, MANIFEST_FILE))) return { sources: {}, captures: [] };
  const before = await readManifest(directory);
  const captures = before.captures.filter(({ source }) => !builtSources.includes(source));
  if (captures.length === 0) return { sources: {}, captures: [] };
  sharedOptions(options, before);
  const kept = new Set(captures.map(({ source }) => source));
  const sources = Object.entries(before.sources).filter(([name]) => kept.has(name));
  return { sources: Object.fromEntries(sources), captures };
}
