// Segments -> Ethernet frames: addresses, TCP sequence numbers and time stamps, checksums of IP and TCP.

import { type Segment, SYN } from './conversation.ts';
import type { Way } from './recording.ts';

const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const TCP_BYTES = 20;
const TCP_AT = ETHERNET_BYTES + IPV4_BYTES;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_TCP = 6;
const DONT_FRAGMENT = 0x4000;
const TTL: Readonly<Record<Way, number>> = { up: 64, down: 55 };
const WINDOW: Readonly<Record<Way, number>> = { up: 501, down: 2053 };
const WINDOW_SYN = 64_240;
/** The client's card and the router's, locally administered. */
const MAC_CLIENT = [2, 0, 0, 0, 0, 1];
const MAC_ROUTER = [2, 0, 0, 0, 0, 2];
/** RFC 9293 section 3.2, RFC 7323: MSS 1460, SACK, time stamps, window scale 7. */
const SYN_OPTIONS = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7];
const SYN_STAMPS_AT = 8;
const OPTIONS = [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0];
const STAMPS_AT = 4;
/** Of any frame that is made here: room that the caller has to give. */
export const FRAME_BYTES_MAX = 1514;

/** IPv4 addresses as numbers. */
export interface Ends {
  readonly client: number;
  readonly clientPort: number;
  readonly server: number;
  readonly serverPort: number;
}

interface Side {
  /** Of the next byte sent. */
  sequence: number;
  ipId: number;
  /** The last time stamp sent, in ms. */
  stamp: number;
}

/** Numbers the segments of one flow. */
export class FlowFrames {
  readonly #ends: Ends;
  readonly #sides: Readonly<Record<Way, Side>>;

  /** @param seed where sequence numbers and IP ids start */
  constructor(ends: Ends, seed: number) {
    this.#ends = ends;
    this.#sides = {
      up: { sequence: seed >>> 0, ipId: seed & 0xffff, stamp: 0 },
      down: {
        sequence: Math.imul(seed, 0x9e3779b1) >>> 0,
        ipId: (seed >>> 16) & 0xffff,
        stamp: 0,
      },
    };
  }

  /** Writes the frame of the next segment at `at`; its length. */
  write(segment: Segment, into: Buffer, { at, timeUs }: FramePlace): number {
    const { way, flags, payload } = segment;
    const own = this.#sides[way];
    const other = this.#sides[way === 'up' ? 'down' : 'up'];
    const opens = (flags & SYN) !== 0;
    const options = opens ? SYN_OPTIONS : OPTIONS;
    const headerBytes = TCP_BYTES + options.length;
    const ipBytes = IPV4_BYTES + headerBytes + payload.byteLength;
    const tcp = at + TCP_AT;

    into.set(way === 'up' ? MAC_ROUTER : MAC_CLIENT, at);
    into.set(way === 'up' ? MAC_CLIENT : MAC_ROUTER, at + 6);
    into.writeUInt16BE(ETHERTYPE_IPV4, at + 12);
    this.#writeIp(way, into, { at: at + ETHERNET_BYTES, ipBytes });
    this.#writePorts(way, into, tcp);
    into.writeUInt32BE(own.sequence, tcp + 4);
    into.writeUInt32BE(way === 'up' && opens ? 0 : other.sequence, tcp + 8);
    into.writeUInt16BE(((headerBytes / 4) << 12) | flags, tcp + 12);
    into.writeUInt16BE(opens ? WINDOW_SYN : WINDOW[way], tcp + 14);
    into.writeUInt32BE(0, tcp + 16);
    into.set(options, tcp + TCP_BYTES);
    own.stamp = Math.floor(timeUs / 1000) >>> 0;
    const stamps = tcp + TCP_BYTES + (opens ? SYN_STAMPS_AT : STAMPS_AT);
    into.writeUInt32BE(own.stamp, stamps);
    into.writeUInt32BE(other.stamp, stamps + 4);
    into.set(payload, tcp + headerBytes);
    // RFC 9293 section 3.1: over addresses, protocol and length too; the addresses stand before the header.
    const pseudo = PROTOCOL_TCP + headerBytes + payload.byteLength;
    const end = tcp + headerBytes + payload.byteLength;
    into.writeUInt16BE(checksum(into, { from: tcp - 8, end }, pseudo), tcp + 16);
    own.sequence = (own.sequence + payload.byteLength + spaceOf(flags)) >>> 0;
    return ETHERNET_BYTES + ipBytes;
  }

  #writeIp(
    way: Way,
    into: Buffer,
    { at, ipBytes }: { readonly at: number; readonly ipBytes: number },
  ): void {
    const { client, server } = this.#ends;
    const own = this.#sides[way];
    into.writeUInt16BE(0x4500, at);
    into.writeUInt16BE(ipBytes, at + 2);
    into.writeUInt16BE(own.ipId, at + 4);
    into.writeUInt16BE(DONT_FRAGMENT, at + 6);
    into.writeUInt16BE((TTL[way] << 8) | PROTOCOL_TCP, at + 8);
    into.writeUInt16BE(0, at + 10);
    into.writeUInt32BE(way === 'up' ? client : server, at + 12);
    into.writeUInt32BE(way === 'up' ? server : client, at + 16);
    into.writeUInt16BE(checksum(into, { from: at, end: at + IPV4_BYTES }, 0), at + 10);
    own.ipId = (own.ipId + 1) & 0xffff;
  }

  #writePorts(way: Way, into: Buffer, at: number): void {
    const { clientPort, serverPort } = this.#ends;
    into.writeUInt16BE(way === 'up' ? clientPort : serverPort, at);
    into.writeUInt16BE(way === 'up' ? serverPort : clientPort, at + 2);
  }
}

export interface FramePlace {
  readonly at: number;
  readonly timeUs: number;
}

/** SYN and FIN take a sequence number each. */
function spaceOf(flags: number): number {
  return ((flags >> 1) & 1) + (flags & 1);
}

/** RFC 1071. */
export function checksum(
  bytes: Uint8Array,
  { from, end }: { readonly from: number; readonly end: number },
  start: number,
): number {
  let sum = start;
  const even = end - ((end - from) & 1);
  for (let at = from; at < even; at += 2) {
    sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  }
  if (even < end) sum += (bytes[even] ?? 0) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}
