// A text file of the UC Davis QUIC set -> a flow. A line a packet, tabs between: epoch (s), time since the first packet (s), bytes,
// direction (1: client to server, 0: server to client). The folder is the class, and nothing but the folder may be.

import {
  epochUs,
  type Parsed,
  SIZE_MAX,
  SPAN_US_MAX,
  totalsOf,
  UNKNOWN,
} from './imported-flow.ts';

const NUMBER = /^\d+(\.\d+)?(e[+-]?\d+)?$/i;

interface TextPacket {
  readonly epochS: number;
  readonly timeNs: number;
  /** Signed. */
  readonly size: number;
}

/** @returns why a line is none of a packet, otherwise the packet */
function parsePacket(line: string): TextPacket | string {
  const [epoch = '', time = '', bytes = '', direction = '', ...more] = line.split('\t');
  if (more.length > 0 || ![epoch, time, bytes].every((text) => NUMBER.test(text))) {
    return 'expected epoch, time, bytes and direction with tabs between';
  }
  if (direction !== '0' && direction !== '1') return 'direction: expected 0 or 1';
  const size = Number(bytes);
  if (!Number.isInteger(size) || size < 1 || size > SIZE_MAX) {
    return 'bytes: expected 1 to 65535';
  }
  const timeNs = Math.round(Number(time) * 1e9);
  if (!(timeNs <= SPAN_US_MAX * 1e3)) return 'time: longer than a year';
  return { epochS: Number(epoch), timeNs, size: direction === '1' ? size : -size };
}

/** Takes the lines of one file. One bad line spoils the flow: what would follow it is not known to. */
export class TextFlow {
  readonly #times: number[] = [];
  readonly #sizes: number[] = [];
  #startUs: number | undefined;
  #packets = 0;
  #durationUs = 0;
  readonly #most: number;
  readonly #totals = { packetsUp: 0, packetsDown: 0, bytesUp: 0, bytesDown: 0 };

  /** @param most packets that are kept; all are counted */
  constructor(most: number) {
    this.#most = most;
  }

  /** @returns what is wrong with the line */
  add(line: string): string | undefined {
    const packet = parsePacket(line);
    if (typeof packet === 'string') return packet;
    const { epochS, timeNs, size } = packet;
    if (this.#packets === 0) this.#startUs = epochUs(epochS);
    this.#packets++;
    this.#durationUs = Math.max(this.#durationUs, Math.round(timeNs / 1e3));
    const one = totalsOf([size]);
    for (const name of ['packetsUp', 'packetsDown', 'bytesUp', 'bytesDown'] as const) {
      this.#totals[name] += one[name];
    }
    if (this.#sizes.length < this.#most) {
      this.#times.push(timeNs);
      this.#sizes.push(size);
    }
    return undefined;
  }

  /**
   * @param app the folder's name
   * @param session the file's name: a flow is all that it holds
   */
  finish(app: string, session: string): Parsed {
    if (this.#packets === 0) return { fault: 'no packets' };
    return {
      ...UNKNOWN,
      app,
      session,
      startUs: this.#startUs,
      durationUs: this.#durationUs,
      ...this.#totals,
      timesNs: Float64Array.from(this.#times),
      sizes: Int32Array.from(this.#sizes),
    };
  }
}
