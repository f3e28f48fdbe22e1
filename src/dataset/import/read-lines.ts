// A text file, plain or gzip -> its lines, in bounded memory whatever the file holds.

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputError } from '../../errors.ts';

/** A flow of any of the formats takes a thousandth of it. */
export const LINE_BYTES_MAX: number = 4 * 1024 * 1024;
const NEWLINE = 10;

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its end; undefined: longer than `LINE_BYTES_MAX`. */
  readonly text: string | undefined;
}

/** @throws InputError ERR_IMPORT the file cannot be read or unpacked */
export async function* readLines(path: string): AsyncGenerator<Line> {
  let number = 1;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const take = (rest: Buffer): Line => {
    const text =
      heldBytes + rest.byteLength > LINE_BYTES_MAX
        ? undefined
        : Buffer.concat([...held, rest])
            .toString('utf8')
            .replace(/\r$/, '');
    held = [];
    heldBytes = 0;
    return { number: number++, text };
  };
  for await (const chunk of chunksOf(path)) {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      yield take(chunk.subarray(from, to));
      from = to + 1;
    }
    const rest = chunk.subarray(from);
    heldBytes += rest.byteLength;
    // Of a line that is too long nothing more is kept.
    if (heldBytes <= LINE_BYTES_MAX) held.push(rest);
    else held = [];
  }
  if (heldBytes > 0) yield take(Buffer.alloc(0));
}

/**
 * The bytes of a file, unpacked where they are gzip.
 *
 * @throws InputError ERR_IMPORT
 */
export async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    if (!(await isGzip(path))) {
      yield* createReadStream(path);
      return;
    }
    const unpacker = createGunzip();
    // Faults of the file reach the loop below through the unpacker.
    pipeline(createReadStream(path), unpacker, () => {});
    yield* unpacker;
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    const what = code.startsWith('Z_')
      ? `its gzip data is damaged or breaks off (${code})`
      : `cannot be read (${code})`;
    throw new InputError('ERR_IMPORT', `${path}: ${what}`, { cause });
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}
