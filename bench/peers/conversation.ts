// A recording -> the segments of one TCP flow of a given number of packets: SYN, handshake, rounds of request and
// reply, FIN, with the waits between them.

import type { Draw } from '../../lab/draw.ts';
import type { Recording, Turn, Way } from './recording.ts';

/** What fits into 1500 bytes of IP beside IP header, TCP header and time stamps. */
export const SEGMENT_BYTES = 1448;

const FIN = 1;
export const SYN = 2;
const PSH = 8;
const ACK = 16;

/** A TCP segment that has yet to get its numbers. The object is used again for the next one. */
export interface Segment {
  way: Way;
  flags: number;
  payload: Uint8Array;
  /** Since the segment before. */
  waitUs: number;
}

const EMPTY = new Uint8Array(0);
const LAN_US: readonly [number, number] = [150, 2500];
const WAN_US: readonly [number, number] = [8000, 60_000];
const GAP_US: readonly [number, number] = [100, 1200];
const THINK_US: readonly [number, number] = [50_000, 900_000];
/** SYN, SYN-ACK, ACK before; FIN, FIN, ACK after. */
const FIN_SEGMENTS = 3;
/** Of one reply: fewer in short flows, which end first. */
const REPLY_SEGMENTS: readonly [number, number] = [4, 160];

/** The segments of a flow, exactly `packets` of them unless that is too few for its handshake and one round. */
export function* conversation(
  recording: Recording,
  packets: number,
  draw: Draw,
): Generator<Segment, void, undefined> {
  const segment: Segment = { way: 'up', flags: SYN, payload: EMPTY, waitUs: 0 };
  const bare = (way: Way, flags: number, waits: readonly [number, number]): Segment => {
    segment.way = way;
    segment.flags = flags;
    segment.payload = EMPTY;
    segment.waitUs = draw.whole(...waits);
    return segment;
  };
  const budget = packets - FIN_SEGMENTS;
  let sent = 0;
  let replyAt = 0;

  function* speak(turn: Turn, first: readonly [number, number]): Generator<Segment> {
    const { way, bytes } = turn;
    for (let at = 0, n = 0; at < bytes.byteLength; n++) {
      const end = Math.min(at + SEGMENT_BYTES, bytes.byteLength);
      bare(way, end === bytes.byteLength ? ACK | PSH : ACK, n === 0 ? first : GAP_US);
      segment.payload = bytes.subarray(at, end);
      at = end;
      sent++;
      yield segment;
      // RFC 9293 section 3.8.6.3: an ACK for every second full segment.
      if (way === 'down' && n % 2 === 1 && sent < budget) {
        sent++;
        yield bare('up', ACK, LAN_US);
      }
    }
  }

  yield bare('up', SYN, [0, 0]);
  yield bare('down', SYN | ACK, WAN_US);
  yield bare('up', ACK, LAN_US);
  sent = 3;
  for (const turn of recording.handshake) {
    yield* speak(turn, turn.way === 'up' ? LAN_US : WAN_US);
  }
  do {
    yield* speak({ way: 'up', bytes: recording.request }, THINK_US);
    const room = Math.max(1, budget - sent);
    const wanted = Math.min(fittingSegments(room), draw.whole(...REPLY_SEGMENTS));
    const length = wanted * SEGMENT_BYTES - draw.whole(0, SEGMENT_BYTES - 60);
    // Up to the last record's end, then again from the first: records stay in step.
    const bytes = recording.reply.subarray(replyAt, replyAt + length);
    replyAt = (replyAt + bytes.byteLength) % recording.reply.byteLength;
    yield* speak({ way: 'down', bytes }, WAN_US);
    // One segment left makes no round of two: an ACK uses it up.
    if (budget - sent === 1) {
      sent++;
      yield bare('up', ACK, LAN_US);
    }
  } while (sent < budget);
  yield bare('up', FIN | ACK, LAN_US);
  yield bare('down', FIN | ACK, WAN_US);
  yield bare('up', ACK, LAN_US);
}

/** The most segments that fit into `room` packets together with their ACKs. */
function fittingSegments(room: number): number {
  return Math.max(1, Math.ceil((room * 2) / 3));
}
