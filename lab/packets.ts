// Captures packet by packet: reads any that the product reads, writes classic pcap with microseconds.

import type { CaptureNotes } from '../src/capture/capture-faults.ts';
import { INDEX_WORDS } from '../src/capture/frame-index.ts';
import { openCapture } from '../src/capture/open-capture.ts';
import { readCapture } from '../src/capture/pcap.ts';
import { InputError } from '../src/errors.ts';
import { type Frame, LINKTYPE_ETHERNET, LINKTYPE_RAW, parseFrame } from './frame.ts';

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const VERSION_MAJOR = 2;
const VERSION_MINOR = 4;
const SNAPLEN = 262_144;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

/** A TCP or UDP packet of a capture; `bytes` is valid until the next one is asked for. */
export interface Packet {
  readonly frame: Frame;
  /** What was captured of it. */
  readonly bytes: Uint8Array;
  /** Its length on the wire, the link's header included. */
  readonly wireBytes: number;
  /** Since the epoch. */
  readonly timeUs: number;
}

/**
 * The TCP and UDP packets of a capture (plain or gzip) in their order.
 *
 * @throws InputError when it is no whole capture of Ethernet or raw IP.
 */
export async function* readPackets(file: string): AsyncGenerator<Packet> {
  const notes: CaptureNotes = { truncated: undefined, skipped: {} };
  for await (const block of readCapture(openCapture(file, notes), notes)) {
    const { linkType } = block;
    if (linkType !== LINKTYPE_ETHERNET && linkType !== LINKTYPE_RAW) {
      throw new InputError(
        'ERR_LAB_CAPTURE',
        `${file}: link type ${linkType}, expected 1 (Ethernet) or 101 (raw IP)`,
      );
    }
    for (let i = 0; i < block.frames; i++) {
      const [offset = 0, captured = 0, wire = 0, seconds = 0, nanoseconds = 0] =
        block.index.subarray(i * INDEX_WORDS, (i + 1) * INDEX_WORDS);
      const bytes = block.bytes.subarray(offset, offset + captured);
      const frame = parseFrame(bytes, linkType);
      if (frame === undefined) continue;
      const timeUs = seconds * 1_000_000 + Math.floor(nanoseconds / 1000);
      yield { frame, bytes, wireBytes: wire, timeUs };
    }
  }
  if (notes.truncated !== undefined) {
    throw new InputError('ERR_LAB_CAPTURE', `${file}: breaks off, ${notes.truncated}`);
  }
}

/** One text for both directions of a TCP or UDP flow. */
export function flowKey(frame: Frame): string {
  const source = `${frame.source} ${frame.sourcePort}`;
  const destination = `${frame.destination} ${frame.destinationPort}`;
  return source < destination
    ? `${frame.protocol} ${source} ${destination}`
    : `${frame.protocol} ${destination} ${source}`;
}

export function captureHeader(linkType: number = LINKTYPE_ETHERNET): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.writeUInt32LE(MAGIC_MICROSECONDS, 0);
  header.writeUInt16LE(VERSION_MAJOR, 4);
  header.writeUInt16LE(VERSION_MINOR, 6);
  header.writeUInt32LE(SNAPLEN, 16);
  header.writeUInt32LE(linkType, 20);
  return header;
}

/** A record of the packet's first `kept` bytes; its length on the wire stays what it was. */
export function captureRecord(
  { bytes, wireBytes, timeUs }: Packet,
  kept: number,
): Buffer {
  const record = Buffer.alloc(RECORD_HEADER_BYTES + kept);
  record.writeUInt32LE(Math.floor(timeUs / 1_000_000), 0);
  record.writeUInt32LE(timeUs % 1_000_000, 4);
  record.writeUInt32LE(kept, 8);
  record.writeUInt32LE(wireBytes, 12);
  record.set(bytes.subarray(0, kept), RECORD_HEADER_BYTES);
  return record;
}
