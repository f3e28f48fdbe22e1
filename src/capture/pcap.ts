// Bytes of a capture file (pcap or pcapng, any size, any byte order) -> blocks of frames with an index, as the
// native flow table eats them. Frames are not copied one by one: a block is a slice of what was read.
// pcap: draft-ietf-opsawg-pcap; pcapng: draft-ietf-opsawg-pcapng.

import { InputError } from '../errors.ts';
import { ByteQueue } from './byte-queue.ts';
import { type BlockSink, type FrameBlock, FrameIndex } from './frame-index.ts';
import { PCAPNG_SECTION_HEADER, readPcapng } from './pcapng.ts';

/** What a reader tells about a capture beside its frames; filled while the file is read. */
export interface CaptureNotes {
  /** Says where the file broke off; undefined for a whole one. */
  truncated: string | undefined;
  /** Blocks of pcapng that hold no frames, or records that were skipped, by reason. */
  skipped: Record<string, number>;
}

/** Magic numbers as the first four bytes read little endian. */
const MAGIC = new Map<number, { littleEndian: boolean; nanoseconds: boolean }>([
  [0xa1b2c3d4, { littleEndian: true, nanoseconds: false }],
  [0xd4c3b2a1, { littleEndian: false, nanoseconds: false }],
  [0xa1b23c4d, { littleEndian: true, nanoseconds: true }],
  [0x4d3cb2a1, { littleEndian: false, nanoseconds: true }],
]);
/** "Modified" pcap of old Linux patches: each record header has 8 bytes more. */
const MAGIC_MODIFIED = new Map<number, boolean>([
  [0xa1b2cd34, true],
  [0x34cdb2a1, false],
]);
const FILE_HEADER_BYTES = 24;
/** A longer captured frame means that the reader lost its place: no tool writes more than 256 KiB a frame. */
const FRAME_BYTES_MAX = 262_144;

/**
 * Reads a capture as blocks of frames of one link type. A block is valid until the next one is asked for.
 * A file that breaks off is read to its last whole frame and `notes.truncated` says so.
 *
 * @throws InputError ERR_CAPTURE_EMPTY, ERR_NOT_A_CAPTURE: nothing in it can be read.
 */
export async function* readCapture(
  source: AsyncIterable<Uint8Array>,
  notes: CaptureNotes,
): AsyncGenerator<FrameBlock> {
  const queue = new ByteQueue(source);
  try {
    yield* readFormat(queue, notes);
  } finally {
    await queue.close();
  }
}

async function* readFormat(
  queue: ByteQueue,
  notes: CaptureNotes,
): AsyncGenerator<FrameBlock> {
  if (!(await queue.need(4))) {
    const held = queue.available;
    throw held === 0
      ? new InputError(
          'ERR_CAPTURE_EMPTY',
          'the file is empty, expected a pcap or pcapng capture',
        )
      : notACapture(`${held} bytes only`);
  }
  const magic = queue.view.getUint32(queue.offset, true);
  if (magic === PCAPNG_SECTION_HEADER) {
    yield* readPcapng(queue, notes);
    return;
  }
  const format = MAGIC.get(magic);
  const modified = MAGIC_MODIFIED.get(magic);
  if (format !== undefined)
    yield* readClassic(queue, notes, { ...format, recordHeaderBytes: 16 });
  else if (modified !== undefined) {
    const layout = { littleEndian: modified, nanoseconds: false, recordHeaderBytes: 24 };
    yield* readClassic(queue, notes, layout);
  } else throw notACapture(`it starts with 0x${magic.toString(16).padStart(8, '0')}`);
}

function notACapture(found: string): InputError {
  return new InputError(
    'ERR_NOT_A_CAPTURE',
    `not a capture: ${found}, expected the magic number of pcap or pcapng (gzip is fine too)`,
  );
}

interface ClassicLayout {
  readonly littleEndian: boolean;
  readonly nanoseconds: boolean;
  readonly recordHeaderBytes: number;
}

async function* readClassic(
  queue: ByteQueue,
  notes: CaptureNotes,
  layout: ClassicLayout,
): AsyncGenerator<FrameBlock> {
  const { littleEndian } = layout;
  if (!(await queue.need(FILE_HEADER_BYTES))) {
    throw notACapture(
      `a pcap header of ${queue.available} bytes instead of ${FILE_HEADER_BYTES}`,
    );
  }
  // The upper 16 bits of the link type field hold FCS length and reserved bits.
  const linkType = queue.view.getUint32(queue.offset + 20, littleEndian) & 0xffff;
  queue.skip(FILE_HEADER_BYTES);
  const index = new FrameIndex();
  for (;;) {
    const more = await queue.need(1);
    if (!more) return;
    const sink = index.start(queue.bytes, linkType);
    const stop = indexRecords(queue, sink, layout);
    if (sink.frames > 0) yield sink.block();
    if (stop === 'corrupt') {
      notes.truncated = 'a record header makes no sense';
      return;
    }
    if (stop === 'more' && !(await queue.need(queue.wanted))) {
      notes.truncated = `the last ${queue.available} bytes are no whole frame`;
      return;
    }
  }
}

/** Indexes every whole record that the queue holds; tells why it stopped. */
function indexRecords(
  queue: ByteQueue,
  sink: BlockSink,
  layout: ClassicLayout,
): 'more' | 'done' | 'full' | 'corrupt' {
  const { littleEndian, nanoseconds, recordHeaderBytes } = layout;
  const view = queue.view;
  let at = queue.offset;
  const end = queue.end;
  let stop: 'more' | 'done' | 'full' | 'corrupt' = 'done';
  while (at < end) {
    if (end - at < recordHeaderBytes) {
      queue.wanted = recordHeaderBytes;
      stop = 'more';
      break;
    }
    const captured = view.getUint32(at + 8, littleEndian);
    const wire = view.getUint32(at + 12, littleEndian);
    const fraction = view.getUint32(at + 4, littleEndian);
    if (captured > FRAME_BYTES_MAX) {
      stop = 'corrupt';
      break;
    }
    const record = recordHeaderBytes + captured;
    if (end - at < record) {
      queue.wanted = record;
      stop = 'more';
      break;
    }
    if (sink.full) {
      stop = 'full';
      break;
    }
    const seconds = view.getUint32(at, littleEndian);
    // Some writers put a length of 0 into the wire length of a cut frame: never less than captured.
    sink.add(
      at + recordHeaderBytes,
      captured,
      Math.max(wire, captured),
      seconds,
      nanoseconds ? fraction : fraction * 1000,
    );
    at += record;
  }
  queue.skip(at - queue.offset);
  return stop;
}
