// A UDP datagram -> the long headers of the QUIC packets that it holds, one behind the other. RFC 8999 and RFC 9000
// section 17.2; drafts from 22 on lie the same way.

import { Cursor } from './cursor.ts';

/** RFC 9000 17.2: at most 20 bytes in versions that are known; RFC 8999 allows 255. */
const CONNECTION_ID_BYTES_MAX = 20;
const LONG_HEADER = 0x80;

/** What every version's long header says (RFC 8999 section 5.1). */
export interface LongHeader {
  readonly version: number;
  readonly destinationId: Uint8Array;
  readonly sourceId: Uint8Array;
  /** The two bits of the packet type, whose meaning depends on the version. */
  readonly packetType: number;
  /** Where it ends, from the datagram's start on: what follows depends on version and type. */
  readonly end: number;
}

/** The long header at `from`, undefined where there is none that makes sense. */
export function parseLongHeader(
  datagram: Uint8Array,
  from: number,
): LongHeader | undefined {
  const cursor = new Cursor(datagram, from);
  const first = cursor.uint(1);
  const version = cursor.uint(4);
  if (first === undefined || version === undefined || (first & LONG_HEADER) === 0) {
    return undefined;
  }
  const destinationId = cursor.vector(1);
  const sourceId = destinationId === undefined ? undefined : cursor.vector(1);
  if (destinationId === undefined || sourceId === undefined) return undefined;
  if (destinationId.byteLength > CONNECTION_ID_BYTES_MAX) return undefined;
  if (sourceId.byteLength > CONNECTION_ID_BYTES_MAX) return undefined;
  const packetType = (first >> 4) & 3;
  return { version, destinationId, sourceId, packetType, end: cursor.at };
}

/** Where a packet with a length field has its parts, from the datagram's start on. */
export interface PacketExtent {
  /** Of the packet number. */
  readonly numberAt: number;
  readonly end: number;
  /** The datagram, as captured, ends before the packet does. */
  readonly cut: boolean;
}

/** @param hasToken Initial packets have one, Handshake and 0-RTT packets have not (RFC 9000 17.2.2 to 17.2.4). */
export function packetExtent(
  datagram: Uint8Array,
  header: LongHeader,
  hasToken: boolean,
): PacketExtent | undefined {
  const cursor = new Cursor(datagram, header.end);
  if (hasToken) {
    const tokenBytes = cursor.varint();
    if (tokenBytes === undefined || cursor.take(tokenBytes) === undefined)
      return undefined;
  }
  const length = cursor.varint();
  if (length === undefined || length === 0) return undefined;
  const numberAt = cursor.at;
  const end = Math.min(numberAt + length, datagram.byteLength);
  return { numberAt, end, cut: numberAt + length > datagram.byteLength };
}
