// Lengths of headers: what turns one meaning of "size" into another, and how far that is known.
//
// Sets that count frames do not say which protocol a flow is of, but their shortest packets do: a bare acknowledgement of
// TCP is Ethernet, IP and TCP header and nothing else, 54 bytes over IPv4 and 74 over IPv6, and no QUIC flow of the sets we
// know has one as its shortest packet (docs/import.md has the counts).

import type { ImportedFlow } from './imported-flow.ts';

/** What a set's sizes are. */
export const SIZE_MEANINGS = [
  'frame', // from the Ethernet header on, without the checksum
  'ip', // from the IP header on
  'payload', // of TCP or UDP
] as const;
export type SizeMeaning = (typeof SIZE_MEANINGS)[number];

export const ETHERNET_BYTES = 14;
/** Shorter frames are padded on the wire, and captured so by who receives them. */
export const PADDED_FRAME_BYTES = 60;
const IP_BYTES = { 4: 20, 6: 40 } as const;
const UDP_BYTES = 8;
const TCP_BYTES = 20;
/** With timestamps, as nearly all systems send them (RFC 7323): 1,448 of 1,500 bytes are payload then. */
const TCP_TIMESTAMPS_BYTES = 32;
/** IPv6, UDP and 15 bytes of QUIC, the fewest that hold an encrypted packet: below, it was IPv4. */
const UDP_IPV6_FRAME_MIN: number = ETHERNET_BYTES + IP_BYTES[6] + UDP_BYTES + 15;
const BARE_ACK_FRAME = {
  4: ETHERNET_BYTES + IP_BYTES[4] + TCP_BYTES,
  6: ETHERNET_BYTES + IP_BYTES[6] + TCP_BYTES,
} as const;
/** Acknowledgements are a third of a download's packets; a datagram of that length would be one of many lengths. */
const BARE_ACK_SHARE = 0.1;

export interface Headers {
  readonly protocol: 'tcp' | 'udp';
  /** Of IP and of TCP or UDP. */
  readonly bytes: number;
  /** Told by the set, and of one length: not inferred, no options. */
  readonly exact: boolean;
}

type Known = Pick<ImportedFlow, 'protocol' | 'ipVersion' | 'sizes'>;

export function headersOf(flow: Known, meaning: SizeMeaning): Headers {
  const { protocol, ipVersion } = flow;
  if (meaning === 'frame' && (protocol === undefined || ipVersion === undefined)) {
    return inferred(flow);
  }
  const ip = IP_BYTES[ipVersion ?? 4];
  if (protocol === 'udp') {
    return { protocol, bytes: ip + UDP_BYTES, exact: ipVersion !== undefined };
  }
  const link = meaning === 'frame' ? ETHERNET_BYTES : 0;
  // The shortest packet that a set which keeps all of them has of a TCP connection is a bare acknowledgement.
  const bytes =
    meaning === 'payload'
      ? ip + TCP_TIMESTAMPS_BYTES
      : Math.max(ip + TCP_BYTES, shortest(flow.sizes) - link);
  return { protocol: 'tcp', bytes, exact: false };
}

function inferred({ protocol, sizes }: Known): Headers {
  const least = shortest(sizes);
  const of = (bare: number): number =>
    sizes.reduce((count, size) => count + Number(Math.abs(size) === bare), 0);
  const tcp =
    least === BARE_ACK_FRAME[4] ||
    (least === BARE_ACK_FRAME[6] && of(least) >= BARE_ACK_SHARE * sizes.length);
  if (protocol === 'tcp' || (protocol === undefined && tcp)) {
    return { protocol: 'tcp', bytes: least - ETHERNET_BYTES, exact: false };
  }
  const ip = IP_BYTES[least < UDP_IPV6_FRAME_MIN ? 4 : 6];
  return { protocol: 'udp', bytes: ip + UDP_BYTES, exact: false };
}

function shortest(sizes: Int32Array): number {
  return sizes.reduce((least, size) => Math.min(least, Math.abs(size)), 65_535);
}
