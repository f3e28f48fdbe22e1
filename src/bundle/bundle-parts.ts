// Where a bundle lies -> its files by name: a directory or a one-file archive, each file bounded before it is read.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BundleError } from '../errors.ts';
import { readArchive } from './archive.ts';

export const MANIFEST_FILE = 'manifest.json';
export const MODEL_FILE = 'model.onnx';
/** What `minisign -Vm manifest.json` looks for. */
export const SIGNATURE_FILE = 'manifest.json.minisig';

/** A model far beyond what a router runs is taken for a mistake: it would be read into memory whole. */
export const MODEL_BYTES_MAX: number = 256 * 1024 * 1024;
export const PART_BYTES_MAX: number = 16 * 1024 * 1024;
const ARCHIVE_BYTES_MAX = MODEL_BYTES_MAX + 4 * PART_BYTES_MAX;

/** The files of a bundle, nothing of them checked yet. */
export interface BundleParts {
  /** As it was asked for. */
  readonly path: string;
  /** Of an archive: all files that it holds. */
  readonly names: readonly string[] | undefined;
  /** @throws BundleError ERR_BUNDLE_MISSING, ERR_BUNDLE_DAMAGED (too long) */
  readonly read: (name: string, bytesMax: number) => Promise<Uint8Array>;
  /** The same; undefined where there is no such file. */
  readonly find: (name: string, bytesMax: number) => Promise<Uint8Array | undefined>;
}

/** @throws BundleError ERR_BUNDLE_MISSING, ERR_BUNDLE_DAMAGED */
export async function openParts(path: string): Promise<BundleParts> {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) throw missing(path, 'no such file or directory');
  if (facts.isDirectory()) return partsOf(path, undefined, (name) => fileOf(path, name));
  if (!facts.isFile()) throw missing(path, 'neither a directory nor a file');
  if (facts.size > ARCHIVE_BYTES_MAX) {
    throw damaged(path, `it has ${facts.size} bytes, at most ${ARCHIVE_BYTES_MAX}`);
  }
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw missing(path, `it cannot be read (${cause.code})`, cause);
  });
  const parts = readArchive(bytes, path);
  return partsOf(path, [...parts.keys()], async (name) => {
    const part = parts.get(name);
    return part === undefined
      ? undefined
      : { size: part.byteLength, read: async () => part };
  });
}

interface Part {
  readonly size: number;
  readonly read: () => Promise<Uint8Array>;
}

function partsOf(
  path: string,
  names: readonly string[] | undefined,
  part: (name: string) => Promise<Part | undefined>,
): BundleParts {
  const find = async (name: string, bytesMax: number) => {
    const found = await part(name);
    if (found === undefined) return undefined;
    if (found.size > bytesMax) {
      throw damaged(path, `${name} has ${found.size} bytes, at most ${bytesMax}`);
    }
    return found.read();
  };
  const read = async (name: string, bytesMax: number) => {
    const bytes = await find(name, bytesMax);
    if (bytes === undefined) throw missing(path, `${name} cannot be read (ENOENT)`);
    return bytes;
  };
  return { path, names, find, read };
}

async function fileOf(directory: string, name: string): Promise<Part | undefined> {
  const path = join(directory, name);
  const unreadable = (cause: NodeJS.ErrnoException): undefined => {
    if (cause.code === 'ENOENT') return undefined;
    throw missing(directory, `${name} cannot be read (${cause.code})`, cause);
  };
  const facts = await stat(path).catch(unreadable);
  if (facts === undefined) return undefined;
  if (!facts.isFile()) throw missing(directory, `${name} is no file`);
  const read = async () => {
    const bytes = await readFile(path).catch(unreadable);
    if (bytes === undefined) throw missing(directory, `${name} went away`);
    return bytes;
  };
  return { size: facts.size, read };
}

function missing(path: string, why: string, cause?: unknown): BundleError {
  return new BundleError(
    'ERR_BUNDLE_MISSING',
    `bundle ${path}: ${why}, expected a directory with ${MANIFEST_FILE} and ${MODEL_FILE}, or an archive of sluice bundle pack`,
    { cause },
  );
}

export function damaged(path: string, why: string): BundleError {
  return new BundleError(
    'ERR_BUNDLE_DAMAGED',
    `bundle ${path} is damaged: ${why}; copy it again from where it came`,
  );
}
