// Counts per class over what a replay has classified.

import type { FlowLine } from './flow-line.ts';

interface Count {
  flows: number;
  packets: number;
  bytes: number;
}

/** The last JSON line of `sluice replay`. Names are a contract. */
export interface TallySummary {
  readonly tally: Readonly<Record<string, Readonly<Count>>>;
  /** Flows without a handshake of TLS, DTLS or QUIC. */
  readonly notClassified: Readonly<Count>;
  readonly rates: { readonly packetsPerSecond: number; readonly flowsPerSecond: number };
}

export class Tally {
  readonly #classes = new Map<string, Count>();
  readonly #files = new Map<string, number>();
  readonly #other: Count = { flows: 0, packets: 0, bytes: 0 };
  #frames = 0;

  /** Counts a classified flow. */
  add(name: string, line: FlowLine): void {
    let count = this.#classes.get(name);
    if (count === undefined) {
      count = { flows: 0, packets: 0, bytes: 0 };
      this.#classes.set(name, count);
    }
    increase(count, line);
    this.#files.set(line.file, this.flowsOf(line.file) + 1);
  }

  /** Counts a flow that is none of the model's business. */
  addOther(line: FlowLine): void {
    increase(this.#other, line);
  }

  /** Counts frames read, for the rate. */
  addFrames(frames: number): void {
    this.#frames += frames;
  }

  /** Classified flows of one capture. */
  flowsOf(file: string): number {
    return this.#files.get(file) ?? 0;
  }

  /** Classes by name; rates over `seconds` of wall time. */
  summary(seconds: number): TallySummary {
    const classes = [...this.#classes].sort(([a], [b]) => (a < b ? -1 : 1));
    const flows = classes.reduce(
      (sum, [, count]) => sum + count.flows,
      this.#other.flows,
    );
    return {
      tally: Object.fromEntries(classes),
      notClassified: this.#other,
      rates: {
        packetsPerSecond: Math.round(this.#frames / seconds),
        flowsPerSecond: Math.round(flows / seconds),
      },
    };
  }
}

function increase(count: Count, line: FlowLine): void {
  count.flows++;
  count.packets += line.packets;
  count.bytes += line.bytes;
}
