// Reports as records of a segment file: length u32 LE, CRC-32 of the JSON u32 LE, JSON in UTF-8. Bytes that were cut or
// flipped end what can be read of a segment: behind them no record's start is known.

import { crc32 } from 'node:zlib';

const HEADER_BYTES = 8;
/** A report of 256 classes has some 35 kB; what is longer than this is no length that we wrote. */
export const JSON_BYTES_MAX: number = 1 << 18;
export const SEGMENT_BYTES_MAX: number = 1 << 20;
/** Zeros, as a power cut leaves them at the end of a file, have a valid CRC of nothing. */
const JSON_BYTES_LEAST = 2;

export interface SegmentRecord {
  readonly json: string;
  /** Offset of the first byte after it. */
  readonly end: number;
}

export function encodeRecord(json: string): Buffer {
  const bytes = Buffer.from(json);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(bytes.byteLength, 0);
  header.writeUInt32LE(crc32(bytes), 4);
  return Buffer.concat([header, bytes]);
}

/** Whole records from `offset` on, up to the first that is not. */
export function* readRecords(bytes: Buffer, offset = 0): Generator<SegmentRecord> {
  let start = offset + HEADER_BYTES;
  while (start <= bytes.byteLength) {
    const length = bytes.readUInt32LE(start - HEADER_BYTES);
    if (length < JSON_BYTES_LEAST || length > JSON_BYTES_MAX) return;
    const end = start + length;
    if (end > bytes.byteLength) return;
    const json = bytes.subarray(start, end);
    if (crc32(json) !== bytes.readUInt32LE(start - 4)) return;
    yield { json: json.toString(), end };
    start = end + HEADER_BYTES;
  }
}

export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.seg`;
}

/** undefined where a file is no segment. */
export function segmentNumber(file: string): number | undefined {
  const digits = /^(\d{10})\.seg$/.exec(file)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The first byte of the spool that is not acknowledged. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export const START: Position = { segment: 0, offset: 0 };

export function encodePosition({ segment, offset }: Position): string {
  const place = `${segment} ${offset}`;
  return `${place} ${crc32(place)}\n`;
}

/** START where the text is damaged: reports then come twice, which a controller knows, rather than never. */
export function decodePosition(text: string): Position {
  const [, segment, offset, crc] =
    /^(\d{1,10}) (\d{1,10}) (\d{1,10})\n$/.exec(text) ?? [];
  if (Number(crc) !== crc32(`${segment} ${offset}`)) return START;
  return { segment: Number(segment), offset: Number(offset) };
}
