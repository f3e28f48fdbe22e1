// Files of `sluice collect` -> shards of a data set. Rows are what they are; file and number get their names, looks are made.

import { basename } from 'node:path';
import { InputError } from '../../errors.ts';
import { PAPER_RULE } from '../../features/packet-rule.ts';
import { COLLECT_SOURCE } from '../collect.ts';
import { COLLECTED_PATTERN } from '../collect-files.ts';
import { fileSha256, ShardWriter } from '../dataset-file.ts';
import type { DatasetManifest, SourceDeclaration } from '../dataset-manifest.ts';
import { readShard, shardDescription } from '../dataset-reader.ts';
import {
  type JoinRun,
  joinDataset,
  type PlannedShard,
  type WrittenAs,
  type WrittenShard,
} from '../join-dataset.ts';
import { lookColumns } from '../row-tensors.ts';
import type { ShardDescription } from '../shard-description.ts';
import { importedOptions } from './import-dataset.ts';
import { unitsOf } from './units.ts';

/** Raised whenever the same file gives other rows. */
const COLLECTED_VERSION = 1;

const DECLARATION: SourceDeclaration = {
  size: 'both',
  kinds: 'all',
  repeats: true,
  leftOut:
    'packets behind the stored ones; flows without a label; of frequent classes all but a share of each day',
  conversion: 'none',
  licence: 'that of whose network it is',
  origin: 'sluice collect',
};

export interface CollectedImport extends JoinRun {
  readonly paths: readonly string[];
  readonly out: string;
  readonly packets: number;
  readonly looks: readonly number[];
}

/**
 * @returns undefined: stopped; what is whole stands
 * @throws InputError a file is none of `sluice collect`, or its features are of another version
 */
export async function importCollected(
  options: CollectedImport,
): Promise<DatasetManifest | undefined> {
  const { paths, out } = options;
  const rule = { pattern: COLLECTED_PATTERN, unit: 'file', names: 1 } as const;
  const wanted = importedOptions(options);
  const plan: PlannedShard[] = [];
  for (const { files } of await unitsOf(paths, rule)) {
    for (const path of files) {
      await checkFile(path, wanted);
      plan.push({
        name: basename(path),
        source: COLLECT_SOURCE,
        declaration: DECLARATION,
        recipe: { collectedVersion: COLLECTED_VERSION },
        conversion: () => 'none',
        id: async () => (await fileSha256(path)).slice(0, 16),
        write: (shard) => copyRows(path, shard, options),
      });
    }
  }
  return joinDataset(out, wanted, plan, options);
}

async function checkFile(
  path: string,
  { featureVersion, occlusion }: ShardDescription['options'],
): Promise<void> {
  const found = await shardDescription(path);
  if (found?.description.source !== COLLECT_SOURCE) {
    throw new InputError(
      'ERR_IMPORT',
      `${path}: no whole file of \`sluice collect\`; expected one called collect-*.parquet`,
    );
  }
  const told = found.description.options;
  if (
    told.featureVersion === featureVersion &&
    told.occlusion.version === occlusion.version
  ) {
    return;
  }
  throw new InputError(
    'ERR_IMPORT',
    `${path}: its features are of version ${told.featureVersion} and occlusion ${told.occlusion.version}, this program makes ${featureVersion} and ${occlusion.version}: collect anew`,
  );
}

async function copyRows(
  path: string,
  { id, options, description }: WrittenAs,
  { out, signal }: CollectedImport,
): Promise<WrittenShard | undefined> {
  const { looks, storedPackets } = options;
  const writer = new ShardWriter(out, {
    id,
    looks,
    keepSni: false,
    description: { ...description, counters: {} },
  });
  try {
    for await (const rows of readShard(path)) {
      for (const row of rows) {
        if (row.seen > storedPackets) {
          throw new InputError(
            'ERR_IMPORT',
            `${path}: its flows have up to ${row.seen} packets, the data set stores ${storedPackets}: give --packets ${row.seen} at least`,
          );
        }
        const looked = lookColumns(row, looks, PAPER_RULE);
        writer.add({ ...row, flow: writer.rows, capture: id, ...looked });
      }
      if (!signal.aborted) continue;
      writer.discard();
      return undefined;
    }
    const { rows } = writer;
    const counters = { flows: rows };
    writer.finish({ counters });
    return { rows, counters };
  } catch (fault) {
    writer.discard();
    throw fault;
  }
}
