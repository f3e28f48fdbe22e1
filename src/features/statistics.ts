// A flow's first packets -> its statistics, the summary numbers of CICFlowMeter that exist at decision time
// (paper 3.2, statistics branch). Formulas beside the names; every number is taken over the first `packets` of the
// series, so that a flow cut at N gives what an early decision at N sees.

import type { FlowRecord, SeriesPacket } from '../flow/flow-record.ts';

const TCP_FIN = 1;
const TCP_SYN = 2;
const TCP_RST = 4;
const TCP_PSH = 8;
const TCP_ACK = 16;
const TCP_URG = 32;

/** Units: us = microseconds, bytes are IP lengths unless `payload` says TCP/UDP payload. Up is client to server. */
export const STATISTICS = [
  'durationUs', // last minus first packet
  'packetsUp',
  'packetsDown',
  'bytesUp',
  'bytesDown',
  'payloadBytesUp',
  'payloadBytesDown',
  'payloadPacketsUp', // packets with at least one byte of payload
  'payloadPacketsDown',
  'sizeUpMin', // IP length; all four are NaN where the direction has no packet
  'sizeUpMax',
  'sizeUpMean',
  'sizeUpDeviation', // of a sample (n - 1), NaN below two packets
  'sizeDownMin',
  'sizeDownMax',
  'sizeDownMean',
  'sizeDownDeviation',
  'sizeMin',
  'sizeMax',
  'sizeMean',
  'sizeDeviation',
  'payloadUpMax', // largest payload of one packet
  'payloadUpMean',
  'payloadUpDeviation',
  'payloadDownMax',
  'payloadDownMean',
  'payloadDownDeviation',
  'iatUpMeanUs', // between packets of one direction; NaN below two packets
  'iatUpDeviationUs',
  'iatUpMaxUs',
  'iatUpMinUs',
  'iatDownMeanUs',
  'iatDownDeviationUs',
  'iatDownMaxUs',
  'iatDownMinUs',
  'iatMeanUs', // between any two packets
  'iatDeviationUs',
  'iatMaxUs',
  'iatMinUs',
  'bytesPerSecond', // (bytesUp + bytesDown) / duration; +inf for a flow of no duration
  'packetsPerSecondUp',
  'packetsPerSecondDown',
  'downUpPacketRatio', // packetsDown / packetsUp
  'downUpByteRatio',
  'finPackets',
  'synPackets',
  'rstPackets',
  'pshPacketsUp',
  'pshPacketsDown',
  'ackPackets',
  'urgPackets',
  'initialWindowUp', // TCP window of the first packet each way, unscaled
  'initialWindowDown',
  'smallPackets', // payload of 1 to 127 bytes
  'fullPackets', // IP length of 1,280 bytes or more
  'directionChanges', // neighbours of different direction
  'firstDownDelayUs', // first packet of the server minus first of the flow; NaN when there is none
] as const;
export type StatisticName = (typeof STATISTICS)[number];

const SMALL_PAYLOAD_BYTES = 128;
/** The least MTU of IPv6: a packet this long was filled as far as the path allowed, on nearly any path. */
const FULL_IP_BYTES = 1_280;

/** Count, sum, mean, deviation, extremes of a sample in one pass (Welford). */
class Summary {
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  #mean = 0;
  #m2 = 0;

  add(value: number): void {
    this.count++;
    this.sum += value;
    const delta = value - this.#mean;
    this.#mean += delta / this.count;
    this.#m2 += delta * (value - this.#mean);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  get mean(): number {
    return this.count === 0 ? Number.NaN : this.#mean;
  }

  get deviation(): number {
    return this.count < 2 ? Number.NaN : Math.sqrt(this.#m2 / (this.count - 1));
  }

  get least(): number {
    return this.count === 0 ? Number.NaN : this.min;
  }

  get most(): number {
    return this.count === 0 ? Number.NaN : this.max;
  }
}

/** One direction's share. */
class Side {
  readonly size = new Summary();
  readonly payload = new Summary();
  readonly iatUs = new Summary();
  payloadPackets = 0;
  psh = 0;
  #lastNs = Number.NaN;

