// Shards that stand -> the manifest: the last step of a build, be it of one machine or of many.

import { InputError } from '../errors.ts';
import { shardPath } from './dataset-file.ts';
import {
  CAPTURE_SOURCE,
  type CaptureEntry,
  type DatasetManifest,
  makeManifest,
  type SourceDeclaration,
  writeManifest,
} from './dataset-manifest.ts';
import { shardDescription } from './dataset-reader.ts';
import { joinedBefore } from './join-dataset.ts';
import { checkPooling } from './pooling.ts';
import type { ShardDescription } from './shard-description.ts';
import { standingShards } from './shard-folder.ts';

/** Sources of captures. */
const SOURCES: Readonly<Record<string, SourceDeclaration>> = {
  capture: CAPTURE_SOURCE,
  lab: {
    ...CAPTURE_SOURCE,
    origin: 'capture files whose flows are labelled by who made the traffic',
  },
};

export interface FinishedDataset {
  readonly manifest: DatasetManifest;
  /** Shards in the folder that are not in the manifest: of captures that were not named. */
  readonly strays: number;
}

/**
 * Writes dataset.json over the shards of the captures given; of one content several times the first name counts.
 *
 * @throws InputError ERR_DATASET: a shard is missing, was built with other options, or is not the one that was told
 */
export async function finishDataset(
  directory: string,
  captures: readonly CaptureEntry[],
): Promise<FinishedDataset> {
  const entries = uniqueEntries(captures);
  const [first] = entries;
  if (first === undefined) {
    throw new InputError('ERR_DATASET', `data set ${directory}: no shard was built`);
  }
  const { recipe, options } = await descriptionOf(directory, first);
  for (const entry of entries) {
    if ((await descriptionOf(directory, entry)).recipe === recipe) continue;
    throw new InputError(
      'ERR_DATASET',
      `data set ${directory}: ${entry.name} was built with other options than ${first.name}: build all captures with the same`,
    );
  }
  const used = [...new Set(entries.map(({ source }) => source))];
  const joined = await joinedBefore(directory, options, Object.keys(SOURCES));
  const sources: Record<string, SourceDeclaration> = { ...joined.sources };
  for (const name of used) {
    const declaration = SOURCES[name] ?? CAPTURE_SOURCE;
    checkPooling(sources, name, declaration);
    sources[name] = declaration;
  }
  const all = [...entries, ...joined.captures];
  const manifest = makeManifest({ options, sources, captures: all });
  await writeManifest(directory, manifest);
  const ids = new Set(all.map(({ id }) => id));
  const strays = (await standingShards(directory)).filter((id) => !ids.has(id)).length;
  return { manifest, strays };
}

function uniqueEntries(captures: readonly CaptureEntry[]): CaptureEntry[] {
  const byId = new Map<string, CaptureEntry>();
  for (const entry of captures) {
    const before = byId.get(entry.id);
    if (before !== undefined && before.sha256 !== entry.sha256) {
      throw new InputError(
        'ERR_DATASET',
        `${before.name} and ${entry.name} are the same capture with different labels beside it: leave one out`,
      );
    }
    if (before === undefined || entry.name < before.name) byId.set(entry.id, entry);
  }
  return [...byId.values()];
}

async function descriptionOf(
  directory: string,
  { id, name, rows }: CaptureEntry,
): Promise<ShardDescription> {
  const found = await shardDescription(shardPath(directory, id));
  if (found?.rows === rows) return found.description;
  throw new InputError(
    'ERR_DATASET',
    `data set ${directory}: the shard ${id} of ${name} is missing or is another one: build it`,
  );
}
