// Payload segments of one direction of a TCP flow -> its bytes from the first on, up to the first gap.

import type { Direction, FlowRecord, Segment } from '../flow/flow-record.ts';
import { joinPieces } from './join.ts';

/**
 * The start of a direction's byte stream. Without a SYN the lowest sequence number is taken for the start: a capture that
 * began in the middle of a flow cannot tell what it has missed.
 *
 * @param segments those of this direction, in the order that they came
 */
export function streamStart(
  flow: FlowRecord,
  direction: Direction,
  segments: readonly Segment[],
): Uint8Array {
  const [first] = segments;
  if (first === undefined) return new Uint8Array(0);
  const initial = flow.initialSequence(direction);
  if (segments.length === 1 && (initial === undefined || initial === first.sequence))
    return first.bytes;
  const reference = initial ?? first.sequence;
  // Distances modulo 2^32, as sequence numbers wrap.
  const starts = segments.map(({ sequence }) => (sequence - reference) | 0);
  const base = initial === undefined ? starts.reduce((a, b) => Math.min(a, b)) : 0;
  return joinPieces(
    segments.map(({ bytes }, i) => ({ start: (starts[i] ?? 0) - base, bytes })),
  );
}
