// One pass over a message that says of every byte what becomes of it: what is written for a model, and, where wanted,
// which stretches of the message went where. So the two cannot tell different stories.

import type { CanaryField } from './canary.ts';

/** A stretch of the message, [from, to), and how many bytes were written for it. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly seenBytes: number;
  /** Why it is occluded; 'unreadable': no field could be made of it; undefined: it is seen, though perhaps rewritten. */
  readonly occluded: CanaryField | 'unreadable' | undefined;
}

/** A length field that has been left open. */
export interface OpenLength {
  readonly at: number;
  readonly width: 1 | 2 | 3;
  readonly counted: number;
}

/** Walks a message from its first byte to its last. What does not fit into `into` is counted, not written. */
export class Walk {
  readonly #message: Uint8Array;
  readonly #into: Uint8Array;
  readonly #stretches: Stretch[] | undefined;
  /** How far the message has been read, and how much has been written for it. */
  #read = 0;
  #written = 0;

  constructor(message: Uint8Array, into: Uint8Array, stretches?: Stretch[]) {
    this.#message = message;
    this.#into = into;
    this.#stretches = stretches;
  }

  get read(): number {
    return this.#read;
  }

  get left(): number {
    return this.#message.byteLength - this.#read;
  }

  get written(): number {
    return this.#written;
  }

  /** The next bytes go out as they are. */
  keep(length: number): void {
    const to = Math.min(this.#read + length, this.#message.byteLength);
    this.#write(this.#message, this.#read, to);
    this.#step(to, to - this.#read, undefined);
  }

  /** In place of the next `length` bytes goes `seen`; for an occluded field that may not be told by its absence. */
  replace(length: number, seen: Uint8Array, occluded?: CanaryField): void {
    this.#write(seen, 0, seen.byteLength);
    this.#step(this.#read + length, seen.byteLength, occluded);
  }

  /** Nothing goes out for the next bytes. */
  hide(length: number, occluded: Stretch['occluded']): void {
    if (length > 0) this.#step(this.#read + length, 0, occluded);
  }

  /** A number in place of the next `length` bytes. */
  number(length: number, value: number, width: 1 | 2 | 3): void {
    this.#put(this.#written, value, width);
    this.#written += width;
    this.#step(this.#read + length, width, undefined);
  }

  /** A length field of `width` bytes in place of the next `length` bytes; `close` fills it in. */
  open(length: number, width: 1 | 2 | 3): OpenLength {
    const at = this.#written;
    this.number(length, 0, width);
    return { at, width, counted: this.#written };
  }

  /** The length is that of what has been written since. */
  close({ at, width, counted }: OpenLength): void {
    this.#put(at, this.#written - counted, width);
  }

  /** Little endian, at a place of its own: what gQUIC has for lengths. */
  patch(at: number, value: number): void {
    for (let i = 0; i < 4; i++) this.#set(at + i, (value >>> (8 * i)) & 0xff);
  }

  #step(to: number, seenBytes: number, occluded: Stretch['occluded']): void {
    const end = Math.min(to, this.#message.byteLength);
    if (end > this.#read || seenBytes > 0) {
      this.#stretches?.push({ from: this.#read, to: end, seenBytes, occluded });
    }
    this.#read = end;
  }

  #write(bytes: Uint8Array, from: number, to: number): void {
    const room = this.#into.byteLength - this.#written;
    if (room > 0) {
      this.#into.set(bytes.subarray(from, Math.min(to, from + room)), this.#written);
    }
    this.#written += to - from;
  }

  #put(at: number, value: number, width: 1 | 2 | 3): void {
    for (let i = 0; i < width; i++) {
      this.#set(at + i, (value >>> (8 * (width - 1 - i))) & 0xff);
    }
  }

  #set(at: number, byte: number): void {
    if (at < this.#into.byteLength) this.#into[at] = byte;
  }
}
