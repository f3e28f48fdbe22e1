// The plain payload of an Initial packet -> the pieces of the handshake that its CRYPTO frames hold. RFC 9000 section 19.

import { Cursor } from './cursor.ts';
import type { Piece } from './join.ts';

const PADDING = 0x00;
const PING = 0x01;
const ACK = 0x02;
const ACK_ECN = 0x03;
const CRYPTO = 0x06;
const CONNECTION_CLOSE = 0x1c;

/**
 * Adds what it finds to `pieces`; reading ends at a frame that no Initial packet may have (RFC 9000 17.2.2).
 *
 * @param cryptoFrame their type in this version
 */
export function readCryptoFrames(
  payload: Uint8Array,
  cryptoFrame: number,
  pieces: Piece[],
): void {
  const cursor = new Cursor(payload);
  for (;;) {
    const type = cursor.uint(1);
    switch (type) {
      case PADDING:
        cursor.skipZeros();
        break;
      case PING:
        break;
      case ACK:
      case ACK_ECN:
        if (!skipAck(cursor, type === ACK_ECN)) return;
        break;
      case cryptoFrame:
        if (!readCrypto(cursor, pieces)) return;
        break;
      case CONNECTION_CLOSE:
        if (!skipClose(cursor)) return;
        break;
      default:
        // Google's versions between gQUIC and IETF QUIC acknowledge in the way of the former.
        if (cryptoFrame === CRYPTO || !skipGoogleAck(cursor, type ?? 0)) return;
    }
  }
}

function readCrypto(cursor: Cursor, pieces: Piece[]): boolean {
  const start = cursor.varint();
  const length = cursor.varint();
  if (start === undefined || length === undefined) return false;
  // Of a packet that the capture cut, the last frame is taken as far as it goes.
  const bytes = cursor.take(length) ?? cursor.rest();
  if (bytes.byteLength > 0) pieces.push({ start, bytes });
  return bytes.byteLength === length;
}

/** RFC 9000 19.3. */
function skipAck(cursor: Cursor, ecn: boolean): boolean {
  cursor.varint();
  cursor.varint();
  const ranges = cursor.varint();
  if (ranges === undefined || cursor.varint() === undefined) return false;
  for (let i = 0; i < ranges; i++) {
    if (cursor.varint() === undefined || cursor.varint() === undefined) return false;
  }
  if (!ecn) return true;
  cursor.varint();
  cursor.varint();
  return cursor.varint() !== undefined;
}

/** RFC 9000 19.19. */
function skipClose(cursor: Cursor): boolean {
  cursor.varint();
  cursor.varint();
  const reason = cursor.varint();
  return reason !== undefined && cursor.take(reason) !== undefined;
}

const GOOGLE_ACK = 0x40;
const GOOGLE_ACK_BLOCKS = 0x20;
/** What two bits of the type say of the width of a packet number. */
const GOOGLE_NUMBER_BYTES = [1, 2, 4, 6] as const;

/** 01ntllmm of "QUIC Wire Layout Specification": largest number, delay, blocks, timestamps. */
function skipGoogleAck(cursor: Cursor, type: number): boolean {
  if ((type & 0xc0) !== GOOGLE_ACK) return false;
  const largestBytes = GOOGLE_NUMBER_BYTES[(type >> 2) & 3] ?? 1;
  const blockBytes = GOOGLE_NUMBER_BYTES[type & 3] ?? 1;
  const delayBytes = 2;
  if (cursor.take(largestBytes + delayBytes) === undefined) return false;
  const blocks = (type & GOOGLE_ACK_BLOCKS) === 0 ? 0 : cursor.uint(1);
  if (blocks === undefined) return false;
  if (cursor.take(blockBytes + blocks * (1 + blockBytes)) === undefined) return false;
  const stamps = cursor.uint(1);
  if (stamps === undefined) return false;
  // The first one has four bytes of time, the others two.
  return cursor.take(stamps === 0 ? 0 : 5 + 3 * (stamps - 1)) !== undefined;
}
