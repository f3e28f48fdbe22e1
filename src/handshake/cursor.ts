// Bounds-checked reading of hostile bytes: past the end a read gives undefined and the cursor stays where it is.

/** Reads big-endian fields from `bytes`, never outside [start, end). */
export class Cursor {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.byteLength) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = Math.min(end, bytes.byteLength);
  }

  /** Where the next read begins, from the first byte of what the cursor was made of. */
  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  /** An unsigned number of `width` bytes, at most 4. */
  uint(width: 1 | 2 | 3 | 4): number | undefined {
    if (this.left < width) return undefined;
    let value = 0;
    for (let i = 0; i < width; i++)
      value = value * 256 + (this.#bytes[this.#at + i] ?? 0);
    this.#at += width;
    return value;
  }

  /** A variable-length integer of QUIC (RFC 9000 section 16). Past 2^53 it is no longer exact, and longer than anything. */
  varint(): number | undefined {
    const first = this.#bytes[this.#at];
    if (first === undefined || this.left < 1) return undefined;
    const width = 1 << (first >> 6);
    if (this.left < width) return undefined;
    let value = first & 0x3f;
    for (let i = 1; i < width; i++)
      value = value * 256 + (this.#bytes[this.#at + i] ?? 0);
    this.#at += width;
    return value;
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array | undefined {
    if (this.left < length) return undefined;
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return part;
  }

  /** A view of a field that its length goes before, in `width` bytes. */
  vector(width: 1 | 2 | 3): Uint8Array | undefined {
    const start = this.#at;
    const length = this.uint(width);
    const body = length === undefined ? undefined : this.take(length);
    if (body === undefined) this.#at = start;
    return body;
  }

  /** A type of two bytes and a body behind its length, none of it at or past `end`; else the cursor stays. */
  extension(end: number): { type: number; body: Uint8Array } | undefined {
    const start = this.#at;
    const type = this.uint(2);
    const body = this.vector(2);
    if (type !== undefined && body !== undefined && this.#at <= end)
      return { type, body };
    this.#at = start;
    return undefined;
  }

  /** Moves to the next byte that is not 0. */
  skipZeros(): void {
    while (this.#at < this.#end && this.#bytes[this.#at] === 0) this.#at++;
  }

  /** What is left, however short. */
  rest(): Uint8Array {
    const part = this.#bytes.subarray(this.#at, this.#end);
    this.#at = this.#end;
    return part;
  }
}

/** The 16-bit numbers of a list; an odd last byte is left out. */
export function uint16s(bytes: Uint8Array): number[] {
  return Array.from(
    { length: bytes.byteLength >> 1 },
    (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0),
  );
}
