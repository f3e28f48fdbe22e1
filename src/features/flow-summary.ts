// Packets one by one -> everything that the statistics of a flow are made of, in one pass; no object per packet.

import type { SeriesPacket } from '../flow/flow-record.ts';
import {
  BULK_PACKETS,
  FULL_IP_BYTES,
  IDLE_GAP_US,
  SMALL_PAYLOAD_BYTES,
  SUBFLOW_GAP_US,
} from './statistics-table.ts';
import { LengthSummary, Summary } from './summary.ts';

const TCP_FIN = 1;
const TCP_SYN = 2;
const TCP_RST = 4;
const TCP_PSH = 8;
const TCP_ACK = 16;
const TCP_URG = 32;
const TCP_ECE = 64;
const TCP_CWR = 128;

/** Runs of payload packets of one direction. Times in µs since the flow's first packet. */
class Bulks {
  bulks = 0;
  packets = 0;
  bytes = 0;
  durationUs = 0;
  #runPackets = 0;
  #runBytes = 0;
  #runStartUs = 0;
  #lastUs = 0;

  /** @param interrupted the other direction has sent payload since. */
  add(timeUs: number, payload: number, interrupted: boolean): void {
    if (interrupted || this.#runPackets === 0 || timeUs - this.#lastUs > SUBFLOW_GAP_US) {
      this.#runPackets = 0;
      this.#runBytes = 0;
      this.#runStartUs = timeUs;
    }
    this.#runPackets++;
    this.#runBytes += payload;
    if (this.#runPackets === BULK_PACKETS) {
      this.bulks++;
      this.packets += BULK_PACKETS;
      this.bytes += this.#runBytes;
      this.durationUs += timeUs - this.#runStartUs;
    } else if (this.#runPackets > BULK_PACKETS) {
      this.packets++;
      this.bytes += payload;
      this.durationUs += timeUs - this.#lastUs;
    }
    this.#lastUs = timeUs;
  }

  reset(): void {
    this.bulks = this.packets = this.bytes = this.durationUs = 0;
    this.#runPackets = this.#runBytes = this.#runStartUs = this.#lastUs = 0;
  }
}

/** One direction's share. */
export class Side {
  readonly size = new LengthSummary();
  readonly payload = new LengthSummary();
  readonly iatUs = new Summary();
  readonly bulks = new Bulks();
  payloadPackets = 0;
  headerBytes = 0;
  headerMin = Number.NaN;
  psh = 0;
  urg = 0;
  firstUs = Number.NaN;
  #lastUs = 0;

  add(packet: SeriesPacket, size: number, timeUs: number): void {
    if (this.size.count === 0) this.firstUs = timeUs;
    else this.iatUs.add(timeUs - this.#lastUs);
    this.#lastUs = timeUs;
    this.size.add(size);
    this.payload.add(packet.payloadLength);
    if (packet.payloadLength > 0) this.payloadPackets++;
    const header = packet.ipLength - packet.payloadLength;
    this.headerBytes += header;
    if (!(header >= this.headerMin)) this.headerMin = header;
    if (packet.tcpFlags & TCP_PSH) this.psh++;
    if (packet.tcpFlags & TCP_URG) this.urg++;
  }

  reset(): void {
    this.size.reset();
    this.payload.reset();
    this.iatUs.reset();
    this.bulks.reset();
    this.payloadPackets = this.headerBytes = this.psh = this.urg = 0;
    this.headerMin = this.firstUs = Number.NaN;
    this.#lastUs = 0;
  }
}

/** Times between long gaps, and the gaps. */
class Activity {
  readonly activeUs = new Summary();
  readonly idleUs = new Summary();
  subflows = 0;
  #startUs = 0;
  #lastUs = 0;

  add(timeUs: number): void {
    const gapUs = timeUs - this.#lastUs;
    if (this.subflows === 0) {
      this.subflows = 1;
      this.#startUs = timeUs;
    } else {
      if (gapUs > SUBFLOW_GAP_US) this.subflows++;
      if (gapUs > IDLE_GAP_US) {
        this.idleUs.add(gapUs);
        this.end();
        this.#startUs = timeUs;
      }
    }
    this.#lastUs = timeUs;
  }

  /** Ends the active time that goes on. */
  end(): void {
    const activeUs = this.#lastUs - this.#startUs;
    if (activeUs > 0) this.activeUs.add(activeUs);
  }

  reset(): void {
    this.activeUs.reset();
    this.idleUs.reset();
    this.subflows = this.#startUs = this.#lastUs = 0;
  }
}

/** A flow's packets, both directions. `reset`, `add` each, `end`, read. */
export class FlowSummary {
  readonly up = new Side();
  readonly down = new Side();
  readonly size = new LengthSummary();
  readonly payload = new LengthSummary();
  readonly iatUs = new Summary();
  readonly activity = new Activity();
  readonly flags = { fin: 0, syn: 0, rst: 0, psh: 0, ack: 0, urg: 0, ece: 0, cwr: 0 };
  small = 0;
  full = 0;
  directionChanges = 0;
  firstUs = Number.NaN;
  lastUs = Number.NaN;
  #lastDirection = 0;
  #lastPayloadDirection = 0;

  reset(): void {
    this.up.reset();
    this.down.reset();
    this.size.reset();
    this.payload.reset();
    this.iatUs.reset();
    this.activity.reset();
    const { flags } = this;
    flags.fin = flags.syn = flags.rst = flags.psh = 0;
    flags.ack = flags.urg = flags.ece = flags.cwr = 0;
    this.small = this.full = this.directionChanges = 0;
    this.firstUs = this.lastUs = Number.NaN;
    this.#lastDirection = this.#lastPayloadDirection = 0;
  }

  add(packet: SeriesPacket, size: number): void {
    const { direction, payloadLength: payload } = packet;
    const timeUs = packet.timeNs / 1000;
    const side = direction === 1 ? this.up : this.down;
    side.add(packet, size, timeUs);
    if (payload > 0) {
      const before = this.#lastPayloadDirection;
      side.bulks.add(timeUs, payload, before !== direction);
      this.#lastPayloadDirection = direction;
      if (payload < SMALL_PAYLOAD_BYTES) this.small++;
    }
    if (this.#lastDirection === 0) this.firstUs = timeUs;
    else this.iatUs.add(timeUs - this.lastUs);
    this.lastUs = timeUs;
    this.activity.add(timeUs);
    if (packet.ipLength >= FULL_IP_BYTES) this.full++;
    if (this.#lastDirection === -direction) this.directionChanges++;
    this.#lastDirection = direction;
    if (packet.tcpFlags !== 0) this.#addFlags(packet.tcpFlags);
  }

  /** After the last packet. */
  end(): void {
    const { up, down } = this;
    this.size.join(up.size, down.size);
    this.payload.join(up.payload, down.payload);
    if (this.size.count > 0) this.activity.end();
  }

  #addFlags(tcpFlags: number): void {
    const { flags } = this;
    if (tcpFlags & TCP_FIN) flags.fin++;
    if (tcpFlags & TCP_SYN) flags.syn++;
    if (tcpFlags & TCP_RST) flags.rst++;
    if (tcpFlags & TCP_PSH) flags.psh++;
    if (tcpFlags & TCP_ACK) flags.ack++;
    if (tcpFlags & TCP_URG) flags.urg++;
    if (tcpFlags & TCP_ECE) flags.ece++;
    if (tcpFlags & TCP_CWR) flags.cwr++;
  }
}
