// What counts as a packet, and which of its lengths is its size. Sources of series differ in both, and a model that was
// trained on one kind has to be served the same kind: so the rule stands in the manifest. The paper leaves out nothing
// (paper 3.3).

import type { SeriesPacket } from '../flow/flow-record.ts';
import { SERIES_STEPS_MAX } from './shapes.ts';

/** Which packets count. */
export const PACKET_KINDS = [
  'all', // every TCP and UDP packet: the paper's choice
  'no-bare-acks', // all but TCP packets that only acknowledge: no payload, none of SYN, FIN, RST
  'payload', // those with TCP or UDP payload alone
] as const;
type PacketKind = (typeof PACKET_KINDS)[number];

/** Which length of a packet is its size. */
export const PACKET_LENGTHS = [
  'ip', // from the IP header on, as on the wire: the paper's choice
  'payload', // of TCP or UDP
] as const;
type PacketLength = (typeof PACKET_LENGTHS)[number];

export interface PacketRule {
  readonly kinds: PacketKind;
  /**
   * Whether TCP packets count that start before the end of what their direction had sent: sent again, or overtaken on
   * their way. UDP packets always do: nothing tells them apart.
   */
  readonly repeats: boolean;
  readonly length: PacketLength;
}

/** Every packet, by IP length. */
export const PAPER_RULE: PacketRule = { kinds: 'all', repeats: true, length: 'ip' };

/** Packets with payload, each once and in order, by payload length: the kind that public series such as fgnet are of. */
export const PAYLOAD_RULE: PacketRule = {
  kinds: 'payload',
  repeats: false,
  length: 'payload',
};

const TCP_ACK = 16;
const TCP_SYN_FIN_RST = 2 | 1 | 4;

export function counts(packet: SeriesPacket, rule: PacketRule): boolean {
  if (packet.behind && !rule.repeats) return false;
  if (rule.kinds === 'all' || packet.payloadLength > 0) return true;
  if (rule.kinds === 'payload') return false;
  const { tcpFlags } = packet;
  return (tcpFlags & TCP_ACK) === 0 || (tcpFlags & TCP_SYN_FIN_RST) !== 0;
}

export function sizeOf(packet: SeriesPacket, rule: PacketRule): number {
  return rule.length === 'ip' ? packet.ipLength : packet.payloadLength;
}

/** Of three packets at least one carries payload, in nearly every flow that has a use for acknowledgements. */
const PACKETS_A_STEP = 3;

/** First packets that a record has to hold so that `steps` of them count, as a rule. */
export function recordPackets(steps: number, rule: PacketRule): number {
  if (rule.kinds === 'all' && rule.repeats) return steps;
  return Math.min(SERIES_STEPS_MAX, steps * PACKETS_A_STEP);
}
