// A name that a person gave -> the bytes of a capture: a file or standard input, plain or gzip.

import { constants, read as readDescriptor, readSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { setImmediate as breathe } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { InputError } from '../errors.ts';
import type { CaptureNotes } from './pcap.ts';

/** Memory for chunks that nobody has given memory for: the first one, and all of a packed capture. */
const CHUNK_BYTES = 1 << 18;
/** Of a regular file: some 32 MiB, a tenth of a second at the most. */
const READS_IN_A_ROW = 32;
const GZIP_MAGIC = [0x1f, 0x8b] as const;
const STANDARD_INPUT = 0;

/** Reads on into the memory given, all of it at most; how many bytes, 0 at the end. */
type Read = (into: Uint8Array) => Promise<{ readonly bytesRead: number }>;

const readStandardInput: Read = (into) =>
  promisify(readDescriptor)(STANDARD_INPUT, into, 0, into.byteLength, null);

/** Takes the memory that the next chunk may go to; without it a chunk gets memory of its own. */
type Chunks = AsyncGenerator<Uint8Array, void, Uint8Array | undefined>;

/**
 * Opens `name` ('-' is standard input) and streams its bytes, unpacked. A gzip stream that breaks off ends early and
 * is noted in `notes.truncated`.
 *
 * @throws InputError ERR_CAPTURE_OPEN: missing, a directory, not readable; the message names the cure.
 */
export async function* openCapture(name: string, notes: CaptureNotes): Chunks {
  const file = name === '-' ? undefined : await openFile(name);
  try {
    const chunks = chunksOf(
      file === undefined ? readStandardInput : await readerOf(file),
    );
    // A pipe may deliver a single byte first: gather enough to see the magic number.
    let head: Uint8Array = new Uint8Array(0);
    while (head.byteLength < 2) {
      const { value, done } = await chunks.next();
      if (done === true) break;
      head = head.byteLength === 0 ? value : Buffer.concat([head, value]);
    }
    const packed = head[0] === GZIP_MAGIC[0] && head[1] === GZIP_MAGIC[1];
    if (packed) yield* gunzip(following(head, chunks), notes);
    else yield* following(head, chunks);
  } finally {
    await file?.close();
  }
}

async function* chunksOf(read: Read): Chunks {
  let into: Uint8Array | undefined;
  for (;;) {
    into ??= Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const { bytesRead } = await read(into);
    if (bytesRead === 0) return;
    into = yield into.subarray(0, bytesRead);
  }
}

async function* following(head: Uint8Array, chunks: Chunks): Chunks {
  if (head.byteLength === 0) return;
  for (let into = yield head; ; ) {
    const { value, done } = await chunks.next(into);
    if (done === true) return;
    into = yield value;
  }
}

/**
 * A regular file is read in this thread: its bytes are at hand, and each trip to the pool of threads costs more than
 * they do. Whatever may make wait (a pipe, a device) is left to the pool.
 */
async function readerOf(file: FileHandle): Promise<Read> {
  if (!(await file.stat()).isFile()) {
    return (into) => file.read(into, 0, into.byteLength, null);
  }
  let reads = 0;
  return async (into) => {
    // Lets signals through.
    if (++reads % READS_IN_A_ROW === 0) await breathe();
    return { bytesRead: readSync(file.fd, into, 0, into.byteLength, null) };
  };
}

async function openFile(name: string): Promise<FileHandle> {
  try {
    // A pipe that nobody writes to would block here for ever; users who name one mean to wait.
    const facts = await stat(name);
    if (facts.isDirectory()) {
      throw new InputError(
        'ERR_CAPTURE_OPEN',
        'is a directory, expected a capture file: name the files in it',
      );
    }
    return await open(name, constants.O_RDONLY);
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
  packed: AsyncIterable<Uint8Array>,
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
