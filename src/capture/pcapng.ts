// pcapng blocks -> blocks of frames. Sections may change byte order, interfaces their link type and clock.

import { InputError } from '../errors.ts';
import type { ByteQueue } from './byte-queue.ts';
import { type BlockSink, type FrameBlock, FrameIndex } from './frame-index.ts';
import type { CaptureNotes } from './pcap.ts';

export const PCAPNG_SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const BYTE_ORDER_MAGIC_SWAPPED = 0x4d3c2b1a;
const INTERFACE_DESCRIPTION = 1;
const PACKET_OBSOLETE = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const OPTION_IF_TSRESOL = 9;
const OPTION_IF_TSOFFSET = 14;
/** A longer block is taken for damage: real ones are frames plus a few options, or name and secret tables. */
const BLOCK_BYTES_MAX = 16 * 1024 * 1024;
const INTERFACES_MAX = 4096;

/** One interface of a section: how its frames and stamps are to be read. */
interface Interface {
  readonly linkType: number;
  readonly snapLength: number;
  /** Ticks a second as a power of ten, or 2^n. */
  readonly ticksPerSecond: bigint;
  readonly offsetSeconds: bigint;
}

interface State {
  littleEndian: boolean;
  interfaces: Interface[];
  /** Whole blocks read so far. */
  blocks: number;
}

/** Why indexing stopped: `more` bytes are needed, the block must be handed over, or the file makes no sense. */
type Stop =
  | { readonly why: 'more'; readonly bytes: number }
  | { readonly why: 'handOver' | 'done' }
  | { readonly why: 'damaged'; readonly what: string };

/**
 * Reads pcapng from its section header on. See `readCapture` for the contract.
 *
 * @throws InputError ERR_NOT_A_CAPTURE when not even the section header is sound.
 */
export async function* readPcapng(
  queue: ByteQueue,
  notes: CaptureNotes,
): AsyncGenerator<FrameBlock> {
  const index = new FrameIndex();
  const state: State = { littleEndian: true, interfaces: [], blocks: 0 };
  while (await queue.need(1)) {
    const sink = index.start(queue.bytes);
    const stop = indexBlocks(queue, state, sink, notes);
    // Reading on may move the window: hand over first what was indexed in it.
    if (sink.frames > 0) yield sink.block();
    if (stop.why === 'more' && !(await queue.need(stop.bytes))) {
      notes.truncated = `the last ${queue.available} bytes are no whole block`;
    } else if (stop.why === 'damaged') notes.truncated = stop.what;
    if (notes.truncated !== undefined) {
      if (state.blocks === 0) throw notPcapng(notes.truncated);
      return;
    }
  }
}

/** Indexes the frames of every whole block in the queue, as far as they are of one link type. */
function indexBlocks(
  queue: ByteQueue,
  state: State,
  sink: BlockSink,
  notes: CaptureNotes,
): Stop {
  while (queue.available > 0) {
    const head = headOf(queue, state);
    if ('why' in head) return head;
    const frame = frameOf(queue, state, head, notes);
    if (frame === 'damaged') return { why: 'damaged', what: 'a block makes no sense' };
    if (frame !== undefined) {
      if (sink.full || (sink.frames > 0 && sink.linkType !== frame.linkType)) {
        return { why: 'handOver' };
      }
      sink.linkType = frame.linkType;
      sink.add(
        frame.offset,
        frame.captured,
        frame.wire,
        frame.seconds,
        frame.nanoseconds,
      );
    }
    queue.skip(head.bytes);
    state.blocks++;
  }
  return { why: 'done' };
}

function notPcapng(why: string): InputError {
  return new InputError('ERR_NOT_A_CAPTURE', `not a pcapng capture: ${why}`);
}

interface BlockHead {
  readonly type: number;
  readonly bytes: number;
}

/** Type and length of the next block, once it is whole in the queue. */
function headOf(queue: ByteQueue, state: State): BlockHead | Stop {
  if (queue.available < 12) return { why: 'more', bytes: 12 };
  const view = queue.view;
  const type = view.getUint32(queue.offset, state.littleEndian);
  if (type === PCAPNG_SECTION_HEADER) {
    const magic = view.getUint32(queue.offset + 8, true);
    if (magic !== BYTE_ORDER_MAGIC && magic !== BYTE_ORDER_MAGIC_SWAPPED) {
      return { why: 'damaged', what: 'its section header holds no byte-order magic' };
    }
    state.littleEndian = magic === BYTE_ORDER_MAGIC;
  }
  const bytes = view.getUint32(queue.offset + 4, state.littleEndian);
  if (bytes < 12 || bytes > BLOCK_BYTES_MAX || bytes % 4 !== 0) {
    return { why: 'damaged', what: `a block claims ${bytes} bytes` };
  }
  return queue.available < bytes ? { why: 'more', bytes } : { type, bytes };
}

interface Frame {
  readonly offset: number;
  readonly captured: number;
  readonly wire: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly linkType: number;
}

function skip(notes: CaptureNotes, reason: string): undefined {
  notes.skipped[reason] = (notes.skipped[reason] ?? 0) + 1;
  return undefined;
}

