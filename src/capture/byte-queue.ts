// A stream of chunks as one window of bytes, the same memory from the first byte to the last; it grows only where a
// record is larger. Fresh memory for every chunk costs more than all else that is done with a capture: the garbage
// collector runs for each few of them.

const WINDOW_BYTES = 1 << 21;

/** Bytes read ahead of a parser. `need` overwrites what lies before `offset`; `bytes` and `view` may change there. */
export class ByteQueue {
  /** The whole window; the parser's place is `offset`, its bytes end at `end`. */
  bytes: Uint8Array = new Uint8Array(WINDOW_BYTES);
  view: DataView = new DataView(this.bytes.buffer);
  offset = 0;
  end = 0;
  /** What the parser lacks when it stops for more: bytes from `offset` on. */
  wanted = 1;
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Of the last chunk, what the window had no room for. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  get available(): number {
    return this.end - this.offset;
  }

  skip(count: number): void {
    this.offset += count;
  }

  /** Reads until `count` bytes are there from `offset` on; false when the stream ends before. */
  async need(count: number): Promise<boolean> {
    if (this.available >= count) return true;
    this.#makeRoom(count);
    while (this.available < count) {
      if (!(await this.#read())) return false;
    }
    return true;
  }

  /** Ends the source when the parser gives up before its end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Moves what is held to the window's start; a window of twice the size where `count` does not fit. */
  #makeRoom(count: number): void {
    const held = this.bytes.subarray(this.offset, this.end);
    if (count > this.bytes.byteLength) {
      this.bytes = new Uint8Array(Math.max(count, 2 * this.bytes.byteLength));
      this.view = new DataView(this.bytes.buffer);
    }
    this.bytes.set(held);
    this.offset = 0;
    this.end = held.byteLength;
  }

  /** Takes one chunk, or what is left of one; false at the end of the stream. */
  async #read(): Promise<boolean> {
    const room = this.bytes.subarray(this.end);
    if (this.#rest.byteLength === 0) {
      // A source may put its bytes right here (open-capture.ts does); any other hands over its own.
      const { value, done } = await this.#chunks.next(room);
      if (done === true) return false;
      if (value.buffer === room.buffer && value.byteOffset === room.byteOffset) {
        this.end += value.byteLength;
        return true;
      }
      this.#rest = value;
    }
    const taken = this.#rest.subarray(0, room.byteLength);
    room.set(taken);
    this.#rest = this.#rest.subarray(taken.byteLength);
    this.end += taken.byteLength;
    return true;
  }
}
