// Files and folders named on the command line -> the units that are imported one by one: what one shard is made of, and what is
// skipped as a whole where it stands already.

import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../errors.ts';

/** How a format's files make units. */
export interface UnitRule {
  /** Of files that are taken from a folder; a file that is named itself is taken whatever it is called. */
  readonly pattern: RegExp;
  /** `folder`: all files of a folder, for formats with a flow or a handful of them a file. */
  readonly unit: 'file' | 'folder';
  /** Last names of the path that call a unit of this kind. */
  readonly names: 1 | 2;
}

export interface ImportUnit {
  /** Without the folders above it. */
  readonly name: string;
  /** In the order of their names. */
  readonly files: readonly string[];
}

/** @throws InputError ERR_IMPORT a path that is not there, or a folder without such files */
export async function unitsOf(
  paths: readonly string[],
  rule: UnitRule,
): Promise<ImportUnit[]> {
  const units = new Map<string, string[]>();
  for (const path of paths) {
    for (const file of await filesOf(path, rule.pattern)) {
      const key = rule.unit === 'file' ? file : dirname(file);
      const files = units.get(key);
      if (files === undefined) units.set(key, [file]);
      else if (!files.includes(file)) files.push(file);
    }
  }
  return [...units].map(([key, files]) => ({
    name: rule.names === 1 ? basename(key) : join(basename(dirname(key)), basename(key)),
    files: files.toSorted(),
  }));
}

/** A file, or all that match in a folder and the folders below it. */
async function filesOf(path: string, pattern: RegExp): Promise<string[]> {
  const facts = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new InputError('ERR_IMPORT', `${path}: cannot be read (${cause.code})`, {
      cause,
    });
  });
  if (!facts.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  if (found.length > 0) return found;
  throw new InputError(
    'ERR_IMPORT',
    `${path}: no file in this folder is called like ${pattern.source.replaceAll('\\', '')}`,
  );
}

/**
 * A unit's id: the hash of its content, so that the same files are the same unit wherever they lie.
 *
 * @param hashes SHA-256 of each file, in their order
 */
export function unitId({ files }: ImportUnit, hashes: readonly string[]): string {
  const [only] = hashes;
  if (hashes.length === 1 && only !== undefined) return only.slice(0, 16);
  const hash = createHash('sha256');
  files.forEach((file, i) => {
    hash.update(`${basename(file)} ${hashes[i]}\n`);
  });
  return hash.digest('hex').slice(0, 16);
}
