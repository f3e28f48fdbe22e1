// Messages on a byte stream: a length of four bytes, big endian, then the message.

/** A stream of HTTP/2 that bears messages has this content type. */
export const MESSAGES_TYPE = 'application/grpc';
const LENGTH_BYTES = 4;
/** A longer one means that the stream does not bear messages. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + message.byteLength);
  bytes.writeUInt32BE(message.byteLength, 0);
  bytes.set(message, LENGTH_BYTES);
  return bytes;
}

/** Cuts a stream into messages, whatever pieces it arrives in. */
export class Deframer {
  #parts: Buffer[] = [];
  #held = 0;
  #wanted = LENGTH_BYTES;

  /**
   * The messages that `chunk` completes.
   *
   * @throws RangeError when a length makes no sense.
   */
  push(chunk: Buffer): Buffer[] {
    this.#parts.push(chunk);
    this.#held += chunk.byteLength;
    if (this.#held < this.#wanted) return [];
    const all = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    const messages: Buffer[] = [];
    let at = 0;
    for (;;) {
      const left = all.byteLength - at;
      this.#wanted = LENGTH_BYTES;
      if (left < LENGTH_BYTES) break;
      const length = all.readUInt32BE(at);
      if (length > MESSAGE_BYTES_MAX)
        throw new RangeError(`a message of ${length} bytes`);
      this.#wanted = LENGTH_BYTES + length;
      if (left < this.#wanted) break;
      messages.push(all.subarray(at + LENGTH_BYTES, at + this.#wanted));
      at += this.#wanted;
    }
    this.#parts = [all.subarray(at)];
    this.#held = all.byteLength - at;
    return messages;
  }
}
