// The start of a TLS byte stream -> the handshake messages that stand in it in clear. RFC 8446 section 5, RFC 5246 6.2.

import { Cursor } from './cursor.ts';

const RECORD_CHANGE_CIPHER_SPEC = 20;
const RECORD_HANDSHAKE = 22;
/** RFC 5246 6.2.3: 2^14 plus 2,048 of expansion is the longest record. */
const RECORD_BYTES_MAX = 16_384 + 2_048;
const VERSION_MAJOR = 3;

export const CLIENT_HELLO = 1;
export const SERVER_HELLO = 2;

/** A handshake message; its body may break off where the stream does. */
export interface HandshakeMessage {
  /** HandshakeType, RFC 8446 section 4. */
  readonly type: number;
  /** The body's length as the message states it. */
  readonly length: number;
  readonly body: Uint8Array;
}

/** Whether a stream starts like a TLS handshake record that holds a message of `type`. */
export function startsWithHandshake(stream: Uint8Array, type: number): boolean {
  return (
    stream.byteLength >= 6 &&
    stream[0] === RECORD_HANDSHAKE &&
    stream[1] === VERSION_MAJOR &&
    stream[5] === type
  );
}

/**
 * The hello messages at the head of `stream`, at most `limit`. Reading ends at the first record that is no handshake
 * (a ChangeCipherSpec between two hellos is passed over, RFC 8446 D.4) and at the first message that is no hello: in
 * TLS 1.2 that is the certificate, which no model sees.
 */
export function helloMessages(stream: Uint8Array, limit: number): HandshakeMessage[] {
  const cursor = new Cursor(handshakeBytes(stream));
  const messages: HandshakeMessage[] = [];
  while (messages.length < limit) {
    const type = cursor.uint(1);
    const length = cursor.uint(3);
    if (type !== CLIENT_HELLO && type !== SERVER_HELLO) break;
    if (length === undefined) break;
    const body = cursor.take(length) ?? cursor.rest();
    messages.push({ type, length, body });
    if (body.byteLength < length) break;
  }
  return messages;
}

/** The content of the leading handshake records, joined. */
function handshakeBytes(stream: Uint8Array): Uint8Array {
  const cursor = new Cursor(stream);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const type = cursor.uint(1);
    const version = cursor.uint(2);
    const length = cursor.uint(2);
    if (length === undefined || version === undefined || length > RECORD_BYTES_MAX) break;
    if (version >> 8 !== VERSION_MAJOR) break;
    const content = cursor.take(length) ?? cursor.rest();
    if (type === RECORD_HANDSHAKE) {
      parts.push(content);
      bytes += content.byteLength;
    } else if (type !== RECORD_CHANGE_CIPHER_SPEC) break;
    if (content.byteLength < length) break;
  }
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}
