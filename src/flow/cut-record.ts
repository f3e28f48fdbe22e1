// A record -> the record as it was after the flow's first N packets: what an early decision has to go by. Training and
// evaluation look at flows through it, so that an early look holds no byte that came later.

import { emptyPacket, FlowRecord } from './flow-record.ts';
import {
  HEADER,
  HEADER_BYTES,
  PACKET_BYTES,
  SEGMENT_HEADER_BYTES,
} from './record-layout.ts';

/**
 * A copy that holds the first `packets` packets of the series, and the payload that came with them. Counters, times and end
 * stay those of the whole flow.
 */
export function cutRecord(record: FlowRecord, packets: number): FlowRecord {
  const kept = Math.min(packets, record.seriesPackets);
  const segments = segmentsOf(record, kept);
  const seriesEnd = padded(HEADER_BYTES + kept * PACKET_BYTES);
  const segmentBytes = segments.reduce((sum, segment) => sum + segment.byteLength, 0);
  const bytes = new Uint8Array(padded(seriesEnd + segmentBytes));
  bytes.set(record.raw.subarray(0, HEADER_BYTES + kept * PACKET_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint32(HEADER.recordBytes, bytes.byteLength, true);
  view.setUint16(HEADER.seriesPackets, kept, true);
  view.setUint32(HEADER.segmentBytes, segmentBytes, true);
  let at = seriesEnd;
  for (const segment of segments) {
    bytes.set(segment, at);
    at += segment.byteLength;
  }
  return new FlowRecord(bytes, 0);
}

function padded(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** The stored segments, headers and all, of the first `packets` packets. */
function segmentsOf(record: FlowRecord, packets: number): Uint8Array[] {
  const came = new PayloadCame(record, packets);
  const kept: Uint8Array[] = [];
  let at = padded(HEADER_BYTES + record.seriesPackets * PACKET_BYTES);
  for (const segment of record.segments()) {
    const length = SEGMENT_HEADER_BYTES + segment.bytes.byteLength;
    const up = segment.direction === 'up';
    const inTime =
      record.transport === 'tcp'
        ? came.take(up ? 1 : -1, segment.bytes.byteLength)
        : segment.sequence < packets;
    if (inTime) kept.push(record.raw.subarray(at, at + length));
    at += length;
  }
  return kept;
}

/**
 * Which TCP segments came with the first packets. A segment does not say; but segments and packets with payload are in the
 * same order each way, and one segment is one packet, or several that an offload had joined.
 */
class PayloadCame {
  /** Payload lengths of packets each way, in order; taken from the front. */
  readonly #lengths: Readonly<Record<1 | -1, number[]>> = { 1: [], [-1]: [] };

  constructor(record: FlowRecord, packets: number) {
    const packet = emptyPacket();
    for (let i = 0; i < packets; i++) {
      record.packet(i, packet);
      const { payloadLength, direction } = packet;
      if (payloadLength > 0) this.#lengths[direction].push(payloadLength);
    }
  }

  take(direction: 1 | -1, segmentBytes: number): boolean {
    const lengths = this.#lengths[direction];
    const first = lengths.shift();
    if (first === undefined) return false;
    let taken = first;
    while (taken < segmentBytes) {
      const next = lengths.shift();
      if (next === undefined) break;
      taken += next;
    }
    return true;
  }
}
