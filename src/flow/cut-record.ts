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
  const arrivals = segmentArrivals(record);
  const kept: Uint8Array[] = [];
  let at = padded(HEADER_BYTES + record.seriesPackets * PACKET_BYTES);
  let i = 0;
  for (const segment of record.segments()) {
    const length = SEGMENT_HEADER_BYTES + segment.bytes.byteLength;
    if ((arrivals[i++] ?? NEVER) <= packets)
      kept.push(record.raw.subarray(at, at + length));
    at += length;
  }
  return kept;
}

const NEVER = Number.POSITIVE_INFINITY;

/**
 * For each stored segment, in their order, the number of packets after which it is there: 3 came with the third packet.
 * Infinity: with none that the series holds.
 *
 * A TCP segment does not say; but segments and packets with payload are in the same order each way, and one segment is
 * one packet, or several that an offload had joined.
 */
export function segmentArrivals(record: FlowRecord): number[] {
  const tcp = record.transport === 'tcp';
  const came = tcp
    ? { up: payloadPackets(record, 1), down: payloadPackets(record, -1) }
    : undefined;
  return Array.from(record.segments(), ({ direction, sequence, bytes }) => {
    if (came === undefined) {
      return sequence < record.seriesPackets ? sequence + 1 : NEVER;
    }
    return came[direction].take(bytes.byteLength);
  });
}

/** The packets of a direction that carry payload, taken from the front. */
class PayloadPackets {
  readonly #numbers: number[] = [];
  readonly #lengths: number[] = [];
  #next = 0;

  add(number: number, payloadLength: number): void {
    this.#numbers.push(number);
    this.#lengths.push(payloadLength);
  }

  /** Takes the packets of a segment; the number of the first one. */
  take(segmentBytes: number): number {
    const first = this.#numbers[this.#next];
    if (first === undefined) return NEVER;
    let taken = 0;
    do {
      taken += this.#lengths[this.#next++] ?? 0;
    } while (taken < segmentBytes && this.#next < this.#lengths.length);
    return first;
  }
}

function payloadPackets(record: FlowRecord, direction: 1 | -1): PayloadPackets {
  const found = new PayloadPackets();
  const packet = emptyPacket();
  for (let i = 0; i < record.seriesPackets; i++) {
    record.packet(i, packet);
    if (packet.payloadLength > 0 && packet.direction === direction) {
      found.add(i + 1, packet.payloadLength);
    }
  }
  return found;
}
