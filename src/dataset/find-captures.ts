// Files and folders that a person named -> capture files, in an order that does not depend on theirs.

import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '../errors.ts';

/** What is taken for a capture in a folder. A file that is named may be called anything. */
export const CAPTURE_SUFFIX: RegExp = /\.pcap(ng)?(\.gz)?$/i;

export interface CaptureFile {
  readonly path: string;
  readonly bytes: number;
}

export interface FoundCaptures {
  /** By path. */
  readonly files: readonly CaptureFile[];
  /** One a name that is nothing to read. */
  readonly faults: readonly { readonly path: string; readonly message: string }[];
}

/** @throws InputError ERR_CAPTURE_OPEN: there is no capture at all */
export async function findCaptures(names: readonly string[]): Promise<FoundCaptures> {
  const files = new Map<string, CaptureFile>();
  const faults: { path: string; message: string }[] = [];
  for (const name of names) {
    try {
      for (const file of await capturesOf(name)) files.set(resolve(file.path), file);
    } catch (fault) {
      faults.push({ path: name, message: messageOf(fault) });
    }
  }
  if (files.size === 0 && faults.length === 0) {
    throw new InputError(
      'ERR_CAPTURE_OPEN',
      `no captures in ${names.join(', ')}: expected files called *.pcap or *.pcapng, also with .gz`,
    );
  }
  return { files: [...files.values()].sort(byPath), faults };
}

const byPath = (a: CaptureFile, b: CaptureFile): number => (a.path < b.path ? -1 : 1);

async function capturesOf(name: string): Promise<CaptureFile[]> {
  if (name === '-') {
    throw new InputError(
      'ERR_CAPTURE_OPEN',
      'standard input cannot be built: its bytes are read twice; give a file or a folder',
    );
  }
  const facts = await stat(name);
  if (facts.isFile()) return [{ path: name, bytes: facts.size }];
  if (!facts.isDirectory()) {
    throw new InputError(
      'ERR_CAPTURE_OPEN',
      'is no regular file: its bytes are read twice; give a file or a folder',
    );
  }
  const entries = await readdir(name, { recursive: true, withFileTypes: true });
  const captures = entries.filter(isCapture);
  return Promise.all(
    captures.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      // A link to nowhere is named by whoever reads it.
      const size = await stat(path).then(
        (facts) => facts.size,
        () => 0,
      );
      return { path, bytes: size };
    }),
  );
}

function isCapture(entry: Dirent): boolean {
  return !entry.isDirectory() && CAPTURE_SUFFIX.test(entry.name);
}

const FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory: check the path',
  EACCES: 'may not be read by this user: check its permissions',
};

function messageOf(fault: unknown): string {
  const { code, message } = fault as NodeJS.ErrnoException;
  return FAULTS[code ?? ''] ?? message;
}
