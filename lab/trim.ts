// Makes a capture small: of each flow the first packets, and of most packets the headers alone. Lengths stay those
// of the wire, in the IP headers and in the records, so that nobody who counts bytes sees a difference.

import { writeFileSync } from 'node:fs';
import { constants, gzipSync } from 'node:zlib';
import {
  captureHeader,
  captureRecord,
  flowKey,
  type Packet,
  readPackets,
} from './packets.ts';

export interface TrimOptions {
  /** Packets kept of each flow; what comes after is left out. */
  readonly flowPackets: number;
  /** Of these many first packets of a flow the payload is kept (the handshake), within `payloadBytes` a direction. */
  readonly wholePackets: number;
  readonly payloadBytes: number;
}

export const TRIM: TrimOptions = {
  flowPackets: 256,
  wholePackets: 12,
  payloadBytes: 2048,
};

/** For the demo: flows nearly whole, so that totals of bytes mean something. */
export const TRIM_DEMO: TrimOptions = { ...TRIM, flowPackets: 4000 };

/** What trimming saw and kept. */
export interface TrimSummary {
  readonly flows: number;
  readonly packets: number;
  readonly packetsKept: number;
  /** Of the written file. */
  readonly bytes: number;
  /** The longest IP packet, to be held against the line's MTU. */
  readonly longestIpBytes: number;
}

interface FlowState {
  packets: number;
  /** Payload kept so far, from the one end (by its place in the flow's name) and from the other. */
  readonly payload: [number, number];
}

/** Writes the trimmed capture, packed with gzip. @throws InputError when `from` is no Ethernet capture. */
export async function trimCapture(
  from: string,
  to: string,
  options: TrimOptions = TRIM,
): Promise<TrimSummary> {
  const flows = new Map<string, FlowState>();
  const records: Buffer[] = [captureHeader()];
  let packets = 0;
  let longestIpBytes = 0;
  for await (const packet of readPackets(from)) {
    packets++;
    longestIpBytes = Math.max(longestIpBytes, packet.frame.ipBytes);
    const key = flowKey(packet.frame);
    const flow = flows.get(key) ?? { packets: 0, payload: [0, 0] };
    flows.set(key, flow);
    flow.packets++;
    if (flow.packets > options.flowPackets) continue;
    records.push(captureRecord(packet, bytesKept(packet, flow, options)));
  }
  const packed = gzipSync(Buffer.concat(records), {
    level: constants.Z_BEST_COMPRESSION,
  });
  writeFileSync(to, packed);
  return {
    flows: flows.size,
    packets,
    packetsKept: records.length - 1,
    bytes: packed.byteLength,
    longestIpBytes,
  };
}

function bytesKept(
  { frame, bytes }: Packet,
  flow: FlowState,
  options: TrimOptions,
): number {
  // Of a short frame this counts the padding as payload: it costs a few bytes and harms nobody.
  const payload = Math.max(0, bytes.byteLength - frame.headerBytes);
  const side =
    `${frame.source} ${frame.sourcePort}` <
    `${frame.destination} ${frame.destinationPort}`
      ? 0
      : 1;
  const room = options.payloadBytes - flow.payload[side];
  const whole =
    flow.packets <= options.wholePackets ? Math.min(payload, Math.max(0, room)) : 0;
  flow.payload[side] += whole;
  return Math.min(bytes.byteLength, frame.headerBytes + whole);
}
