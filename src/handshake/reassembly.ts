// Payload segments of one direction of a TCP flow -> its bytes from the first on, up to the first gap.

import type { Direction, FlowRecord } from '../flow/flow-record.ts';

interface Placed {
  /** Distance from the stream's first byte; negative for a retransmission from before it. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/**
 * The start of a direction's byte stream: segments out of order, repeated and overlapping are put right (of two copies
 * of a byte the one that starts earlier in the stream wins, RFC 9293 3.10.7.4 leaves it open). Without a SYN the lowest
 * sequence number is taken for the start.
 */
export function streamStart(flow: FlowRecord, direction: Direction): Uint8Array {
  const segments = [...flow.segments()].filter((s) => s.direction === direction);
  const [first] = segments;
  if (first === undefined) return new Uint8Array(0);
  if (segments.length === 1 && flow.initialSequence(direction) === undefined)
    return first.bytes;

  const reference = flow.initialSequence(direction) ?? first.sequence;
  // Distances modulo 2^32, as sequence numbers wrap.
  const placed: Placed[] = segments.map((s) => ({
    start: (s.sequence - reference) | 0,
    bytes: s.bytes,
  }));
  placed.sort((a, b) => a.start - b.start);
  const base =
    flow.initialSequence(direction) === undefined ? (placed[0]?.start ?? 0) : 0;
  return contiguous(placed, base);
}

/** Joins pieces sorted by start; stops where a byte is missing. */
function contiguous(placed: readonly Placed[], base: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let filled = 0;
  for (const piece of placed) {
    const from = piece.start - base;
    if (from > filled) break;
    const fresh = piece.bytes.subarray(filled - from);
    if (fresh.byteLength === 0) continue;
    parts.push(fresh);
    filled += fresh.byteLength;
  }
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const stream = new Uint8Array(filled);
  let at = 0;
  for (const part of parts) {
    stream.set(part, at);
    at += part.byteLength;
  }
  return stream;
}
