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

  reset(): void {
    this.count = 0;
    this.sum = 0;
    this.min = Number.POSITIVE_INFINITY;
    this.max = Number.NEGATIVE_INFINITY;
    this.#mean = 0;
    this.#m2 = 0;
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

  reset(): void {
    this.size.reset();
    this.payload.reset();
    this.iatUs.reset();
    this.payloadPackets = 0;
    this.psh = 0;
    this.#lastNs = Number.NaN;
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
    const { flags } = this;
    const { tcpFlags } = packet;
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

  reset(): void {
    this.size.reset();
    this.iatUs.reset();
    const { flags } = this;
    flags.fin = flags.syn = flags.rst = flags.ack = flags.urg = 0;
    this.small = this.full = this.directionChanges = 0;
    this.firstDownNs = this.firstNs = Number.NaN;
    this.lastNs = 0;
    this.#lastDirection = 0;
  }
}

/** Where each statistic stands. */
const AT = Object.fromEntries(STATISTICS.map((name, s) => [name, s])) as Readonly<
  Record<StatisticName, number>
>;

// One set for all flows, one after the other: a set a flow would keep the garbage collector busy.
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

/**
 * Writes the raw statistics of the flow's first `packets` packets into [S] float64, in the order of STATISTICS; NaN and
 * infinities where a formula has no value.
 */
export function writeStatistics(
  flow: FlowRecord,
  packets: number,
  into: Float64Array,
): void {
  up.reset();
  down.reset();
  both.reset();
  const count = Math.min(packets, flow.seriesPackets);
  for (let i = 0; i < count; i++) {
    flow.packet(i, packet);
    (packet.direction === 1 ? up : down).add(packet);
    both.add(packet);
  }
  writeSizes(into);
  writeTimes(into);
  writeFlags(into, flow);
}

function writeSizes(into: Float64Array): void {
  into[AT.packetsUp] = up.size.count;
  into[AT.packetsDown] = down.size.count;
  into[AT.bytesUp] = up.size.sum;
  into[AT.bytesDown] = down.size.sum;
  into[AT.payloadBytesUp] = up.payload.sum;
  into[AT.payloadBytesDown] = down.payload.sum;
  into[AT.payloadPacketsUp] = up.payloadPackets;
  into[AT.payloadPacketsDown] = down.payloadPackets;
  into[AT.sizeUpMin] = up.size.least;
  into[AT.sizeUpMax] = up.size.most;
  into[AT.sizeUpMean] = up.size.mean;
  into[AT.sizeUpDeviation] = up.size.deviation;
  into[AT.sizeDownMin] = down.size.least;
  into[AT.sizeDownMax] = down.size.most;
  into[AT.sizeDownMean] = down.size.mean;
  into[AT.sizeDownDeviation] = down.size.deviation;
  into[AT.sizeMin] = both.size.least;
  into[AT.sizeMax] = both.size.most;
  into[AT.sizeMean] = both.size.mean;
  into[AT.sizeDeviation] = both.size.deviation;
  into[AT.payloadUpMax] = up.payload.most;
  into[AT.payloadUpMean] = up.payload.mean;
  into[AT.payloadUpDeviation] = up.payload.deviation;
  into[AT.payloadDownMax] = down.payload.most;
  into[AT.payloadDownMean] = down.payload.mean;
  into[AT.payloadDownDeviation] = down.payload.deviation;
  into[AT.downUpPacketRatio] = down.size.count / up.size.count;
  into[AT.downUpByteRatio] = down.size.sum / up.size.sum;
  into[AT.smallPackets] = both.small;
  into[AT.fullPackets] = both.full;
  into[AT.directionChanges] = both.directionChanges;
}

function writeTimes(into: Float64Array): void {
  const durationUs = both.size.count === 0 ? 0 : (both.lastNs - both.firstNs) / 1000;
  const seconds = durationUs / 1e6;
  into[AT.durationUs] = durationUs;
  into[AT.iatUpMeanUs] = up.iatUs.mean;
  into[AT.iatUpDeviationUs] = up.iatUs.deviation;
  into[AT.iatUpMaxUs] = up.iatUs.most;
  into[AT.iatUpMinUs] = up.iatUs.least;
  into[AT.iatDownMeanUs] = down.iatUs.mean;
  into[AT.iatDownDeviationUs] = down.iatUs.deviation;
  into[AT.iatDownMaxUs] = down.iatUs.most;
  into[AT.iatDownMinUs] = down.iatUs.least;
  into[AT.iatMeanUs] = both.iatUs.mean;
  into[AT.iatDeviationUs] = both.iatUs.deviation;
  into[AT.iatMaxUs] = both.iatUs.most;
  into[AT.iatMinUs] = both.iatUs.least;
  into[AT.bytesPerSecond] = both.size.sum / seconds;
  into[AT.packetsPerSecondUp] = up.size.count / seconds;
  into[AT.packetsPerSecondDown] = down.size.count / seconds;
  into[AT.firstDownDelayUs] = (both.firstDownNs - both.firstNs) / 1000;
}

function writeFlags(into: Float64Array, flow: FlowRecord): void {
  const window = flow.initialWindow;
  into[AT.finPackets] = both.flags.fin;
  into[AT.synPackets] = both.flags.syn;
  into[AT.rstPackets] = both.flags.rst;
  into[AT.pshPacketsUp] = up.psh;
  into[AT.pshPacketsDown] = down.psh;
  into[AT.ackPackets] = both.flags.ack;
  into[AT.urgPackets] = both.flags.urg;
  into[AT.initialWindowUp] = window.up;
  into[AT.initialWindowDown] = window.down;
}
