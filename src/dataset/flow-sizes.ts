// The packets of a row -> its signed sizes, and a store of them for all rows: what duplicates, the ceiling and the nearest
// neighbour are about. Sizes are positive from the client, negative from the server.

import { PACKET_MARKS } from '../flow/record-layout.ts';
import type { ColumnName, DatasetRow } from './dataset-schema.ts';

/** What sizes are read from. */
export const SIZE_COLUMNS = [
  'seen',
  'ipLengths',
  'payloadLengths',
  'marks',
] as const satisfies readonly ColumnName[];
export type SizeColumns = Pick<DatasetRow, (typeof SIZE_COLUMNS)[number]>;

/** Length of packet i; every machine that the addon runs on is little endian, as the columns are. */
function lengthAt(lengths: Uint8Array, i: number): number {
  return (lengths[2 * i] ?? 0) | ((lengths[2 * i + 1] ?? 0) << 8);
}

function signOf(marks: Uint8Array, i: number): 1 | -1 {
  return ((marks[i] ?? 0) & PACKET_MARKS.down) === 0 ? 1 : -1;
}

/** All packets up to `most`, by IP length where it is known, else by payload: what a series holds (paper 3.3). */
export function sizesOf(row: SizeColumns, most: number): Int32Array {
  const lengths = row.ipLengths ?? row.payloadLengths;
  const count = lengths === null ? 0 : Math.min(row.seen, most);
  const sizes = new Int32Array(count);
  for (let i = 0; i < count && lengths !== null; i++) {
    sizes[i] = signOf(row.marks, i) * lengthAt(lengths, i);
  }
  return sizes;
}

/**
 * The first packets with payload, up to `most`, by payload length; by IP length where payload is not known. Headers differ
 * between IPv4 and IPv6 and with TCP's options, and acknowledgements come as they like: neither makes another flow.
 */
export function payloadSizesOf(row: SizeColumns, most: number): Int32Array {
  const { payloadLengths } = row;
  if (payloadLengths === null) return sizesOf(row, most);
  const sizes: number[] = [];
  for (let i = 0; i < row.seen && sizes.length < most; i++) {
    const length = lengthAt(payloadLengths, i);
    if (length > 0) sizes.push(signOf(row.marks, i) * length);
  }
  return Int32Array.from(sizes);
}

const INT16_MAX = 32_767;

/** Rows of up to `width` signed sizes, 2 bytes each: what is longer than 32,767 bytes is taken for that. */
export class SizeStore {
  readonly width: number;
  #sizes: Int16Array;
  #lengths: Uint16Array;
  rows = 0;

  constructor(width: number) {
    this.width = width;
    this.#sizes = new Int16Array(1024 * width);
    this.#lengths = new Uint16Array(1024);
  }

  /** @returns the row's number */
  add(sizes: Int32Array): number {
    const { width } = this;
    const row = this.rows++;
    if (row === this.#lengths.length) this.#grow();
    const length = Math.min(sizes.length, width);
    this.#lengths[row] = length;
    for (let i = 0; i < length; i++) {
      const size = sizes[i] ?? 0;
      this.#sizes[row * width + i] = Math.max(-INT16_MAX, Math.min(INT16_MAX, size));
    }
    return row;
  }

  /** Valid until the next `add`. */
  sizes(row: number): Int16Array {
    const at = row * this.width;
    return this.#sizes.subarray(at, at + (this.#lengths[row] ?? 0));
  }

  #grow(): void {
    const sizes = new Int16Array(this.#sizes.length * 2);
    sizes.set(this.#sizes);
    this.#sizes = sizes;
    const lengths = new Uint16Array(this.#lengths.length * 2);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
  }
}