  add(packet: SeriesPacket): void {
    this.size.add(packet.ipLength);
    this.payload.add(packet.payloadLength);
    if (packet.payloadLength > 0) this.payloadPackets++;
    if (packet.tcpFlags & TCP_PSH) this.psh++;
    if (!Number.isNaN(this.#lastNs))
      this.iatUs.add((packet.timeNs - this.#lastNs) / 1000);
    this.#lastNs = packet.timeNs;
  }
}

/** The numbers of both directions together. */
class Both {
  readonly size = new Summary();
  readonly iatUs = new Summary();
  readonly flags = { fin: 0, syn: 0, rst: 0, ack: 0, urg: 0 };
  small = 0;
  full = 0;
  directionChanges = 0;
  firstDownNs = Number.NaN;
  firstNs = Number.NaN;
  lastNs = 0;
  #lastDirection = 0;

  add(packet: SeriesPacket): void {
    this.size.add(packet.ipLength);
    if (Number.isNaN(this.firstNs)) this.firstNs = packet.timeNs;
    else this.iatUs.add((packet.timeNs - this.lastNs) / 1000);
    this.lastNs = packet.timeNs;
    const { flags, tcpFlags } = { flags: this.flags, tcpFlags: packet.tcpFlags };
    if (tcpFlags & TCP_FIN) flags.fin++;
    if (tcpFlags & TCP_SYN) flags.syn++;
    if (tcpFlags & TCP_RST) flags.rst++;
    if (tcpFlags & TCP_ACK) flags.ack++;
    if (tcpFlags & TCP_URG) flags.urg++;
    const payload = packet.payloadLength;
    if (payload > 0 && payload < SMALL_PAYLOAD_BYTES) this.small++;
    if (packet.ipLength >= FULL_IP_BYTES) this.full++;
    if (this.#lastDirection !== 0 && this.#lastDirection !== packet.direction) {
      this.directionChanges++;
    }
    this.#lastDirection = packet.direction;
    if (packet.direction === -1 && Number.isNaN(this.firstDownNs)) {
      this.firstDownNs = packet.timeNs;
    }
  }
}

/**
 * The raw statistics of the flow's first `packets` packets.
 *
 * @returns one number a name of STATISTICS; NaN and infinities where a formula has no value.
 */
export function statisticsOf(
  flow: FlowRecord,
  packets: number,
): Record<StatisticName, number> {
  const up = new Side();
  const down = new Side();
  const both = new Both();
  const packet: SeriesPacket = {
    timeNs: 0,
    ipLength: 0,
    payloadLength: 0,
    tcpFlags: 0,
    direction: 1,
  };
  const count = Math.min(packets, flow.seriesPackets);
  for (let i = 0; i < count; i++) {
    flow.packet(i, packet);
    (packet.direction === 1 ? up : down).add(packet);
    both.add(packet);
  }
  return {
    ...sizesOf(up, down, both),
    ...timesOf(up, down, both),
    ...flagsOf(flow, up, down, both),
  };
}

function sizesOf(up: Side, down: Side, both: Both) {
  return {
    packetsUp: up.size.count,
    packetsDown: down.size.count,
    bytesUp: up.size.sum,
    bytesDown: down.size.sum,
    payloadBytesUp: up.payload.sum,
    payloadBytesDown: down.payload.sum,
    payloadPacketsUp: up.payloadPackets,
    payloadPacketsDown: down.payloadPackets,
    sizeUpMin: up.size.least,
    sizeUpMax: up.size.most,
    sizeUpMean: up.size.mean,
    sizeUpDeviation: up.size.deviation,
    sizeDownMin: down.size.least,
    sizeDownMax: down.size.most,
    sizeDownMean: down.size.mean,
    sizeDownDeviation: down.size.deviation,
    sizeMin: both.size.least,
    sizeMax: both.size.most,
    sizeMean: both.size.mean,
    sizeDeviation: both.size.deviation,
    payloadUpMax: up.payload.most,
    payloadUpMean: up.payload.mean,
    payloadUpDeviation: up.payload.deviation,
    payloadDownMax: down.payload.most,
    payloadDownMean: down.payload.mean,
    payloadDownDeviation: down.payload.deviation,
    downUpPacketRatio: down.size.count / up.size.count,
    downUpByteRatio: down.size.sum / up.size.sum,
    smallPackets: both.small,
    fullPackets: both.full,
    directionChanges: both.directionChanges,
  };
}

function timesOf(up: Side, down: Side, both: Both) {
  const durationUs = both.size.count === 0 ? 0 : (both.lastNs - both.firstNs) / 1000;
  const seconds = durationUs / 1e6;
  return {
    durationUs,
    iatUpMeanUs: up.iatUs.mean,
    iatUpDeviationUs: up.iatUs.deviation,
    iatUpMaxUs: up.iatUs.most,
    iatUpMinUs: up.iatUs.least,
    iatDownMeanUs: down.iatUs.mean,
    iatDownDeviationUs: down.iatUs.deviation,
    iatDownMaxUs: down.iatUs.most,
    iatDownMinUs: down.iatUs.least,
    iatMeanUs: both.iatUs.mean,
    iatDeviationUs: both.iatUs.deviation,
    iatMaxUs: both.iatUs.most,
    iatMinUs: both.iatUs.least,
    bytesPerSecond: both.size.sum / seconds,
    packetsPerSecondUp: up.size.count / seconds,
    packetsPerSecondDown: down.size.count / seconds,
    firstDownDelayUs: (both.firstDownNs - both.firstNs) / 1000,
  };
}

function flagsOf(flow: FlowRecord, up: Side, down: Side, both: Both) {
  const window = flow.initialWindow;
  return {
    finPackets: both.flags.fin,
    synPackets: both.flags.syn,
    rstPackets: both.flags.rst,
    pshPacketsUp: up.psh,
    pshPacketsDown: down.psh,
    ackPackets: both.flags.ack,
    urgPackets: both.flags.urg,
    initialWindowUp: window.up,
    initialWindowDown: window.down,
  };
}
