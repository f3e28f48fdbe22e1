// The typed face of one native flow record. A view, not a copy: it is valid until its batch is given back.

import {
  END_REASONS,
  type EndReason,
  HEADER,
  HEADER_BYTES,
  PACKET,
  PACKET_BYTES,
  PACKET_MARKS,
  RECORD_FLAGS,
  SEGMENT,
  SEGMENT_FLAGS,
  SEGMENT_HEADER_BYTES,
} from './record-layout.ts';

/** Up is client to server. */
export type Direction = 'up' | 'down';
export type Transport = 'tcp' | 'udp';
const PROTOCOL_TCP = 6;

/** A piece of payload as it was on the wire; `bytes` is a view into the record. */
export interface Segment {
  readonly direction: Direction;
  /** TCP: sequence number of the first byte. UDP: the datagram's number in the flow. */
  readonly sequence: number;
  /** The capture held fewer bytes of it than were on the wire. */
  readonly captureCut: boolean;
  readonly bytes: Uint8Array;
}

/** Both ways' numbers. */
export interface PerDirection {
  readonly up: number;
  readonly down: number;
}

/** Where one packet of the series keeps its numbers; filled by `FlowRecord.packet`. */
export interface SeriesPacket {
  /** Since the flow's first packet. */
  timeNs: number;
  /** From the IP header on. */
  ipLength: number;
  payloadLength: number;
  tcpFlags: number;
  /** +1 client to server, -1 server to client. */
  direction: 1 | -1;
  /** TCP: it starts before the end of what its direction had sent: sent again, or overtaken on its way. */
  behind: boolean;
}

/** Room for `FlowRecord.packet` to write to. */
export function emptyPacket(): SeriesPacket {
  return {
    timeNs: 0,
    ipLength: 0,
    payloadLength: 0,
    tcpFlags: 0,
    direction: 1,
    behind: false,
  };
}

