// What decides how a data set is built of captures. A plain object: it goes to worker threads as it is.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Tunnel } from '../flow/tunnels.ts';
import type { DatasetOptions } from './dataset-manifest.ts';
import { DATASET_VERSION } from './dataset-schema.ts';
import type { LabelTable } from './label-table.ts';
import { keyDigest } from './pseudonyms.ts';
import { readLabelTable } from './shipped-labels.ts';
import { listFiles, readUt1 } from './ut1.ts';

/** Raised whenever the same capture and options give other rows. */
const BUILD_VERSION = 1;

export interface BuildOptions {
  /** Of the data set. */
  readonly directory: string;
  readonly dataset: DatasetOptions;
  /** Where labels come from: files that the workers read. */
  readonly labels: LabelFiles;
  /** Of pseudonyms; undefined: each capture's own hash. */
  readonly key: Uint8Array | undefined;
  readonly tunnels: readonly Tunnel[];
  readonly onlyLabelled: boolean;
  /** Flows with fewer packets both ways are left out. */
  readonly minPackets: number;
}

export interface LabelFiles {
  /** The table, YAML. */
  readonly labels: string;
  /** A folder in UT1's layout. */
  readonly ut1?: string;
}

/** @throws InputError ERR_LABELS */
export async function readLabels({ labels, ut1 }: LabelFiles): Promise<LabelTable> {
  const categories = ut1 === undefined ? undefined : await readUt1(ut1);
  return readLabelTable(labels, categories);
}

/** SHA-256 over the content of all that decides labels; the files have been read once before. */
export async function labelsSha256({ labels, ut1 }: LabelFiles): Promise<string> {
  const hash = createHash('sha256').update(await readFile(labels));
  for (const [category, path] of ut1 === undefined ? [] : listFiles(ut1)) {
    hash.update(`\0${category}\0`).update(await readFile(path));
  }
  return hash.digest('hex');
}

/** What all shards of a data set are made with: another recipe, other shards. */
export function recipeOf(options: BuildOptions): string {
  const { dataset, key, tunnels, onlyLabelled, minPackets } = options;
  const parts = [
    BUILD_VERSION,
    DATASET_VERSION,
    dataset,
    key === undefined ? null : keyDigest(key),
    [...tunnels].sort(),
    onlyLabelled,
    minPackets,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** What one shard is made of beside its capture: the recipe, and the capture's own labels. */
export function shardDigest(recipe: string, sidecar: Uint8Array | undefined): string {
  const hash = createHash('sha256').update(recipe);
  return (sidecar === undefined ? hash : hash.update(' labels ').update(sidecar)).digest(
    'hex',
  );
}
