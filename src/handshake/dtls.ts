// Datagrams of one direction -> the hello messages of DTLS 1.0 to 1.3 in them. RFC 9147 section 4 and 5.2, RFC 6347.

import type { Segment } from '../flow/flow-record.ts';
import { Cursor } from './cursor.ts';
import {
  CLIENT_HELLO,
  type HandshakeMessage,
  isDtls,
  MESSAGE_HEADER_BYTES,
  SERVER_HELLO,
} from './hello.ts';
import { joinPieces, type Piece } from './join.ts';

const RECORD_HANDSHAKE = 22;
const RECORD_HEADER_BYTES = 13;

/** Whether a datagram starts with a plaintext handshake record: STUN, RTP and QUIC share ports with it (RFC 7983). */
export function isDtlsHandshake(datagram: Uint8Array): boolean {
  return (
    datagram.byteLength > RECORD_HEADER_BYTES &&
    datagram[0] === RECORD_HANDSHAKE &&
    isDtls(((datagram[1] ?? 0) << 8) | (datagram[2] ?? 0))
  );
}

/** A message that comes in fragments. */
interface Fragmented {
  readonly type: number;
  readonly length: number;
  readonly pieces: Piece[];
}

/**
 * The hellos of one direction in the order of their numbers, at most `limit`. Fragments may come in any order and more
 * than once. What is given back has the header of TLS (type and length); number and place of the fragment are gone.
 */
export function dtlsHellos(
  datagrams: readonly Segment[],
  limit: number,
): HandshakeMessage[] {
  const messages = new Map<number, Fragmented>();
  for (const { bytes } of datagrams) {
    if (isDtlsHandshake(bytes)) readRecords(new Cursor(bytes), messages, limit);
  }
  return [...messages.keys()]
    .sort((a, b) => a - b)
    .map((number) => messages.get(number))
    .filter((message) => message !== undefined)
    .map(wholeMessage)
    .filter((message) => message !== undefined);
}

function readRecords(
  cursor: Cursor,
  messages: Map<number, Fragmented>,
  limit: number,
): void {
  while (cursor.left > RECORD_HEADER_BYTES) {
    const type = cursor.uint(1);
    cursor.uint(2);
    const epoch = cursor.uint(2);
    // The record's number is 48 bits long.
    cursor.take(6);
    const length = cursor.uint(2) ?? 0;
    const content = new Cursor(cursor.take(length) ?? cursor.rest());
    // Epochs past the first are encrypted.
    if (type !== RECORD_HANDSHAKE || epoch !== 0) continue;
    while (content.left > 0) {
      if (!readFragment(content, messages, limit)) break;
    }
  }
}

function readFragment(
  cursor: Cursor,
  messages: Map<number, Fragmented>,
  limit: number,
): boolean {
  const type = cursor.uint(1);
  const length = cursor.uint(3);
  const number = cursor.uint(2);
  const start = cursor.uint(3);
  const stated = cursor.uint(3);
  if (type === undefined || length === undefined || number === undefined) return false;
  if (start === undefined || stated === undefined) return false;
  const bytes = cursor.take(stated) ?? cursor.rest();
  if (type !== CLIENT_HELLO && type !== SERVER_HELLO) return true;
  let message = messages.get(number);
  if (message === undefined) {
    if (messages.size === limit) return true;
    message = { type, length, pieces: [] };
    messages.set(number, message);
  }
  if (message.type === type && message.length === length && bytes.byteLength > 0) {
    message.pieces.push({ start, bytes });
  }
  return true;
}

function wholeMessage({
  type,
  length,
  pieces,
}: Fragmented): HandshakeMessage | undefined {
  const joined = joinPieces(pieces);
  if (joined.byteLength === 0) return undefined;
  const body = joined.subarray(0, length);
  const bytes = new Uint8Array(MESSAGE_HEADER_BYTES + body.byteLength);
  new DataView(bytes.buffer).setUint32(0, type * 0x100_0000 + length);
  bytes.set(body, MESSAGE_HEADER_BYTES);
  return { type, length, bytes };
}