/** A flow: all packets of a five-tuple both ways. Layout: record-layout.ts. */
export class FlowRecord {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** @param offset where the record starts in `bytes`, a multiple of 8. */
  constructor(bytes: Uint8Array, offset: number) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + offset).getUint32(
      HEADER.recordBytes,
      true,
    );
    this.#bytes = bytes.subarray(offset, offset + length);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  }

  /** A copy that outlives the batch. */
  copy(): FlowRecord {
    return new FlowRecord(this.#bytes.slice(), 0);
  }

  /** The record as it lies in its batch: record-layout.ts. */
  get raw(): Uint8Array {
    return this.#bytes;
  }

  /** Bytes that this record takes in its batch. */
  get recordBytes(): number {
    return this.#bytes.byteLength;
  }

  get transport(): Transport {
    return this.#view.getUint8(HEADER.protocol) === PROTOCOL_TCP ? 'tcp' : 'udp';
  }

  /** The same for all records of one flow, and for no other flow of the same run (up to 2^32 of a table). */
  get id(): number {
    const view = this.#view;
    return (
      view.getUint8(HEADER.table) * 0x1_0000_0000 + view.getUint32(HEADER.serial, true)
    );
  }

  /** Times that this flow has been handed over before, while it was open. */
  get handovers(): number {
    return this.#view.getUint8(HEADER.handovers);
  }

  get endReason(): EndReason {
    return END_REASONS[this.#view.getUint8(HEADER.endReason)] ?? 'flush';
  }

  get client(): string {
    return this.#address(HEADER.clientAddress);
  }

  get server(): string {
    return this.#address(HEADER.serverAddress);
  }

  get clientPort(): number {
    return this.#view.getUint16(HEADER.clientPort, true);
  }

  get serverPort(): number {
    return this.#view.getUint16(HEADER.serverPort, true);
  }

  /** The outermost VLAN id, undefined when untagged. */
  get vlan(): number | undefined {
    const id = this.#view.getUint16(HEADER.vlan, true);
    return id === 0xffff ? undefined : id;
  }

  /** Since the epoch. */
  get startUs(): number {
    return Number(this.#view.getBigInt64(HEADER.firstNs, true) / 1000n);
  }

  get durationNs(): number {
    const view = this.#view;
    return Number(
      view.getBigInt64(HEADER.lastNs, true) - view.getBigInt64(HEADER.firstNs, true),
    );
  }

  get packets(): PerDirection {
    return this.#count64(HEADER.packetsUp, HEADER.packetsDown);
  }

  /** IP bytes on the wire. */
  get bytes(): PerDirection {
    return this.#count64(HEADER.bytesUp, HEADER.bytesDown);
  }

  get payloadBytes(): PerDirection {
    return this.#count64(HEADER.payloadBytesUp, HEADER.payloadBytesDown);
  }

  /** TCP window, unscaled, of the first packet each way. */
  get initialWindow(): PerDirection {
    const view = this.#view;
    return {
      up: view.getUint16(HEADER.initialWindowUp, true),
      down: view.getUint16(HEADER.initialWindowDown, true),
    };
  }

  has(flag: keyof typeof RECORD_FLAGS): boolean {
    return (this.#view.getUint8(HEADER.flags) & RECORD_FLAGS[flag]) !== 0;
  }

  /** Sequence number of the first payload byte, where the SYN of that direction was seen. */
  initialSequence(direction: Direction): number | undefined {
    const up = direction === 'up';
    if (!this.has(up ? 'synUp' : 'synDown')) return undefined;
    const offset = up ? HEADER.initialSequenceUp : HEADER.initialSequenceDown;
    return this.#view.getUint32(offset, true);
  }

  /** Packets that the record describes one by one: the flow's first ones. */
  get seriesPackets(): number {
    return this.#view.getUint16(HEADER.seriesPackets, true);
  }

  /** Reads packet `i` (0 <= i < seriesPackets) into `into`; nothing is allocated. */
  packet(i: number, into: SeriesPacket): void {
    const view = this.#view;
    const at = HEADER_BYTES + i * PACKET_BYTES;
    into.timeNs =
      view.getUint32(at + PACKET.timeNs, true) +
      view.getUint16(at + PACKET.timeNs + 4, true) * 0x1_0000_0000;
    into.ipLength = view.getUint16(at + PACKET.ipLength, true);
    into.payloadLength = view.getUint16(at + PACKET.payloadLength, true);
    into.tcpFlags = view.getUint8(at + PACKET.tcpFlags);
    const marks = view.getUint8(at + PACKET.marks);
    into.direction = (marks & PACKET_MARKS.down) === 0 ? 1 : -1;
    into.behind = (marks & PACKET_MARKS.behind) !== 0;
  }

  /** The stored payload in the order it came, at most `payloadBytes` of the flow table a direction. */
  *segments(): Generator<Segment> {
    const view = this.#view;
    const start = (HEADER_BYTES + this.seriesPackets * PACKET_BYTES + 7) & ~7;
    const end = start + view.getUint32(HEADER.segmentBytes, true);
    for (let at = start; at + SEGMENT_HEADER_BYTES <= end; ) {
      const length = view.getUint16(at + SEGMENT.length, true);
      const from = at + SEGMENT_HEADER_BYTES;
      yield {
        direction: view.getUint8(at + SEGMENT.direction) === 0 ? 'up' : 'down',
        sequence: view.getUint32(at + SEGMENT.sequence, true),
        captureCut: (view.getUint8(at + SEGMENT.flags) & SEGMENT_FLAGS.captureCut) !== 0,
        bytes: this.#bytes.subarray(from, from + length),
      };
      at = from + length;
    }
  }

  #count64(up: number, down: number): PerDirection {
    // Counters stay far below 2^53.
    return {
      up: Number(this.#view.getBigUint64(up, true)),
      down: Number(this.#view.getBigUint64(down, true)),
    };
  }

  #address(offset: number): string {
    if (this.#view.getUint8(HEADER.ipVersion) === 4) {
      return this.#bytes.subarray(offset, offset + 4).join('.');
    }
    return formatIpv6(this.#view, offset);
  }
}

/** RFC 5952: lower case, the first longest run of zero groups (two or more) as `::`. */
function formatIpv6(view: DataView, offset: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(offset + 2 * i));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = (part: readonly number[]): string =>
    part.map((g) => g.toString(16)).join(':');
  if (best.start < 0) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}
