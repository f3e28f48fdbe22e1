// A name that a person gave -> the bytes of a capture: a file or standard input, plain or gzip.

import { constants, read as readDescriptor, readSync, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { InputError } from '../errors.ts';
import type { CaptureNotes } from './capture-faults.ts';

/** Memory for chunks that nobody has given memory for: the first one, and those of a packed capture. */
const CHUNK_BYTES = 1 << 18;
/** Of a regular file: some 32 MiB, a tenth of a second at the most. */
const READS_IN_A_ROW = 32;
const GZIP_MAGIC = [0x1f, 0x8b] as const;
const STANDARD_INPUT = 0;

/** Reads on into the memory given, all of it at most; how many bytes, 0 at the end. */
type Read = (into: Uint8Array) => Promise<{ readonly bytesRead: number }>;

const readStandardInput: Read = (into) =>
  new Promise((resolve, reject) => {
    readDescriptor(STANDARD_INPUT, into, 0, into.byteLength, null, (fault, bytesRead) => {
      if (fault === null) resolve({ bytesRead });
      else reject(fault);
    });
  });

/** Lets signals through. */
export const breathe = (): Promise<void> =>
  new Promise((resolve) => setImmediate(resolve));

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
    if (isPacked(head)) {
      // Loaded only where wanted: what it needs of Node takes milliseconds.
      const { gunzip } = await import('./gunzip.ts');
      yield* gunzip(following(head, chunks), notes);
    } else yield* following(head, chunks);
  } finally {
    await file?.close();
  }
}

/**
 * Opens `name` if it is a regular file that is not packed, which the addon can read by itself; gives nothing if it is
 * anything else.
 *
 * @throws InputError ERR_CAPTURE_OPEN as `openCapture` does
 */
export async function openPlainFile(name: string): Promise<FileHandle | undefined> {
  if (name === '-' || !(await factsOf(name)).isFile()) return undefined;
  const file = await openFile(name);
  const start = new Uint8Array(GZIP_MAGIC.length);
  // At its place, so that the file is still read from the beginning.
  const read = readSync(file.fd, start, 0, start.byteLength, 0);
  if (read < start.byteLength || !isPacked(start)) return file;
  await file.close();
  return undefined;
}

function isPacked(head: Uint8Array): boolean {
  return head[0] === GZIP_MAGIC[0] && head[1] === GZIP_MAGIC[1];
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
    if (++reads % READS_IN_A_ROW === 0) await breathe();
    return { bytesRead: readSync(file.fd, into, 0, into.byteLength, null) };
  };
}

async function openFile(name: string): Promise<FileHandle> {
  const facts = await factsOf(name);
  if (facts.isDirectory()) {
    throw new InputError(
      'ERR_CAPTURE_OPEN',
      'is a directory, expected a capture file: name the files in it',
    );
  }
  // A pipe that nobody writes to blocks here for ever; users who name one mean to wait.
  return open(name, constants.O_RDONLY).catch(cannotOpen);
}

function factsOf(name: string): Promise<Stats> {
  return stat(name).catch(cannotOpen);
}

function cannotOpen(cause: unknown): never {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  throw new InputError(
    'ERR_CAPTURE_OPEN',
    OPEN_FAULTS[code] ?? `cannot be opened (${code})`,
    { cause },
  );
}

const OPEN_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file: check the path',
  EACCES: 'may not be read by this user: check its permissions',
  EPERM: 'may not be read by this user: check its permissions',
};
