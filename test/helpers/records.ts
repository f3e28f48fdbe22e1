// Flow records made in memory, byte for byte as the native flow table writes them (src/flow/record-layout.ts).

import { FlowRecord } from '../../src/flow/flow-record.ts';
import {
  HEADER,
  HEADER_BYTES,
  PACKET,
  PACKET_BYTES,
  PACKET_MARKS,
  RECORD_FLAGS,
  SEGMENT,
  SEGMENT_FLAGS,
  SEGMENT_HEADER_BYTES,
} from '../../src/flow/record-layout.ts';

export interface TestPacket {
  readonly timeNs: number;
  readonly ipLength: number;
  readonly payloadLength: number;
  readonly tcpFlags?: number;
  readonly direction: 1 | -1;
  readonly behind?: boolean;
}

export interface TestSegment {
  readonly direction: 'up' | 'down';
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly captureCut?: boolean;
}

/** Datagrams of a UDP flow as its record holds them, each with its number. */
export function datagrams(
  ...sent: readonly (readonly [direction: 'up' | 'down', bytes: Uint8Array])[]
): TestSegment[] {
  return sent.map(([direction, bytes], sequence) => ({ direction, sequence, bytes }));
}

export interface TestRecord {
  readonly packets?: readonly TestPacket[];
  readonly segments?: readonly TestSegment[];
  /** Given: the SYN of that direction was seen and this is the first payload byte's sequence number. */
  readonly initialSequenceUp?: number;
  readonly initialSequenceDown?: number;
  readonly protocol?: 6 | 17;
  readonly clientAddress?: Uint8Array;
  /** TCP windows of the first packet each way. */
  readonly windowUp?: number;
  readonly windowDown?: number;
}

export function makeRecord(options: TestRecord): FlowRecord {
  const packets = options.packets ?? [];
  const segments = options.segments ?? [];
  const seriesEnd = (HEADER_BYTES + packets.length * PACKET_BYTES + 7) & ~7;
  const segmentBytes = segments.reduce(
    (sum, segment) => sum + SEGMENT_HEADER_BYTES + segment.bytes.byteLength,
    0,
  );
  const bytes = new Uint8Array((seriesEnd + segmentBytes + 7) & ~7);
  const view = new DataView(bytes.buffer);
  writeHeader(view, bytes, options, segmentBytes);
  packets.forEach((packet, i) => {
    const at = HEADER_BYTES + i * PACKET_BYTES;
    view.setUint32(at + PACKET.timeNs, packet.timeNs % 2 ** 32, true);
    view.setUint16(at + PACKET.timeNs + 4, Math.floor(packet.timeNs / 2 ** 32), true);
    view.setUint16(at + PACKET.ipLength, packet.ipLength, true);
    view.setUint16(at + PACKET.payloadLength, packet.payloadLength, true);
    view.setUint8(at + PACKET.tcpFlags, packet.tcpFlags ?? 0);
    const marks =
      (packet.direction === 1 ? 0 : PACKET_MARKS.down) |
      (packet.behind === true ? PACKET_MARKS.behind : 0);
    view.setUint8(at + PACKET.marks, marks);
  });
  let at = seriesEnd;
  for (const segment of segments) {
    view.setUint32(at + SEGMENT.sequence, segment.sequence, true);
    view.setUint16(at + SEGMENT.length, segment.bytes.byteLength, true);
    view.setUint8(at + SEGMENT.direction, segment.direction === 'up' ? 0 : 1);
    view.setUint8(at + SEGMENT.flags, segment.captureCut ? SEGMENT_FLAGS.captureCut : 0);
    bytes.set(segment.bytes, at + SEGMENT_HEADER_BYTES);
    at += SEGMENT_HEADER_BYTES + segment.bytes.byteLength;
  }
  return new FlowRecord(bytes, 0);
}

function writeHeader(
  view: DataView,
  bytes: Uint8Array,
  options: TestRecord,
  segmentBytes: number,
): void {
  const { initialSequenceUp: up, initialSequenceDown: down } = options;
  view.setUint32(HEADER.recordBytes, bytes.byteLength, true);
  const address = options.clientAddress ?? Uint8Array.of(10, 0, 0, 1);
  view.setUint8(HEADER.ipVersion, address.byteLength === 4 ? 4 : 6);
  bytes.set(address, HEADER.clientAddress);
  bytes.set([10, 0, 0, 2], HEADER.serverAddress);
  view.setUint8(HEADER.protocol, options.protocol ?? 6);
  const flags =
    (up === undefined ? 0 : RECORD_FLAGS.synUp) |
    (down === undefined ? 0 : RECORD_FLAGS.synDown);
  view.setUint8(HEADER.flags, flags);
  view.setUint16(HEADER.vlan, 0xffff, true);
  view.setUint16(HEADER.seriesPackets, options.packets?.length ?? 0, true);
  view.setUint32(HEADER.segmentBytes, segmentBytes, true);
  view.setUint32(HEADER.initialSequenceUp, up ?? 0, true);
  view.setUint32(HEADER.initialSequenceDown, down ?? 0, true);
  view.setUint16(HEADER.initialWindowUp, options.windowUp ?? 0, true);
  view.setUint16(HEADER.initialWindowDown, options.windowDown ?? 0, true);
}
