// A file's text, if it is not too long: a path given by mistake may name a disk or a pipe without an end.

import { closeSync, openSync, readSync } from 'node:fs';

/**
 * Reads to the end or beyond `mostBytes`, for then it is too long and nothing is returned.
 *
 * @param look is given the open file first
 * @throws what the system calls throw; TypeError for what is not UTF-8
 */
export function readBounded(
  path: string,
  mostBytes: number,
  look?: (file: number) => void,
): string | undefined {
  const file = openSync(path, 'r');
  try {
    look?.(file);
    const bytes = Buffer.allocUnsafe(mostBytes + 1);
    let length = 0;
    while (length <= mostBytes) {
      const read = readSync(file, bytes, length, bytes.length - length, null);
      if (read === 0) {
        return new TextDecoder('utf-8', { fatal: true }).decode(
          bytes.subarray(0, length),
        );
      }
      length += read;
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}