/** The frame that a whole block holds, if it is of such a kind; keeps the section's interfaces up to date. */
function frameOf(
  queue: ByteQueue,
  state: State,
  block: BlockHead,
  notes: CaptureNotes,
): Frame | 'damaged' | undefined {
  switch (block.type) {
    case PCAPNG_SECTION_HEADER:
      state.interfaces = [];
      return undefined;
    case INTERFACE_DESCRIPTION:
      if (block.bytes < 20) return 'damaged';
      if (state.interfaces.length === INTERFACES_MAX) return 'damaged';
      state.interfaces.push(interfaceOf(queue, state, block));
      return undefined;
    case ENHANCED_PACKET:
    case PACKET_OBSOLETE:
      return packetOf(queue, state, block, notes);
    case SIMPLE_PACKET:
      return simplePacketOf(queue, state, block, notes);
    default:
      return undefined;
  }
}

function interfaceOf(queue: ByteQueue, state: State, block: BlockHead): Interface {
  const { littleEndian } = state;
  const view = queue.view;
  const start = queue.offset;
  let ticksPerSecond = 1_000_000n;
  let offsetSeconds = 0n;
  const end = start + block.bytes - 4;
  for (let at = start + 16; end - at >= 4; ) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    const value = at + 4;
    if (code === 0 || end - value < length) break;
    if (code === OPTION_IF_TSRESOL && length === 1) {
      ticksPerSecond = ticksOf(view.getUint8(value));
    } else if (code === OPTION_IF_TSOFFSET && length === 8) {
      offsetSeconds = view.getBigInt64(value, littleEndian);
    }
    at = value + ((length + 3) & ~3);
  }
  return {
    linkType: view.getUint16(start + 8, littleEndian),
    snapLength: view.getUint32(start + 12, littleEndian),
    ticksPerSecond,
    offsetSeconds,
  };
}

/** if_tsresol: a negative power of ten, or of two with the top bit set. */
function ticksOf(resolution: number): bigint {
  const exponent = BigInt(resolution & 0x7f);
  // Finer than 2^-63 or 10^-18 s cannot be meant: such a clock overflows within seconds.
  if (resolution & 0x80) return 2n ** (exponent > 63n ? 63n : exponent);
  return 10n ** (exponent > 18n ? 18n : exponent);
}

function packetOf(
  queue: ByteQueue,
  state: State,
  block: BlockHead,
  notes: CaptureNotes,
): Frame | 'damaged' | undefined {
  if (block.bytes < 32) return 'damaged';
  const { littleEndian } = state;
  const view = queue.view;
  const start = queue.offset;
  const id =
    block.type === PACKET_OBSOLETE
      ? view.getUint16(start + 8, littleEndian)
      : view.getUint32(start + 8, littleEndian);
  const captured = view.getUint32(start + 20, littleEndian);
  const wire = view.getUint32(start + 24, littleEndian);
  if (captured > block.bytes - 32) return 'damaged';
  const source = state.interfaces[id];
  if (source === undefined) return skip(notes, 'frame-of-unknown-interface');
  const high = view.getUint32(start + 12, littleEndian);
  const low = view.getUint32(start + 16, littleEndian);
  const { seconds, nanoseconds } = stampOf(high, low, source);
  return {
    offset: start + 28,
    captured,
    wire: Math.max(wire, captured),
    seconds,
    nanoseconds,
    linkType: source.linkType,
  };
}

function stampOf(
  high: number,
  low: number,
  source: Interface,
): { seconds: number; nanoseconds: number } {
  if (
    source.ticksPerSecond === 1_000_000n &&
    source.offsetSeconds === 0n &&
    high < 0x200000
  ) {
    const micros = high * 0x1_0000_0000 + low;
    const seconds = Math.floor(micros / 1_000_000);
    return { seconds: seconds >>> 0, nanoseconds: (micros - seconds * 1_000_000) * 1000 };
  }
  const ticks = (BigInt(high) << 32n) | BigInt(low);
  const seconds = ticks / source.ticksPerSecond;
  const nanoseconds =
    ((ticks % source.ticksPerSecond) * 1_000_000_000n) / source.ticksPerSecond;
  return {
    seconds: Number(BigInt.asUintN(32, seconds + source.offsetSeconds)),
    nanoseconds: Number(nanoseconds),
  };
}

/** A simple packet has no stamp: all frames of such a capture are at time 0. */
function simplePacketOf(
  queue: ByteQueue,
  state: State,
  block: BlockHead,
  notes: CaptureNotes,
): Frame | 'damaged' | undefined {
  if (block.bytes < 16) return 'damaged';
  const source = state.interfaces[0];
  if (source === undefined) return skip(notes, 'frame-of-unknown-interface');
  const wire = queue.view.getUint32(queue.offset + 8, state.littleEndian);
  const limit = source.snapLength === 0 ? wire : Math.min(wire, source.snapLength);
  return {
    offset: queue.offset + 12,
    captured: Math.min(limit, block.bytes - 16),
    wire,
    seconds: 0,
    nanoseconds: 0,
    linkType: source.linkType,
  };
}
