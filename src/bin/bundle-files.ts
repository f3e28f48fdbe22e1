// Files of bundles and keys, read bounded and written whole: a crash leaves the old file or the new one.

import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { InputError } from '../errors.ts';

const SMALL_BYTES_MAX = 64 * 1024;

/**
 * The text of a small file that the person named.
 *
 * @param what completes "expected …"
 * @throws InputError ERR_FILE
 */
export async function readSmall(path: string, what: string): Promise<string> {
  try {
    const facts = await stat(path);
    if (facts.isFile() && facts.size <= SMALL_BYTES_MAX)
      return await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new InputError(
      'ERR_FILE',
      `${path} cannot be read (${code}), expected ${what}`,
      {
        cause,
      },
    );
  }
  throw new InputError('ERR_FILE', `${path} is no small file, expected ${what}`);
}

/** @throws InputError ERR_FILE where there is such a file already */
export async function writeNew(
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  await write(path, bytes, { flag: 'wx', mode });
}

/** In place of the file that may be there. */
export async function writeOver(
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  await write(draft, bytes, { flag: 'wx', mode });
  await rename(draft, path);
}

async function write(
  path: string,
  bytes: Uint8Array,
  { flag, mode }: { readonly flag: string; readonly mode: number },
): Promise<void> {
  try {
    const file = await open(path, flag, mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Half a file is worse than none; one that was there before is not ours.
    if (code !== 'EEXIST') await rm(path, { force: true });
    throw new InputError(
      'ERR_FILE',
      code === 'EEXIST'
        ? `${path} is there already; name another, or give --force`
        : `${path} cannot be written (${code}); name a place that can be written to`,
      { cause },
    );
  }
}
