// Bytes of a gzip file -> what is packed in it.

import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputError } from '../errors.ts';
import type { CaptureNotes } from './capture-faults.ts';

const CHUNK_BYTES = 1 << 20;

/**
 * Unpacks a gzip stream; one that breaks off or is damaged ends early and is noted in `notes.truncated`.
 *
 * @throws InputError ERR_NOT_A_CAPTURE nothing of it can be unpacked
 */
export async function* gunzip(
  packed: AsyncIterable<Uint8Array>,
  notes: CaptureNotes,
): AsyncGenerator<Buffer> {
  const unpacker = createGunzip({ chunkSize: CHUNK_BYTES });
  // A fault of either end reaches the loop below through the unpacker; there is no other way to hear of it.
  pipeline(Readable.from(packed, { objectMode: false }), unpacker, () => {});
  let unpacked = 0;
  try {
    for await (const chunk of unpacker) {
      unpacked += chunk.byteLength;
      yield chunk;
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (!code.startsWith('Z_')) throw cause;
    if (unpacked === 0 && code !== 'Z_BUF_ERROR') {
      throw new InputError(
        'ERR_NOT_A_CAPTURE',
        `not a capture: damaged gzip data (${code})`,
        {
          cause,
        },
      );
    }
    notes.truncated =
      code === 'Z_BUF_ERROR'
        ? 'its gzip data breaks off'
        : `its gzip data is damaged (${code})`;
  }
}
