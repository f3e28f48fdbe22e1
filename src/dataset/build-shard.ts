// One capture -> its shard, unless it stands already.

import { basename } from 'node:path';
import { recipeOf, shardDigest } from './build-options.ts';
import { type CaptureJob, CaptureRows, type CaptureTools } from './capture-rows.ts';
import { countersOf } from './capture-table.ts';
import { fileSha256, ShardWriter, shardPath } from './dataset-file.ts';
import type { CaptureEntry } from './dataset-manifest.ts';
import { shardDescription } from './dataset-reader.ts';
import type { ShardDescription } from './shard-description.ts';
import { readSidecar, Sidecar, sidecarPath } from './sidecar.ts';

export interface BuiltShard {
  readonly entry: CaptureEntry;
  /** It stood already. */
  readonly kept: boolean;
  /** What went wrong without being a fault, for people. */
  readonly warnings: readonly string[];
}

export type ShardTools = Pick<CaptureTools, 'options' | 'table' | 'onProgress'>;

const ID_DIGITS = 16;

/**
 * Builds a capture's shard, unless it stands with the same options.
 *
 * @throws InputError: the capture or its labels cannot be read, the shard not written
 */
export async function buildShard(
  job: CaptureJob,
  tools: ShardTools,
): Promise<BuiltShard> {
  const { directory } = tools.options;
  const sidecar = await readSidecar(job.path);
  const recipe = recipeOf(tools.options);
  const digest = shardDigest(recipe, sidecar);
  const id = job.sha256.slice(0, ID_DIGITS);
  const name = basename(job.path);
  const standing = await standingShard(directory, id, digest);
  if (standing !== undefined) {
    const entry = await entryOf(directory, { id, name, ...standing });
    return { entry, kept: true, warnings: [] };
  }
  const place = sidecarPath(job.path);
  const labels =
    sidecar === undefined ? undefined : new Sidecar(sidecar.toString('utf8'), place);
  const source = labels === undefined ? 'capture' : 'lab';
  const rows = new CaptureRows(job, { ...tools, id, source, labels });
  try {
    const { counters: counted, truncated } = await rows.read();
    const counters = {
      ...countersOf(counted),
      ...(truncated !== undefined && { truncated: 1 }),
    };
    const options = tools.options.dataset;
    const description = { recipe, digest, options, source, counters };
    const written = writeShard(rows, { directory, id, description });
    const entry = await entryOf(directory, { id, name, rows: written, description });
    const warnings = warningsOf({ truncated, counters, unmatched: labels?.left ?? 0 });
    return {
      entry,
      kept: false,
      warnings: warnings.map((w) => `${name}: warning: ${w}`),
    };
  } finally {
    rows.close();
  }
}

function writeShard(
  rows: CaptureRows,
  shard: {
    readonly directory: string;
    readonly id: string;
    readonly description: ShardDescription;
  },
): number {
  const { looks, keepSni } = shard.description.options;
  const writer = new ShardWriter(shard.directory, { ...shard, looks, keepSni });
  try {
    for (const row of rows.rows()) writer.add(row);
    writer.finish();
    return writer.rows;
  } catch (fault) {
    writer.discard();
    throw fault;
  }
}

interface StandingShard {
  readonly description: ShardDescription;
  readonly rows: number;
}

async function standingShard(
  directory: string,
  id: string,
  digest: string,
): Promise<StandingShard | undefined> {
  const found = await shardDescription(shardPath(directory, id));
  return found?.description.digest === digest ? found : undefined;
}

async function entryOf(
  directory: string,
  shard: StandingShard & { readonly id: string; readonly name: string },
): Promise<CaptureEntry> {
  const { id, name, rows, description } = shard;
  const sha256 = await fileSha256(shardPath(directory, id));
  const { source, counters } = description;
  return { id, name, source, rows, sha256, counters };
}

function warningsOf(end: {
  readonly truncated: string | undefined;
  readonly counters: Readonly<Record<string, number>>;
  readonly unmatched: number;
}): string[] {
  const { truncated, counters, unmatched } = end;
  const { flowsEvicted = 0, poolFull = 0 } = counters;
  const warnings: string[] = [];
  if (truncated !== undefined)
    warnings.push(`${truncated}; read to the last whole frame`);
  if (flowsEvicted > 0 || poolFull > 0) {
    warnings.push(
      `more flows at a time than the flow table takes: ${flowsEvicted} were cut short, ${poolFull} packets not stored; split the capture by hosts`,
    );
  }
  if (unmatched > 0) warnings.push(`${unmatched} labels beside it are of no flow of it`);
  return warnings;
}
