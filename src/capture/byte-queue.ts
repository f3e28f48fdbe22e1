// A stream of chunks as one window of bytes that grows only as far as the largest record needs.

/** Bytes read ahead of a parser. `bytes` and `view` change identity when `need` had to read more. */
export class ByteQueue {
  /** The whole window; the parser's place is `offset`, its bytes end at `end`. */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  offset = 0;
  end = 0;
  /** What the parser lacks when it stops for more: bytes from `offset` on. */
  wanted = 1;
  readonly #chunks: AsyncIterator<Uint8Array>;

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
    const parts = [this.bytes.subarray(this.offset, this.end)];
    let held = this.available;
    while (held < count) {
      const { value, done } = await this.#chunks.next();
      if (done === true) break;
      parts.push(value);
      held += value.byteLength;
    }
    this.#replace(joined(parts, held));
    return held >= count;
  }

  /** Ends the source when the parser gives up before its end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #replace(chunk: Uint8Array): void {
    this.bytes = chunk;
    this.view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.offset = 0;
    this.end = chunk.byteLength;
  }
}

/** One array of all parts; a single part that is not empty is not copied. */
function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const held = parts.filter((part) => part.byteLength > 0);
  const [only] = held;
  if (held.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of held) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
