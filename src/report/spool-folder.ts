// The files of a spool: segments as they were found, the acknowledged position, what the system's refusals mean.

import type { Dirent } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  truncate,
} from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError, SpoolError } from '../errors.ts';
import {
  decodePosition,
  encodePosition,
  type Position,
  readRecords,
  SEGMENT_BYTES_MAX,
  START,
  segmentName,
  segmentNumber,
} from './segment.ts';

const POSITION_FILE = 'acknowledged';

export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Bytes of whole records. */
  whole: number;
  /** Bytes of the file. */
  size: number;
  unacknowledged: number;
}

export interface FoundSegment {
  readonly segment: Segment;
  /** Cut off behind the whole records. */
  readonly damagedBytes: number;
}

export async function makeFolder(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
}

/** Every segment with its damage cut off, the oldest first. */
export async function findSegments(
  directory: string,
  head: Position,
): Promise<FoundSegment[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const numbers = entries
    .filter((entry: Dirent) => entry.isFile())
    .flatMap(({ name }) => segmentNumber(name) ?? []);
  const found: FoundSegment[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    found.push(await findSegment(directory, number, head));
  }
  return found;
}

async function findSegment(
  directory: string,
  number: number,
  head: Position,
): Promise<FoundSegment> {
  const path = join(directory, segmentName(number));
  const { bytes, size } = await readSegment(path);
  const segment: Segment = { number, path, whole: 0, size, unacknowledged: 0 };
  for (const { end } of readRecords(bytes)) {
    segment.whole = end;
    if (isBefore(head, { segment: number, offset: end })) segment.unacknowledged++;
  }
  const damagedBytes = size - segment.whole;
  if (damagedBytes > 0) {
    await truncate(path, segment.whole);
    segment.size = segment.whole;
  }
  return { segment, damagedBytes };
}

/** Bytes of a segment; none where the medium cannot give them, as for damaged ones. */
export async function readSegment(
  path: string,
): Promise<{ bytes: Buffer; size: number }> {
  let handle: FileHandle | undefined;
  let size = 0;
  try {
    handle = await open(path);
    size = (await handle.stat()).size;
    const bytes = Buffer.alloc(Math.min(size, SEGMENT_BYTES_MAX));
    const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, 0);
    return { bytes: bytes.subarray(0, bytesRead), size };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EIO' && code !== 'ENOENT') throw cause;
    return { bytes: Buffer.alloc(0), size };
  } finally {
    await handle?.close();
  }
}

export function isBefore(a: Position, b: Position): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}

/** START where there is none. */
export async function readPosition(directory: string): Promise<Position> {
  try {
    return decodePosition(await readFile(join(directory, POSITION_FILE), 'latin1'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EIO') throw cause;
    return START;
  }
}

/** Replaces the position: after a crash there is the old or the new one, never a part. */
export async function writePosition(
  directory: string,
  position: Position,
  sync: boolean,
): Promise<void> {
  const temporary = join(directory, `${POSITION_FILE}.new`);
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(encodePosition(position));
    if (sync) await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(directory, POSITION_FILE));
  if (sync) await syncFolder(directory);
}

/** Makes names of new files last (fsync(2): a file's own does not). */
export async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What the system said as a fault that a person can act on; ours stay as they are. */
export function spoolFault(directory: string, cause: unknown): SluiceError {
  if (cause instanceof SluiceError) return cause;
  const { code = 'unknown', message } = cause as NodeJS.ErrnoException;
  const [ours, sentence] = FAULTS.get(code) ?? [
    'ERR_SPOOL_IO',
    `it cannot be used: ${message}`,
  ];
  return new SpoolError(ours, `spool ${directory}: ${sentence} (${code})`, { cause });
}

type Sentence = readonly [code: string, sentence: string];
const NO_ROOM: Sentence = [
  'ERR_SPOOL_FULL',
  'the disk is full, expected room for a report',
];
const NO_RIGHT: Sentence = [
  'ERR_SPOOL_ACCESS',
  'this user may not write there, expected a folder of its own: chown it, or name another',
];
const READ_ONLY: Sentence = [
  'ERR_SPOOL_READ_ONLY',
  'the file system is read-only, expected one that can be written: mount it so, or name another folder',
];
const NO_FOLDER: Sentence = [
  'ERR_SPOOL_NO_FOLDER',
  'a part of that path is a file, expected a folder',
];
const FAULTS: ReadonlyMap<string, Sentence> = new Map([
  ['ENOSPC', NO_ROOM],
  ['EDQUOT', NO_ROOM],
  ['EACCES', NO_RIGHT],
  ['EPERM', NO_RIGHT],
  ['EROFS', READ_ONLY],
  ['ENOTDIR', NO_FOLDER],
  ['EEXIST', NO_FOLDER],
]);
