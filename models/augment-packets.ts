// What another network would have made of a flow: its packets -> packets later, lost and sent again, larger or smaller. Pure
// functions: the same packets and the same random numbers give the same packets, and what was given is left as it was.

import type { PacketSource } from '../src/features/features.ts';
import { emptyPacket, type SeriesPacket } from '../src/flow/flow-record.ts';
import type { Random } from './random.ts';

/** In the order of their times; the first one's is 0. */
export type Packets = readonly Readonly<SeriesPacket>[];

const LARGEST_IP_BYTES = 1500;
/** IPv4 and TCP without options. */
const USUAL_HEADER_BYTES = 40;
const TCP_SYN = 2;
/** Round trip where a flow does not tell its own: no packet has come back. */
const USUAL_ROUND_TRIP_NS = 50e6;
const LEAST_ROUND_TRIP_NS = 1e6;

export function packetsOf(source: PacketSource): Packets {
  return Array.from({ length: source.seriesPackets }, (_, i) => {
    const packet = emptyPacket();
    source.packet(i, packet);
    return packet;
  });
}

/** The other way round: what features read. Transport and windows are those of `like`. */
export function sourceOf(packets: Packets, like: PacketSource): PacketSource {
  return {
    seriesPackets: packets.length,
    transport: like.transport,
    initialWindow: like.initialWindow,
    packet: (i, into) => {
      Object.assign(into, packets[i] ?? emptyPacket());
    },
  };
}

/** A path that is slower or faster throughout: all times by one factor. */
export function stretch(packets: Packets, factor: number): Packets {
  return packets.map((packet) => ({
    ...packet,
    timeNs: Math.round(packet.timeNs * factor),
  }));
}

/**
 * Queues on the way: each packet is late by a time of its own, exponentially distributed. None overtakes another, so a late
 * packet holds up those behind it, as a queue does.
 */
export function jitter(packets: Packets, meanNs: number, random: Random): Packets {
  let lastNs = 0;
  return packets.map((packet, i) => {
    const lateNs = i === 0 ? 0 : -Math.log(1 - random()) * meanNs;
    lastNs = Math.max(lastNs, Math.round(packet.timeNs + lateNs));
    return { ...packet, timeNs: lastNs };
  });
}

/**
 * Loss of packets with payload. Over TCP a lost packet is sent again: where it was lost behind us it stands in the series
 * twice, where it was lost before us once, later. Over UDP it is gone. The first packet of a flow is never lost: without it
 * the flow would begin elsewhere.
 */
export function lose(
  packets: Packets,
  transport: PacketSource['transport'],
  rate: number,
  random: Random,
): Packets {
  const roundTripNs = roundTripOf(packets);
  const made: Readonly<SeriesPacket>[] = [];
  for (const [i, packet] of packets.entries()) {
    const lost = i > 0 && packet.payloadLength > 0 && random() < rate;
    if (!lost) {
      made.push(packet);
      continue;
    }
    if (transport === 'udp') continue;
    const behindUs = random() < 0.5;
    const again = Math.round(packet.timeNs + roundTripNs * (1 + random()));
    if (behindUs) made.push(packet);
    // Told from the others below: whether something of its direction has overtaken it.
    made.push({ ...packet, timeNs: again, behind: behindUs || packet.behind });
  }
  return inOrder(made);
}

/** Sorted by time, and what has been overtaken marked as the flow table marks it. */
function inOrder(packets: Packets): Packets {
  const original = new Map(packets.map((packet, i) => [packet, i]));
  const sorted = [...packets].sort((a, b) => a.timeNs - b.timeNs);
  const furthest = { 1: -1, [-1]: -1 };
  return sorted.map((packet) => {
    const at = original.get(packet) ?? 0;
    const { direction } = packet;
    const overtaken = packet.payloadLength > 0 && at < furthest[direction];
    furthest[direction] = Math.max(furthest[direction], at);
    return overtaken && !packet.behind ? { ...packet, behind: true } : packet;
  });
}

/** From the first packet up to the first one down. */
function roundTripOf(packets: Packets): number {
  const first = packets[0];
  const answer = packets.find(({ direction }) => direction !== first?.direction);
  if (answer === undefined) return USUAL_ROUND_TRIP_NS;
  return Math.max(answer.timeNs, LEAST_ROUND_TRIP_NS);
}

/** Sizes another version of a program would give: a share of the packets with payload larger or smaller by up to `bytes`. */
export function resize(
  packets: Packets,
  share: number,
  bytes: number,
  random: Random,
): Packets {
  return packets.map((packet) => {
    const { payloadLength, ipLength, tcpFlags } = packet;
    if (payloadLength === 0 || (tcpFlags & TCP_SYN) !== 0 || random() >= share)
      return packet;
    const drawn = Math.floor(random() * (2 * bytes + 1)) - bytes;
    // Never empty, never larger than what a link carries unless it was. An import may know one of the lengths only.
    const payload = Number.isNaN(payloadLength)
      ? Math.max(ipLength - USUAL_HEADER_BYTES, 1)
      : payloadLength;
    const onWire = Number.isNaN(ipLength) ? payloadLength + USUAL_HEADER_BYTES : ipLength;
    const least = 1 - payload;
    const most = Math.max(LARGEST_IP_BYTES - onWire, 0);
    const change = Math.min(Math.max(drawn, least), most);
    return {
      ...packet,
      payloadLength: payloadLength + change,
      ipLength: ipLength + change,
    };
  });
}
