// Near copies among flows. Two flows are twins when, whatever their labels,
//   - they are of one transport, and their sizes are of one kind;
//   - of their first 30 packets with payload at most a tenth, of the shorter one's, are unlike: of another direction, or more than
//     16 bytes away from the size in the same place of the other flow, or without anything in that place;
//   - the whole flows carried, each way, the same number of bytes within a tenth (and 64 bytes).
// The 16 bytes are what a cookie, a counter or padding makes of a repeated request; places are compared as they stand because a
// flow that was made twice is in step with itself. The third line is there for bulk transfers: their first 30 packets are
// alike because of their class, and without it a test would lose that class rather than its copies.
//
// A twin with the same label is an exam question that was in the book: it must not judge. A twin with another label helps nobody
// to the right answer, and without such flows a test would be easier than the truth: they stay, and are counted.
//
// Candidates come from keys that copies share, the comparison is exact: what is called a twin is one. A pair is missed only where
// every key differs. Keys: the places are dealt out to 4 bands, so that three unlike places leave one band whole (below ten packets
// nothing may be unlike, and there is one band). A band's sizes are rounded down to 128 bytes, on three grids, so that a small
// difference seldom crosses a border on all of them. Memory and time grow with the flows, not with their pairs.

import { SizeStore } from './flow-sizes.ts';

export const TWIN = {
  packets: 30,
  alikeShare: 0.9,
  toleranceBytes: 16,
  totalsTolerance: 0.1,
  totalsFloorBytes: 64,
} as const;

const BANDS = 4;
const GRIDS = 3;
export const KEYS: number = BANDS * GRIDS;
const GRID_BYTES = 128;
/** Totals that differ by less than this factor may share a key; more than the tolerance allows, on three grids. */
const TOTALS_STEP: number = Math.log(1.5);
/** What twins are told by beside the sizes. */
export interface TwinFacts {
  /** Transport and the kind of length: "tcp payload". */
  readonly kind: string;
  /** Of the whole flow. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Of no matter for whether two flows are twins, only for what follows from it. */
  readonly label: string;
}

/** Flows that can be compared, by number in the order in which they were added. */
export class TwinFlows {
  readonly #sizes = new SizeStore(TWIN.packets);
  readonly #kinds = new Map<string, number>();
  readonly #labels = new Map<string, number>();
  readonly #kind: number[] = [];
  readonly #up: number[] = [];
  readonly #down: number[] = [];
  readonly #label: number[] = [];

  get count(): number {
    return this.#kind.length;
  }

  /** @param sizes of packets with payload: `payloadSizesOf` */
  add(sizes: Int32Array, { kind, bytesUp, bytesDown, label }: TwinFacts): number {
    this.#kind.push(numberOf(this.#kinds, kind));
    this.#label.push(numberOf(this.#labels, label));
    this.#up.push(bytesUp);
    this.#down.push(bytesDown);
    return this.#sizes.add(sizes);
  }

  areTwins(a: number, b: number): boolean {
    if (this.#kind[a] !== this.#kind[b]) return false;
    if (!near(this.#up[a] ?? 0, this.#up[b] ?? 0)) return false;
    if (!near(this.#down[a] ?? 0, this.#down[b] ?? 0)) return false;
    return alike(this.#sizes.sizes(a), this.#sizes.sizes(b));
  }

  agree(a: number, b: number): boolean {
    return this.#label[a] === this.#label[b];
  }

  /** The same in all, to the byte, and in label: one of the two is enough in an index. */
  areEqual(a: number, b: number): boolean {
    if (!this.agree(a, b)) return false;
    if (this.#kind[a] !== this.#kind[b]) return false;
    if (this.#up[a] !== this.#up[b] || this.#down[a] !== this.#down[b]) return false;
    const [one, other] = [this.#sizes.sizes(a), this.#sizes.sizes(b)];
    return one.length === other.length && one.every((size, i) => size === other[i]);
  }

  /** Hash of one key; undefined: the flow has no such key. */
  key(flow: number, k: number, part: number): number | undefined {
    const [band, grid] = [k % BANDS, Math.floor(k / BANDS)];
    const sizes = this.#sizes.sizes(flow);
    const bands = allowedUnlike(sizes.length) === 0 ? 1 : BANDS;
    if (sizes.length === 0 || band >= bands) return undefined;
    const offset = (grid * GRID_BYTES) / GRIDS;
    const totals = Math.log((this.#down[flow] ?? 0) + TWIN.totalsFloorBytes);
    let hash = mixed(0x811c9dc5, k);
    hash = mixed(hash, part);
    hash = mixed(hash, this.#kind[flow] ?? 0);
    hash = mixed(hash, Math.floor(totals / TOTALS_STEP + grid / GRIDS));
    for (let i = band; i < sizes.length; i += bands) {
      const size = sizes[i] ?? 0;
      const cell = Math.floor((Math.abs(size) + offset) / GRID_BYTES);
      hash = mixed(hash, size < 0 ? ~cell : cell);
    }
    return stirred(hash);
  }
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const number = numbers.get(name) ?? numbers.size;
  numbers.set(name, number);
  return number;
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= TWIN.totalsTolerance * Math.max(a, b) + TWIN.totalsFloorBytes;
}

/** Rounded before it is cut: 30 - 0.9 x 30 is a little more than 3. */
function allowedUnlike(places: number): number {
  return Math.floor(places * (1 - TWIN.alikeShare) + 1e-9);
}

function alike(a: Int16Array, b: Int16Array): boolean {
  const places = Math.max(a.length, b.length);
  const both = Math.min(a.length, b.length);
  if (both === 0) return false;
  const allowed = allowedUnlike(both);
  let unlike = places - both;
  for (let i = 0; i < both && unlike <= allowed; i++) {
    const [one, other] = [a[i] ?? 0, b[i] ?? 0];
    // Of two directions the sizes are further apart than that, but for the smallest.
    const same = one < 0 === other < 0;
    if (!same || Math.abs(one - other) > TWIN.toleranceBytes) unlike++;
  }
  return unlike <= allowed;
}

/** FNV-1a over 32-bit words. */
function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x01000193);
  return product ^ (product >>> 15);
}

/** Every bit of the hash moves every bit of the answer (the end of MurmurHash3). */
function stirred(hash: number): number {
  let x = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
