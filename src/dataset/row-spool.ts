// Things of any size -> a file that nobody else sees, and back in any order: what a capture's flows wait in until their
// labels and numbers are known. Small captures never touch the disk.

import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { cannotWrite } from './parquet-file.ts';

/** Kept in memory before anything is written; also the size of a write. */
const BUFFER_BYTES = 8 * 1024 * 1024;

/** Where a thing lies. */
export interface Spooled {
  readonly at: number;
  readonly bytes: number;
}

export class RowSpool<T> {
  readonly #path: string;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #file: number | undefined;
  #written = 0;
  #buffered = 0;

  /** @param path of the file, made only where the buffer does not do, and without a name from then on */
  constructor(path: string) {
    this.#path = path;
  }

  /** @throws InputError ERR_OUTPUT: the disk is full */
  add(thing: T): Spooled {
    const bytes = serialize(thing);
    const at = this.#written + this.#buffered;
    if (this.#buffered + bytes.byteLength > BUFFER_BYTES) this.#flush();
    if (bytes.byteLength > BUFFER_BYTES) this.#write(bytes);
    else this.#buffered += bytes.copy(this.#buffer, this.#buffered);
    return { at, bytes: bytes.byteLength };
  }

  get({ at, bytes }: Spooled): T {
    if (at >= this.#written) {
      const from = at - this.#written;
      return deserialize(this.#buffer.subarray(from, from + bytes)) as T;
    }
    const read = Buffer.allocUnsafeSlow(bytes);
    readSync(this.#file ?? -1, read, 0, bytes, at);
    return deserialize(read) as T;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #write(bytes: Uint8Array): void {
    try {
      if (this.#file === undefined) {
        this.#file = openSync(this.#path, 'w+', 0o600);
        // However the process ends, nothing of it stays behind.
        rmSync(this.#path);
      }
      for (let done = 0; done < bytes.byteLength; ) {
        const at = this.#written + done;
        done += writeSync(this.#file, bytes, done, bytes.byteLength - done, at);
      }
    } catch (cause) {
      throw cannotWrite(this.#path, cause);
    }
    this.#written += bytes.byteLength;
  }
}
