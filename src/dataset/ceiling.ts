// How right can anybody be who sees nothing but sizes and directions? Flows whose first N packets are equal to the byte cannot be told
// apart, so the best guess is the class that most of them have. What is left is the ceiling at N. It is an upper bound: a
// sequence that was seen once counts as told, and inter-arrival times, which never repeat, are not looked at.

import { createHash } from 'node:crypto';

/** After how many packets. */
export const CEILING_PACKETS = [3, 5, 10, 30, 100] as const;

export interface CeilingAt {
  readonly packets: number;
  readonly flows: number;
  /** Sequences that differ. */
  readonly sequences: number;
  /** Flows whose sequence another flow has too. */
  readonly repeated: number;
  /** Flows whose sequence stands for several classes. */
  readonly contradicted: number;
  /** Share of flows that a majority vote of equal sequences gets right. */
  readonly accuracy: number;
}

/** By sequence, then by class: flows. */
type Counts = Map<string, Map<string, number>>;

export class Ceiling {
  readonly #counts = new Map<number, Counts>(
    CEILING_PACKETS.map((packets) => [packets, new Map()]),
  );

  /** @param sizes signed, of all packets: `sizesOf`; at least 100 of them where there are as many */
  add(sizes: Int32Array, service: string): void {
    for (const [packets, counts] of this.#counts) {
      const key = digest(sizes.subarray(0, packets));
      const classes = counts.get(key) ?? new Map<string, number>();
      counts.set(key, classes);
      classes.set(service, (classes.get(service) ?? 0) + 1);
    }
  }

  summary(): CeilingAt[] {
    return [...this.#counts].map(([packets, counts]) => ({
      packets,
      ...summaryOf(counts),
    }));
  }
}

/** Of 128 bits: that two sequences share one is out of the question. */
function digest(sizes: Int32Array): string {
  const bytes = new Uint8Array(sizes.buffer, sizes.byteOffset, sizes.byteLength);
  return createHash('sha256').update(bytes).digest().toString('latin1', 0, 16);
}

function summaryOf(counts: Counts): Omit<CeilingAt, 'packets'> {
  let [flows, repeated, contradicted, right] = [0, 0, 0, 0];
  for (const classes of counts.values()) {
    let [all, most] = [0, 0];
    for (const count of classes.values()) {
      all += count;
      most = Math.max(most, count);
    }
    flows += all;
    right += most;
    if (all > 1) repeated += all;
    if (classes.size > 1) contradicted += all;
  }
  const accuracy = flows === 0 ? 1 : right / flows;
  return { flows, sequences: counts.size, repeated, contradicted, accuracy };
}
