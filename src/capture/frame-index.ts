// The index that goes with a block of frames: where each frame lies and when it was seen.

/** Numbers of the index per frame: offset in the block, captured length, wire length, seconds, nanoseconds. */
export const INDEX_WORDS = 5;

/** Frames of one link type inside one buffer. Valid until its reader is asked for the next block. */
export interface FrameBlock {
  readonly bytes: Uint8Array;
  /** `frames` x INDEX_WORDS numbers; what lies behind is stale. */
  readonly index: Uint32Array;
  readonly frames: number;
  /** LINKTYPE_ value of the capture formats. */
  readonly linkType: number;
}
