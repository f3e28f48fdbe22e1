// A name that a person gave -> the bytes of a capture: a file or standard input, plain or gzip.

import { constants, createReadStream, type ReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputError } from '../errors.ts';
import type { CaptureNotes } from './pcap.ts';

const CHUNK_BYTES = 1 << 20;
const GZIP_MAGIC = 0x1f8b;

/**
 * Opens `name` ('-' is standard input) and streams its bytes, unpacked. A gzip stream that breaks off ends early and
 * is noted in `notes.truncated`.
 *
 * @throws InputError ERR_CAPTURE_OPEN: missing, a directory, not readable; the message names the cure.
 */
export async function* openCapture(
  name: string,
  notes: CaptureNotes,
): AsyncGenerator<Uint8Array> {
  const raw = name === '-' ? standardInput() : await openFile(name);
  const chunks = raw[Symbol.asyncIterator]();
  // A pipe may deliver a single byte first: gather enough to see the magic number.
  let head: Buffer = Buffer.alloc(0);
  while (head.byteLength < 2) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    head = head.byteLength === 0 ? value : Buffer.concat([head, value]);
  }
  const rest = async function* (): AsyncGenerator<Buffer> {
    if (head.byteLength > 0) yield head;
    for (;;) {
      const { value, done } = await chunks.next();
      if (done === true) return;
      yield value;
    }
  };
  try {
    if (head.byteLength >= 2 && head.readUInt16BE(0) === GZIP_MAGIC) {
      yield* gunzip(rest(), notes);
    } else yield* rest();
  } finally {
    raw.destroy();
  }
}

function standardInput(): ReadStream {
  return createReadStream('', { fd: 0, autoClose: false, highWaterMark: CHUNK_BYTES });
}

async function openFile(name: string): Promise<ReadStream> {
  try {
    // A pipe that nobody writes to would block here for ever; users who name one mean to wait.
    const facts = await stat(name);
    if (facts.isDirectory()) {
      throw new InputError(
        'ERR_CAPTURE_OPEN',
        'is a directory, expected a capture file: name the files in it',
      );
    }
    const file = await open(name, constants.O_RDONLY);
    return file.createReadStream({ highWaterMark: CHUNK_BYTES });
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new InputError(
      'ERR_CAPTURE_OPEN',
      OPEN_FAULTS[code] ?? `cannot be opened (${code})`,
      {
        cause,
      },
    );
  }
}

const OPEN_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file: check the path',
  EACCES: 'may not be read by this user: check its permissions',
  EPERM: 'may not be read by this user: check its permissions',
};

async function* gunzip(
  packed: AsyncIterable<Buffer>,
  notes: CaptureNotes,
): AsyncGenerator<Buffer> {
  const unpacker = createGunzip({ chunkSize: CHUNK_BYTES });
  // A fault of either end reaches the loop below through the unpacker; there is no other way to hear of it.
  pipeline(Readable.from(packed, { objectMode: false }), unpacker, () => {});
  let unpacked = 0;
  try {
    for await (const chunk of unpacker) {
      unpacked += chunk.byteLength;
      yield chunk;
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (!code.startsWith('Z_')) throw cause;
    if (unpacked === 0 && code !== 'Z_BUF_ERROR') {
      throw new InputError(
        'ERR_NOT_A_CAPTURE',
        `not a capture: damaged gzip data (${code})`,
        {
          cause,
        },
      );
    }
    notes.truncated =
      code === 'Z_BUF_ERROR'
        ? 'its gzip data breaks off'
        : `its gzip data is damaged (${code})`;
  }
}
