// A frame of the lab's own captures (Ethernet or raw IP) -> five-tuple, lengths, flags. Knows just what the lab sends: no
// VLAN, no IPv6 extension headers; src/ and native/ decode the rest of the world.

const ETHERNET_BYTES = 14;
/** By Ethernet's type. */
const VERSIONS: Readonly<Record<number, number>> = { 2048: 4, 34525: 6 };
const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const UDP_BYTES = 8;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
const FLAG_SYN = 2;
const FLAG_ACK = 16;

export interface Frame {
  readonly protocol: typeof PROTOCOL_TCP | typeof PROTOCOL_UDP;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** From the IP header on, as its length field says. */
  readonly ipBytes: number;
  /** From the frame's first byte to the first of the payload. */
  readonly headerBytes: number;
  /** Of the link's header, which `headerBytes` counts too. */
  readonly linkBytes: number;
  /** A SYN without ACK: the first packet of a TCP flow. */
  readonly opens: boolean;
}

/** LINKTYPE_ values of the capture formats. */
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;

/** `undefined` for what is neither TCP nor UDP, or was cut inside its headers. */
export function parseFrame(
  bytes: Uint8Array,
  linkType: number = LINKTYPE_ETHERNET,
): Frame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = linkType === LINKTYPE_RAW ? 0 : ETHERNET_BYTES;
  if (view.byteLength < at + IPV4_BYTES) return undefined;
  const version = at === 0 ? view.getUint8(0) >> 4 : VERSIONS[view.getUint16(12)];
  if (version === 4) return parseIpv4(view, at);
  if (version === 6 && view.byteLength >= at + IPV6_BYTES) return parseIpv6(view, at);
  return undefined;
}

function parseIpv4(view: DataView, at: number): Frame | undefined {
  const address = (offset: number): string =>
    [0, 1, 2, 3].map((i) => view.getUint8(at + offset + i)).join('.');
  return parseTransport(view, {
    protocol: view.getUint8(at + 9),
    source: address(12),
    destination: address(16),
    ipBytes: view.getUint16(at + 2),
    linkBytes: at,
    at: at + (view.getUint8(at) & 15) * 4,
  });
}

function parseIpv6(view: DataView, at: number): Frame | undefined {
  return parseTransport(view, {
    protocol: view.getUint8(at + 6),
    source: ipv6(view, at + 8),
    destination: ipv6(view, at + 24),
    ipBytes: IPV6_BYTES + view.getUint16(at + 4),
    linkBytes: at,
    at: at + IPV6_BYTES,
  });
}

interface Network {
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly ipBytes: number;
  readonly linkBytes: number;
  /** Where the transport header starts. */
  readonly at: number;
}

function parseTransport(view: DataView, network: Network): Frame | undefined {
  const { protocol, source, destination, ipBytes, linkBytes, at } = network;
  const tcp = protocol === PROTOCOL_TCP;
  if (!tcp && protocol !== PROTOCOL_UDP) return undefined;
  if (view.byteLength < at + (tcp ? 20 : UDP_BYTES)) return undefined;
  const flags = tcp ? view.getUint8(at + 13) : 0;
  return {
    protocol,
    source,
    destination,
    ipBytes,
    linkBytes,
    sourcePort: view.getUint16(at),
    destinationPort: view.getUint16(at + 2),
    headerBytes: at + (tcp ? (view.getUint8(at + 12) >> 4) * 4 : UDP_BYTES),
    opens: tcp && (flags & (FLAG_SYN | FLAG_ACK)) === FLAG_SYN,
  };
}

/** RFC 5952: lower case, the first longest run of two or more zero groups as `::`. */
function ipv6(view: DataView, offset: number): string {
  const text = Array.from({ length: 8 }, (_, i) =>
    view.getUint16(offset + 2 * i).toString(16),
  ).join(':');
  const runs = text.match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((a, b) => (b.length > a.length ? b : a), '');
  if (longest === '') return text;
  const at = text.search(new RegExp(`\\b${longest}\\b`));
  const before = text.slice(0, at).replace(/:$/, '');
  return `${before}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}
