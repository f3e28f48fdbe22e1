// Recordings -> a capture file: some hundreds of flows at a time, their packets in order of time. Memory is bounded by
// the flows at a time, whatever the file's size.

import { type FileHandle, open } from 'node:fs/promises';
import { Draw } from '../../lab/draw.ts';
import { captureHeader } from '../../lab/packets.ts';
import { conversation, type Segment } from './conversation.ts';
import { type Ends, FlowFrames, FRAME_BYTES_MAX } from './frames.ts';
import type { Recording } from './recording.ts';

const FLOWS_AT_A_TIME = 300;
/** Flows begin at least so far apart: 500 a second. */
const START_GAP_US = 2000;
const RECORD_HEADER_BYTES = 16;
const ETHERNET_BYTES = 14;
const BUFFER_BYTES = 4 * 1024 * 1024;
/** A flow has its file's packets a flow, give or take this part. */
const PACKETS_SPREAD = 0.125;

/** Clients 10.0.0.0/8, servers in the addresses for benchmarks (RFC 2544 appendix C.2.2). */
const CLIENT_NETWORK = 0x0a000000;
const SERVER_NETWORK = 0xc6120000;
const CLIENTS = 2048;
const SERVERS = 256;
const PORT_FIRST = 32_768;
const PORTS = 28_232;
/** Without a common divisor with PORTS: each flow of a client gets a port of its own. */
const PORT_STEP = 613;
const HTTPS = 443;

export interface CaptureOrder {
  /** The last flow is whole: a few more come out. */
  readonly packets: number;
  readonly packetsPerFlow: number;
  readonly seed: number;
  /** Of the first packet; certificates have a time in which they are valid. */
  readonly startUs: number;
}

/** What a capture holds. */
export interface CaptureFacts {
  readonly packets: number;
  readonly flows: number;
  /** Sum of the IP lengths. */
  readonly ipBytes: number;
  readonly fileBytes: number;
  readonly seconds: number;
}

interface Flow {
  readonly frames: FlowFrames;
  readonly segments: Generator<Segment, void, undefined>;
  /** Its next segment and when it is sent. */
  next: Segment;
  timeUs: number;
}

/** Writes the capture to `path`; `tell` is told now and then which part is done, from 0 to 1. */
export async function makeCapture(
  path: string,
  order: CaptureOrder,
  {
    recordings,
    tell,
  }: { recordings: readonly Recording[]; tell: (part: number) => void },
): Promise<CaptureFacts> {
  const file = await open(path, 'w');
  try {
    const writer = new Writer(file);
    const source = new FlowSource(order, recordings);
    const running: Flow[] = [];
    let timeUs = order.startUs;
    for (;;) {
      while (running.length < FLOWS_AT_A_TIME && source.left) {
        const due = order.startUs + source.flows * START_GAP_US;
        running.push(source.start(Math.max(timeUs, due)));
      }
      const at = earliest(running);
      const flow = running[at];
      if (flow === undefined) break;
      timeUs = flow.timeUs;
      writer.add(flow);
      if (!advance(flow)) running.splice(at, 1);
      if (writer.full) {
        await writer.flush();
        tell(Math.min(1, writer.packets / order.packets));
      }
    }
    await writer.flush();
    const { packets, ipBytes, fileBytes } = writer;
    const seconds = (timeUs - order.startUs) / 1e6;
    return { packets, flows: source.flows, ipBytes, fileBytes, seconds };
  } finally {
    await file.close();
  }
}

function earliest(flows: readonly Flow[]): number {
  let best = -1;
  let bestUs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < flows.length; i++) {
    const timeUs = flows[i]?.timeUs ?? bestUs;
    if (timeUs >= bestUs) continue;
    best = i;
    bestUs = timeUs;
  }
  return best;
}

/** Moves to the flow's next segment; false when there is none. */
function advance(flow: Flow): boolean {
  const { value, done } = flow.segments.next();
  if (done === true || value === undefined) return false;
  flow.next = value;
  flow.timeUs += value.waitUs;
  return true;
}

/** Starts flows until they have as many packets as were ordered. */
class FlowSource {
  flows = 0;
  readonly #order: CaptureOrder;
  readonly #recordings: readonly Recording[];
  readonly #draw: Draw;
  #packets = 0;

  constructor(order: CaptureOrder, recordings: readonly Recording[]) {
    this.#order = order;
    this.#recordings = recordings;
    this.#draw = new Draw(order.seed);
  }

  get left(): boolean {
    return this.#packets < this.#order.packets;
  }

  start(timeUs: number): Flow {
    const draw = this.#draw;
    const mean = this.#order.packetsPerFlow;
    const spread = Math.round(mean * PACKETS_SPREAD);
    const packets = draw.whole(mean - spread, mean + spread);
    const recording = draw.pick(this.#recordings);
    const segments = conversation(recording, packets, draw.fork(`flow ${this.flows}`));
    const first = segments.next().value;
    if (first === undefined) throw new RangeError('a flow without packets');
    const frames = new FlowFrames(endsOf(this.flows, draw), draw.uint32());
    this.flows++;
    this.#packets += packets;
    return { frames, segments, next: first, timeUs };
  }
}

/** No two flows have the same. */
function endsOf(flow: number, draw: Draw): Ends {
  const client = flow % CLIENTS;
  const turn = Math.floor(flow / CLIENTS);
  return {
    client: CLIENT_NETWORK + 1 + client,
    clientPort: PORT_FIRST + ((client * 17 + turn * PORT_STEP) % PORTS),
    server: SERVER_NETWORK + 1 + draw.whole(0, SERVERS - 1),
    serverPort: HTTPS,
  };
}

/** Packet records through one buffer. */
class Writer {
  packets = 0;
  ipBytes = 0;
  fileBytes = 0;
  readonly #file: FileHandle;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  #held: number;

  constructor(file: FileHandle) {
    this.#file = file;
    this.#held = captureHeader().copy(this.#buffer);
  }

  get full(): boolean {
    return BUFFER_BYTES - this.#held < RECORD_HEADER_BYTES + FRAME_BYTES_MAX;
  }

  /** Adds the flow's next segment. The caller has checked `full`. */
  add({ frames, next, timeUs }: Flow): void {
    const buffer = this.#buffer;
    const at = this.#held;
    const length = frames.write(next, buffer, { at: at + RECORD_HEADER_BYTES, timeUs });
    buffer.writeUInt32LE(Math.floor(timeUs / 1e6), at);
    buffer.writeUInt32LE(timeUs % 1e6, at + 4);
    buffer.writeUInt32LE(length, at + 8);
    buffer.writeUInt32LE(length, at + 12);
    this.#held = at + RECORD_HEADER_BYTES + length;
    this.packets++;
    this.ipBytes += length - ETHERNET_BYTES;
  }

  async flush(): Promise<void> {
    let from = 0;
    while (from < this.#held) {
      const { bytesWritten } = await this.#file.write(
        this.#buffer,
        from,
        this.#held - from,
      );
      from += bytesWritten;
    }
    this.fileBytes += this.#held;
    this.#held = 0;
  }
}
