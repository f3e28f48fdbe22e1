// Capture files made in memory, in every shape that the formats allow.

/** A frame as a test wants it in a file. */
export interface TestFrame {
  readonly bytes: Uint8Array;
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Length on the wire; as captured unless given. */
  readonly wire?: number;
}

export interface ClassicOptions {
  readonly littleEndian: boolean;
  readonly nanoseconds: boolean;
  readonly linkType: number;
}

/** draft-ietf-opsawg-pcap: file header, then a record a frame. */
export function classicPcap(
  frames: readonly TestFrame[],
  options: ClassicOptions,
): Buffer {
  const { littleEndian: le, nanoseconds } = options;
  const header = Buffer.alloc(24);
  const head = new DataView(header.buffer, header.byteOffset, 24);
  head.setUint32(0, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, le);
  head.setUint16(4, 2, le);
  head.setUint16(6, 4, le);
  head.setUint32(16, 262_144, le);
  head.setUint32(20, options.linkType, le);
  const records = frames.map((frame) => {
    const record = Buffer.alloc(16 + frame.bytes.byteLength);
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    view.setUint32(0, frame.seconds, le);
    view.setUint32(4, nanoseconds ? frame.nanoseconds : frame.nanoseconds / 1000, le);
    view.setUint32(8, frame.bytes.byteLength, le);
    view.setUint32(12, frame.wire ?? frame.bytes.byteLength, le);
    record.set(frame.bytes, 16);
    return record;
  });
  return Buffer.concat([header, ...records]);
}

/** A pcapng block: type, length, body padded to 4, length again. */
export function pcapngBlock(type: number, body: Uint8Array, le: boolean): Buffer {
  const padded = (body.byteLength + 3) & ~3;
  const block = Buffer.alloc(12 + padded);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  view.setUint32(0, type, le);
  view.setUint32(4, block.byteLength, le);
  block.set(body, 8);
  view.setUint32(8 + padded, block.byteLength, le);
  return block;
}

export function sectionHeader(le: boolean): Buffer {
  const body = Buffer.alloc(16, 0xff);
  const view = new DataView(body.buffer, body.byteOffset, 16);
  view.setUint32(0, 0x1a2b3c4d, le);
  view.setUint16(4, 1, le);
  view.setUint16(6, 0, le);
  return pcapngBlock(0x0a0d0d0a, body, le);
}

/** @param tsresol if_tsresol option, left out when undefined. */
export function interfaceBlock(linkType: number, le: boolean, tsresol?: number): Buffer {
  const body = Buffer.alloc(tsresol === undefined ? 8 : 20);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  view.setUint16(0, linkType, le);
  if (tsresol !== undefined) {
    view.setUint16(8, 9, le);
    view.setUint16(10, 1, le);
    view.setUint8(12, tsresol);
  }
  return pcapngBlock(1, body, le);
}

/** An enhanced packet block; `ticks` in the interface's resolution. */
export function packetBlock(
  interfaceId: number,
  ticks: bigint,
  bytes: Uint8Array,
  le: boolean,
): Buffer {
  const body = Buffer.alloc(20 + bytes.byteLength);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  view.setUint32(0, interfaceId, le);
  view.setUint32(4, Number(ticks >> 32n), le);
  view.setUint32(8, Number(ticks & 0xffff_ffffn), le);
  view.setUint32(12, bytes.byteLength, le);
  view.setUint32(16, bytes.byteLength, le);
  body.set(bytes, 20);
  return pcapngBlock(6, body, le);
}

/** The bytes in chunks of a given size, as a stream would bring them. */
export async function* inChunks(
  bytes: Uint8Array,
  size: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.slice(at, at + size);
}
