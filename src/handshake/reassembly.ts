// Payload segments of one direction of a TCP flow -> its bytes from the first on, up to the first gap.

import type { Direction, FlowRecord, Segment } from '../flow/flow-record.ts';
import { joinPieces } from './join.ts';

/**
 * The start of a direction's byte stream. Without a SYN the lowest sequence number is taken for the start: a capture that
 * began in the middle of a flow cannot tell what it has missed. So it is where nothing follows on the SYN that was seen,
 * as another one, with other numbers, may have been answered.
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
  if (segments.length === 1) return first.bytes;
  const reference = initial ?? first.sequence;
  // Distances modulo 2^32, as sequence numbers wrap.
  const starts = segments.map(({ sequence }) => (sequence - reference) | 0);
  const from = (base: number): Uint8Array =>
    joinPieces(
      segments.map(({ bytes }, i) => ({ start: (starts[i] ?? 0) - base, bytes })),
    );
  const stream = initial === undefined ? undefined : from(0);
  if (stream !== undefined && stream.byteLength > 0) return stream;
  return from(starts.reduce((a, b) => Math.min(a, b)));
}
