// Bytes of a capture file (pcap or pcapng, any size, any byte order) -> blocks of frames with an index, as the
// native flow table eats them. Frames are not copied one by one: a block is a slice of what was read. The formats are
// known to native/src/capture-indexer.hpp alone; what it finds wrong is put into words here.

import { InputError } from '../errors.ts';
import { ByteQueue } from './byte-queue.ts';
import { type FrameBlock, INDEX_WORDS } from './frame-index.ts';
import { loadNative, type NativeCaptureIndexer } from './native.ts';

/** What a reader tells about a capture beside its frames; filled while the file is read. */
export interface CaptureNotes {
  /** Says where the file broke off; undefined for a whole one. */
  truncated: string | undefined;
  /** Blocks of pcapng that hold no frames, or records that were skipped, by reason. */
  skipped: Record<string, number>;
}

/** Frames of one block at most: bounds the index at 160 KiB. */
const BLOCK_FRAMES_MAX = 8192;
/** Numbers that the indexer reports a call. */
const REPORT_WORDS = 7;
const PCAP_HEADER_BYTES = 24;

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
  try {
    if (!(await queue.need(1))) {
      throw new InputError(
        'ERR_CAPTURE_EMPTY',
        'the file is empty, expected a pcap or pcapng capture',
      );
    }
    yield* blocksOf(queue, notes);
  } finally {
    await queue.close();
  }
}

async function* blocksOf(
  queue: ByteQueue,
  notes: CaptureNotes,
): AsyncGenerator<FrameBlock> {
  const indexer = new BlockIndexer();
  do {
    const found = indexer.next(queue, notes);
    // Reading on may move the window: hand over first what was indexed in it.
    if (found.block.frames > 0) yield found.block;
    const whole = found.wanted === 0 || (await queue.need(found.wanted));
    const fault = whole ? FAULTS[found.stop] : BREAKS[found.stop];
    if (fault !== undefined) {
      notes.truncated = fault(found, queue.available);
      return;
    }
  } while (await queue.need(1));
}

/** What one look at the window has found. */
interface Found {
  readonly block: FrameBlock;
  /** One of the addon's `indexStops`. */
  readonly stop: string;
  /** Bytes that are needed to go on; 0: none, or there is no going on. */
  readonly wanted: number;
  readonly detail: number;
  /** At least one whole block of pcapng has been read. */
  readonly sound: boolean;
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

  next(queue: ByteQueue, notes: CaptureNotes): Found {
    const report = this.#report;
    this.#native.index(queue.bytes, queue.offset, queue.end, this.#index, report);
    const [frames = 0, linkType = 0, passed = 0, stop = 0, wanted = 0, detail = 0] =
      report;
    const homeless = report[6] ?? 0;
    queue.skip(passed);
    this.#sound ||= passed > 0;
    if (homeless > 0) notes.skipped['frame-of-unknown-interface'] = homeless;
    return {
      block: { bytes: queue.bytes, index: this.#index, frames, linkType },
      stop: this.#stops[stop] ?? '',
      wanted,
      detail,
      sound: this.#sound,
    };
  }
}

/** Says what is wrong, for people. @throws InputError where nothing could be read. */
type Wording = (found: Found, held: number) => string;

/** By what was needed when the file ended. */
const BREAKS: Readonly<Record<string, Wording>> = {
  magic: (_, held) => notACapture(`${held} bytes only`),
  'file-header': (_, held) =>
    notACapture(`a pcap header of ${held} bytes instead of ${PCAP_HEADER_BYTES}`),
  frame: (_, held) => `the last ${held} bytes are no whole frame`,
  block: (found, held) => ofBlocks(found, `the last ${held} bytes are no whole block`),
};

/** By what makes no sense. */
const FAULTS: Readonly<Record<string, Wording>> = {
  'unknown-format': ({ detail }) =>
    notACapture(`it starts with 0x${detail.toString(16).padStart(8, '0')}`),
  'bad-frame': () => 'a record header makes no sense',
  'bad-block': (found) => ofBlocks(found, 'a block makes no sense'),
  'bad-byte-order': (found) =>
    ofBlocks(found, 'its section header holds no byte-order magic'),
  'bad-block-length': (found) => ofBlocks(found, `a block claims ${found.detail} bytes`),
};

function notACapture(found: string): never {
  throw new InputError(
    'ERR_NOT_A_CAPTURE',
    `not a capture: ${found}, expected the magic number of pcap or pcapng (gzip is fine too)`,
  );
}

/** What starts as pcapng does and has no whole block is none. */
function ofBlocks({ sound }: Found, why: string): string {
  if (sound) return why;
  throw new InputError('ERR_NOT_A_CAPTURE', `not a pcapng capture: ${why}`);
}
