// The bytes of a flow record as the native flow table writes them: the one contract between C++ and TypeScript.
// The C++ side is native/src/flow-record.hpp; test/flow/record-layout.test.ts holds the two together, and
// RECORD_LAYOUT_VERSION is compared when the addon is loaded.
//
// A batch holds records back to back. A record is, little endian:
//   header   HEADER_BYTES, the fields below at their offsets
//   series   seriesPackets x PACKET_BYTES, then zeros to a multiple of 8
//   segments segmentBytes of {sequence u32, length u16, direction u8, flags u8, length bytes}, zeros to a multiple of 8

/** Raised whenever an offset below changes. */
export const RECORD_LAYOUT_VERSION = 3;

export const HEADER_BYTES = 208;
export const PACKET_BYTES = 12;
export const SEGMENT_HEADER_BYTES = 8;

/** Offsets of the header's fields in bytes. Up is client to server, down is server to client. */
export const HEADER = {
  recordBytes: 0, // u32: the whole record, a multiple of 8
  ipVersion: 4, // u8: 4 or 6
  protocol: 5, // u8: IANA protocol number, 6 TCP or 17 UDP
  endReason: 6, // u8: index into END_REASONS
  flags: 7, // u8: RECORD_FLAGS
  clientPort: 8, // u16
  serverPort: 10, // u16
  vlan: 12, // u16: 802.1Q VLAN id of the outermost tag, 0xffff when untagged
  seriesPackets: 14, // u16
  clientAddress: 16, // 16 bytes; an IPv4 address fills the first four
  serverAddress: 32, // 16 bytes
  firstNs: 48, // i64: time of the first packet, ns since the epoch
  lastNs: 56, // i64: time of the last packet
  packetsUp: 64, // u64
  packetsDown: 72, // u64
  bytesUp: 80, // u64: sum of IP lengths (header and payload, not the frame's padding)
  bytesDown: 88, // u64
  payloadBytesUp: 96, // u64: sum of TCP/UDP payload lengths
  payloadBytesDown: 104, // u64
  payloadPacketsUp: 112, // u32
  payloadPacketsDown: 116, // u32
  tcpFlagsUp: 120, // u32 x 8: packets with FIN, SYN, RST, PSH, ACK, URG, ECE, CWR
  tcpFlagsDown: 152, // u32 x 8
  segmentBytes: 184, // u32
  initialSequenceUp: 188, // u32: sequence number of the first payload byte (SYN + 1), if RECORD_FLAGS.synUp
  initialSequenceDown: 192, // u32: the same for RECORD_FLAGS.synDown
  initialWindowUp: 196, // u16: TCP window, unscaled, of the first packet each way
  initialWindowDown: 198, // u16
  serial: 200, // u32: number of the flow in its table, in the order of their second packets
  handovers: 204, // u8: times that the flow has been handed over before, open; 255 is "or more"
  table: 205, // u8: number of the flow's table among several
  // 206..207: reserved, zero
} as const;

/** Offsets inside one packet of the series. */
export const PACKET = {
  timeNs: 0, // u48: since firstNs; a packet stamped earlier than firstNs has 0
  ipLength: 6, // u16: bytes on the wire from the IP header on, whatever the capture cut off
  payloadLength: 8, // u16: TCP/UDP payload on the wire
  tcpFlags: 10, // u8: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128; 0 for UDP
  marks: 11, // u8: PACKET_MARKS
} as const;

export const PACKET_MARKS = {
  down: 1, // server to client
  behind: 2, // TCP: starts before the end of what its direction had sent: sent again, or overtaken on its way
} as const;

/** Offsets inside a payload segment's header; the bytes follow it. */
export const SEGMENT = {
  sequence: 0, // u32: TCP sequence number of the first byte; for UDP the datagram's number in the flow
  length: 4, // u16: bytes that follow
  direction: 6, // u8: 0 up, 1 down
  flags: 7, // u8: SEGMENT_FLAGS
} as const;

export const RECORD_FLAGS = {
  synUp: 1, // the client's SYN was seen: client and server are certain
  synDown: 2, // the server's SYN-ACK was seen
  payloadCutUp: 4, // payload of this direction was left out: over the bound, or the pool was full
  payloadCutDown: 8,
  seriesCut: 16, // the pool was full before the series reached its bound
} as const;

export const SEGMENT_FLAGS = {
  captureCut: 1, // the capture held fewer bytes of this segment than were on the wire
} as const;

/** Why a flow ended, in the order of the native enum. */
export const END_REASONS = [
  'fin', // both sides sent FIN
  'rst',
  'idle', // no packet for the idle timeout
  'active', // longer than the active timeout; what follows is a new flow
  'reused', // a new SYN on a five-tuple that had ended or gone silent
  'evicted', // the table was full and this flow the longest silent
  'flush', // the capture ended
  'open', // it has not: the flow is ready and goes on
] as const;
export type EndReason = (typeof END_REASONS)[number];
