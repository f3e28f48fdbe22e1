// Bytes of a capture file (pcap or pcapng, any size, any byte order) -> blocks of frames with an index, as the
// native flow table eats them. Frames are not copied one by one: a block is a slice of what was read. The formats are
// known to native/src/capture-indexer.hpp alone.

import { ByteQueue } from './byte-queue.ts';
import {
  type CaptureNotes,
  type Halt,
  noteHalt,
  noteHomeless,
} from './capture-faults.ts';
import { type FrameBlock, INDEX_WORDS } from './frame-index.ts';
import { loadNative, type NativeCaptureIndexer } from './native.ts';

/** Frames of one block at most: bounds the index at 160 KiB. */
const BLOCK_FRAMES_MAX = 8192;
/** Numbers that the indexer reports a call. */
const REPORT_WORDS = 7;

/**
 * Reads a capture as blocks of frames of one link type. A block is valid until the next one is asked for.
 * A file that breaks off is read to its last whole frame and `notes.truncated` says so.
 *
 * @throws InputError ERR_CAPTURE_EMPTY, ERR_NOT_A_CAPTURE: nothing in it can be read; CaptureError ERR_NATIVE_MISSING.
 */
export async function* readCapture(
  source: AsyncIterable<Uint8Array>,
  notes: CaptureNotes,
): AsyncGenerator<FrameBlock> {
  const queue = new ByteQueue(source);
  const indexer = new BlockIndexer();
  try {
    for (;;) {
      const { block, halt, wanted } = indexer.next(queue, notes);
      // Reading on may move the window: hand over first what was indexed in it.
      if (block.frames > 0) yield block;
      if (noteHalt({ ...halt, held: queue.available }, false, notes)) return;
      if (await queue.need(Math.max(wanted, 1))) continue;
      noteHalt({ ...halt, held: queue.available }, true, notes);
      return;
    }
  } finally {
    await queue.close();
  }
}

/** One index buffer and one report used for block after block. */
class BlockIndexer {
  readonly #index = new Uint32Array(BLOCK_FRAMES_MAX * INDEX_WORDS);
  readonly #report = new Uint32Array(REPORT_WORDS);
  readonly #native: NativeCaptureIndexer;
  readonly #stops: readonly string[];
  #sound = false;

  constructor() {
    const { CaptureIndexer, indexStops } = loadNative();
    this.#native = new CaptureIndexer();
    this.#stops = indexStops;
  }

  /** What the queue holds whole, and the bytes that it has to hold before the next call. */
  next(
    queue: ByteQueue,
    notes: CaptureNotes,
  ): { block: FrameBlock; halt: Omit<Halt, 'held'>; wanted: number } {
    const report = this.#report;
    this.#native.index(queue.bytes, queue.offset, queue.end, this.#index, report);
    const [frames = 0, linkType = 0, passed = 0, stop = 0, wanted = 0, detail = 0] =
      report;
    queue.skip(passed);
    this.#sound ||= passed > 0;
    noteHomeless(report[6] ?? 0, notes);
    return {
      block: { bytes: queue.bytes, index: this.#index, frames, linkType },
      halt: { stop: this.#stops[stop] ?? '', detail, sound: this.#sound },
      wanted,
    };
  }
}
