// `sluice bundle pack` and `sluice bundle unpack`: a bundle's directory into one file, and back.

import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { packArchive } from '../bundle/archive.ts';
import { readBundle } from '../bundle/load-bundle.ts';
import { TRUST_ANY } from '../bundle/trust.ts';
import { InputError } from '../errors.ts';
import { writeNew, writeOver } from './bundle-files.ts';
import { inOrder } from './bundle-sign.ts';
import { formatBytes, say } from './terminal.ts';

interface PackOptions {
  readonly out?: string;
  readonly force?: true;
}

export function bundlePackCommand(): Command {
  return new Command('pack')
    .description(
      'put a bundle into one file, a tar archive; the same bundle, the same bytes',
    )
    .argument('<directory>', 'the bundle')
    .option('-o, --out <file>', "the archive; by default the directory's name and .tar")
    .option('-f, --force', 'over a file that is there')
    .action(pack);
}

async function pack(directory: string, options: PackOptions): Promise<void> {
  const { files } = await readBundle(directory, TRUST_ANY);
  const out = options.out ?? `${basename(resolve(directory))}.tar`;
  const archive = packArchive(inOrder(files));
  const write = options.force === true ? writeOver : writeNew;
  await write(out, archive, 0o644);
  say(`${out}: ${files.size} files, ${formatBytes(archive.byteLength)}`);
}

export function bundleUnpackCommand(): Command {
  return new Command('unpack')
    .description('put the files of a bundle into a new directory')
    .argument('<archive>', 'the bundle')
    .option('-o, --out <directory>', 'by default the name of the model')
    .action(unpack);
}

async function unpack(archive: string, options: PackOptions): Promise<void> {
  // Whole and checked in memory before anything is written.
  const { files, manifest } = await readBundle(archive, TRUST_ANY);
  const out = options.out ?? manifest.name;
  const there = await readdir(out).catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === 'ENOENT') return undefined;
    throw new InputError('ERR_FILE', `${out} cannot be a directory (${fault.code})`);
  });
  if (there !== undefined && there.length > 0) {
    throw new InputError('ERR_FILE', `${out} is not empty; name another by --out`);
  }
  const made = await mkdir(out, { recursive: true });
  try {
    for (const [name, bytes] of files) await writeNew(join(out, name), bytes, 0o644);
  } catch (fault) {
    for (const name of files.keys()) await rm(join(out, name), { force: true });
    if (made !== undefined) await rm(out, { recursive: true, force: true });
    throw fault;
  }
  say(`${out}: ${files.size} files`);
}
