// A stream of chunks as one window of bytes, the same memory from the first byte to the last; it grows only where a
// record is larger. Fresh memory for every chunk costs more than all else that is done with a capture: the garbage
// collector runs for each few of them.

const PAGE_BYTES = 4096;
/** Read at a time: what has been read is still in the processor's cache when it is looked at. */
const CHUNK_BYTES = 1 << 20;
/** Room for what is left of a record before the chunk that brings the rest: more than a packet takes. */
const CARRY_BYTES = 1 << 17;
/**
 * Chunks of a file start on its pages, and they start here half a page out of step with them. Copies to an address that
 * is, within a page, up to 64 bytes behind that of their source take three times as long on processors of AMD's (`rep
 * movsb` of Zen 3 and 4), and memory that comes from malloc lies 16 bytes behind a page.
 */
const OUT_OF_STEP_BYTES = PAGE_BYTES / 2;

/** Bytes read ahead of a parser. `need` overwrites what lies before `offset`; `bytes` may change there. */
export class ByteQueue {
  /** The whole window; the parser's place is `offset`, its bytes end at `end`. */
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  end = 0;
  /** Where chunks go: what is held lies before it. */
  #front = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Of the last chunk, what the window had no room for. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#grow(CARRY_BYTES, CHUNK_BYTES);
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

  /** Moves what is held before the front; to a larger window where it, or `count` bytes, do not fit. */
  #makeRoom(count: number): void {
    const held = this.bytes.subarray(this.offset, this.end);
    const lacking = count - held.byteLength;
    if (held.byteLength > this.#front || lacking > this.bytes.byteLength - this.#front) {
      this.#grow(held.byteLength, lacking);
    }
    this.offset = this.#front - held.byteLength;
    this.end = this.#front;
    this.bytes.set(held, this.offset);
  }

  #grow(carry: number, chunk: number): void {
    this.#front = upToPage(Math.max(carry, this.#front)) + OUT_OF_STEP_BYTES;
    const room = this.bytes.byteLength - this.#front;
    this.bytes = new Uint8Array(this.#front + upToPage(Math.max(chunk, 2 * room)));
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

function upToPage(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}
