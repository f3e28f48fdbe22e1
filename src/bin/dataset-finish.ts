// `sluice dataset finish --out DIR`: the lines of `sluice dataset build --shards-only`, of as many machines as there were, into
// the manifest.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { type CaptureEntry, captureSchema } from '../dataset/dataset-manifest.ts';
import { finishDataset } from '../dataset/finish-dataset.ts';
import { removeStale } from '../dataset/shard-folder.ts';
import { InputError } from '../errors.ts';
import { tellDataset } from './dataset-build.ts';
import { emit } from './terminal.ts';

export function datasetFinishCommand(): Command {
  return new Command('finish')
    .description('write dataset.json over shards that several machines have built')
    .argument(
      '<lines...>',
      'files with the lines that `sluice dataset build --shards-only` printed; - is standard input',
    )
    .requiredOption('--out <directory>', 'the data set')
    .option('--json', 'one JSON object')
    .action(finish);
}

interface FinishOptions {
  readonly out: string;
  readonly json?: true;
}

async function finish(files: readonly string[], options: FinishOptions): Promise<void> {
  const entries: CaptureEntry[] = [];
  for (const file of files)
    for await (const entry of entriesOf(file)) entries.push(entry);
  await removeStale(options.out);
  const { manifest, strays } = await finishDataset(options.out, entries);
  tellDataset(options.out, manifest, strays);
  if (options.json === true) {
    const { captures, rows, contentSha256 } = manifest;
    await emit(JSON.stringify({ captures: captures.length, rows, contentSha256 }));
  }
}

async function* entriesOf(file: string): AsyncGenerator<CaptureEntry> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  let number = 0;
  try {
    for await (const line of createInterface({ input })) {
      number++;
      if (line.trim() !== '') yield captureSchema.parse(JSON.parse(line));
    }
  } catch (cause) {
    const what =
      (cause as NodeJS.ErrnoException).code ?? 'no line of `build --shards-only`';
    throw new InputError('ERR_DATASET', `${file} line ${number}: ${what}`, { cause });
  }
}
