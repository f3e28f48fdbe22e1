// Makes a capture small: of each flow the first packets, and of most packets the headers alone. Lengths stay those
// of the wire, in the IP headers and in the records, so that nobody who counts bytes sees a difference.

import { createWriteStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from './frame.ts';
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

/** For data sets: whole flows, and enough of their beginnings for any handshake and any look at it. */
export const TRIM_DATASET: TrimOptions = {
  flowPackets: Number.POSITIVE_INFINITY,
  wholePackets: 40,
  payloadBytes: 16_384,
};

/** For a capture to show: the hellos of any handshake, and more packets than a model looks at. */
export const TRIM_BRIEF: TrimOptions = {
  flowPackets: 512,
  wholePackets: 12,
  payloadBytes: 4096,
};

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

/** Writes the trimmed capture, packed with gzip. @throws InputError when `from` is no capture that the lab reads. */
export async function trimCapture(
  from: string,
  to: string,
  options: TrimOptions = TRIM,
): Promise<TrimSummary> {
  const seen: Seen = { flows: new Map(), packets: 0, packetsKept: 0, longestIpBytes: 0 };
  await pipeline(
    Readable.from(trimmed(from, options, seen)),
    createGzip({ level: constants.Z_BEST_COMPRESSION }),
    createWriteStream(to),
  );
  const { flows, packets, packetsKept, longestIpBytes } = seen;
  const bytes = statSync(to).size;
  return { flows: flows.size, packets, packetsKept, bytes, longestIpBytes };
}

interface Seen {
  readonly flows: Map<string, FlowState>;
  packets: number;
  packetsKept: number;
  longestIpBytes: number;
}

/** Records are handed on by so many: one at a time would cost more than packing them. */
const RECORDS_AT_ONCE = 512;

async function* trimmed(
  from: string,
  options: TrimOptions,
  seen: Seen,
): AsyncGenerator<Buffer> {
  let records: Buffer[] = [];
  for await (const packet of readPackets(from)) {
    const { frame } = packet;
    if (seen.packets === 0)
      records.push(
        captureHeader(frame.linkBytes === 0 ? LINKTYPE_RAW : LINKTYPE_ETHERNET),
      );
    seen.packets++;
    seen.longestIpBytes = Math.max(seen.longestIpBytes, frame.ipBytes);
    const key = flowKey(frame);
    const flow = seen.flows.get(key) ?? { packets: 0, payload: [0, 0] };
    seen.flows.set(key, flow);
    flow.packets++;
    if (flow.packets > options.flowPackets) continue;
    records.push(captureRecord(packet, bytesKept(packet, flow, options)));
    seen.packetsKept++;
    if (records.length < RECORDS_AT_ONCE) continue;
    yield Buffer.concat(records);
    records = [];
  }
  if (seen.packets === 0) records.push(captureHeader());
  yield Buffer.concat(records);
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
