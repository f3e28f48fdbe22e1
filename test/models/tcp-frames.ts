import { classicPcap, type TestFrame } from '../helpers/captures.ts';

/** DLT_RAW: a frame is an IP packet. */
const LINK_TYPE_RAW = 101;
const SYN = 0x02;
const ACK = 0x10;
const RST = 0x04;

export interface TcpFlow {
  readonly clientPort: number;
  readonly startSeconds: number;
  /** Payload lengths; negative from the server. */
  readonly payloads: readonly number[];
}

export const CLIENT = '10.0.0.1';
export const SERVER = '10.0.0.2';
export const SERVER_PORT = 443;

/** A capture of whole TCP flows from CLIENT to SERVER, one packet a millisecond, each flow ended by a reset. */
export function tcpCapture(flows: readonly TcpFlow[]): Buffer {
  const frames = flows.flatMap(framesOf);
  frames.sort((a, b) => a.seconds - b.seconds || a.nanoseconds - b.nanoseconds);
  return classicPcap(frames, {
    littleEndian: true,
    nanoseconds: true,
    linkType: LINK_TYPE_RAW,
  });
}

function framesOf({ clientPort, startSeconds, payloads }: TcpFlow): TestFrame[] {
  const sent = { up: 1000, down: 5000 };
  const frames: TestFrame[] = [];
  const add = (up: boolean, flags: number, payload: number) => {
    const [mine, theirs] = up ? [sent.up, sent.down] : [sent.down, sent.up];
    frames.push({
      bytes: packet({ up, clientPort, flags, sequence: mine, ack: theirs, payload }),
      seconds: startSeconds,
      nanoseconds: frames.length * 1_000_000,
    });
    const length = payload + (flags & SYN ? 1 : 0);
    if (up) sent.up += length;
    else sent.down += length;
  };
  add(true, SYN, 0);
  add(false, SYN | ACK, 0);
  for (const payload of payloads) add(payload > 0, ACK, Math.abs(payload));
  add(true, RST, 0);
  return frames;
}

function packet(options: {
  readonly up: boolean;
  readonly clientPort: number;
  readonly flags: number;
  readonly sequence: number;
  readonly ack: number;
  readonly payload: number;
}): Buffer {
  const { up, clientPort, flags, sequence, ack, payload } = options;
  const bytes = Buffer.alloc(40 + payload);
  const [source, destination] = up ? [CLIENT, SERVER] : [SERVER, CLIENT];
  const [from, to] = up ? [clientPort, SERVER_PORT] : [SERVER_PORT, clientPort];
  bytes.writeUInt8(0x45, 0);
  bytes.writeUInt16BE(bytes.length, 2);
  bytes.writeUInt8(64, 8);
  bytes.writeUInt8(6, 9);
  bytes.set(source.split('.').map(Number), 12);
  bytes.set(destination.split('.').map(Number), 16);
  bytes.writeUInt16BE(from, 20);
  bytes.writeUInt16BE(to, 22);
  bytes.writeUInt32BE(sequence, 24);
  bytes.writeUInt32BE(ack, 28);
  bytes.writeUInt8(0x50, 32);
  bytes.writeUInt8(flags, 33);
  bytes.writeUInt16BE(64_240, 34);
  return bytes;
}
