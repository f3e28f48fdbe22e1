// The index that goes with a block of frames: where each frame lies and when it was seen.

/** Numbers of the index per frame: offset in the block, captured length, wire length, seconds, nanoseconds. */
export const INDEX_WORDS = 5;
/** Frames of one block at most: bounds the index at 160 KiB. */
const BLOCK_FRAMES_MAX = 8192;

/** Frames of one link type inside one buffer. Valid until its reader is asked for the next block. */
export interface FrameBlock {
  readonly bytes: Uint8Array;
  /** `frames` x INDEX_WORDS numbers; what lies behind is stale. */
  readonly index: Uint32Array;
  readonly frames: number;
  /** LINKTYPE_ value of the capture formats. */
  readonly linkType: number;
}

/** Collects the frames of one block. */
export class BlockSink {
  frames = 0;
  readonly #index: Uint32Array;
  readonly #bytes: Uint8Array;
  /** Of all frames added. */
  linkType: number;

  constructor(bytes: Uint8Array, index: Uint32Array, linkType: number) {
    this.#bytes = bytes;
    this.#index = index;
    this.linkType = linkType;
  }

  get full(): boolean {
    return this.frames === BLOCK_FRAMES_MAX;
  }

  /** Adds one frame; `offset` counts from the block's first byte. The caller has checked `full`. */
  add(
    offset: number,
    captured: number,
    wire: number,
    seconds: number,
    nanoseconds: number,
  ): void {
    const index = this.#index;
    const at = this.frames * INDEX_WORDS;
    index[at] = offset;
    index[at + 1] = captured;
    index[at + 2] = wire;
    index[at + 3] = seconds;
    index[at + 4] = nanoseconds;
    this.frames++;
  }

  block(): FrameBlock {
    return {
      bytes: this.#bytes,
      index: this.#index,
      frames: this.frames,
      linkType: this.linkType,
    };
  }
}

/** One index buffer used for block after block. */
export class FrameIndex {
  readonly #index = new Uint32Array(BLOCK_FRAMES_MAX * INDEX_WORDS);

  start(bytes: Uint8Array, linkType = 0): BlockSink {
    return new BlockSink(bytes, this.#index, linkType);
  }
}
