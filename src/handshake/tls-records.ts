// The start of a TLS byte stream -> the handshake messages that stand in it in clear. RFC 8446 section 5, RFC 5246 6.2.

import { Cursor } from './cursor.ts';
import { CLIENT_HELLO, type HandshakeMessage, SERVER_HELLO } from './hello.ts';
import { concatenate } from './join.ts';

const RECORD_CHANGE_CIPHER_SPEC = 20;
const RECORD_HANDSHAKE = 22;
const RECORD_HEADER_BYTES = 5;
/** RFC 5246 6.2.3: 2^14 plus 2,048 of expansion is the longest record. */
const RECORD_BYTES_MAX = 16_384 + 2_048;
const VERSION_MAJOR = 3;
const VERSION_MINOR_MAX = 4;
/** Version, random, lengths of session id, suites and compression: no hello has fewer bytes (RFC 8446 4.1.2). */
const HELLO_BYTES_LEAST = 2 + 32 + 1 + 2 + 1;
/** Where a hello's version stands, from the record's start on: behind both headers. */
const HELLO_VERSION_AT = RECORD_HEADER_BYTES + 4;
const SESSION_ID_AT = HELLO_VERSION_AT + 2 + 32;
const SESSION_ID_BYTES_MAX = 32;

/**
 * Where TLS begins in a stream: at the first record that holds a hello of `type`. Mostly that is 0; behind a STARTTLS, an
 * HTTP CONNECT, a SOCKS or a PROXY preamble it is the end of what went before. undefined: nowhere in these bytes.
 */
export function tlsStart(stream: Uint8Array, type: number): number | undefined {
  if (startsWithHello(stream, type)) return 0;
  for (let at = stream.indexOf(RECORD_HANDSHAKE); at >= 0; ) {
    if (isHello(stream, at, type)) return at;
    at = stream.indexOf(RECORD_HANDSHAKE, at + 1);
  }
  return undefined;
}

/** At the stream's very start little is asked for, so that a hello of which only the first bytes are there is found. */
function startsWithHello(stream: Uint8Array, type: number): boolean {
  return (
    stream.byteLength > RECORD_HEADER_BYTES &&
    stream[0] === RECORD_HANDSHAKE &&
    stream[1] === VERSION_MAJOR &&
    stream[RECORD_HEADER_BYTES] === type
  );
}

/** Elsewhere every field that has to be so is looked at: some 50 bits, which chance does not give. */
function isHello(stream: Uint8Array, at: number, type: number): boolean {
  const byte = (offset: number): number => stream[at + offset] ?? -1;
  const isVersion = (offset: number): boolean =>
    byte(offset) === VERSION_MAJOR && byte(offset + 1) <= VERSION_MINOR_MAX;
  if (at + SESSION_ID_AT >= stream.byteLength) return false;
  if (!isVersion(1) || !isVersion(HELLO_VERSION_AT)) return false;
  const recordBytes = byte(3) * 256 + byte(4);
  const messageBytes = byte(7) * 256 + byte(8);
  return (
    byte(RECORD_HEADER_BYTES) === type &&
    byte(6) === 0 &&
    messageBytes >= HELLO_BYTES_LEAST &&
    recordBytes <= RECORD_BYTES_MAX &&
    byte(SESSION_ID_AT) <= SESSION_ID_BYTES_MAX
  );
}

/**
 * The hello messages at the head of `stream`, at most `limit`. Reading ends at the first record that is no handshake
 * (a ChangeCipherSpec between two hellos is passed over, RFC 8446 D.4) and at the first message that is no hello: in
 * TLS 1.2 that is the certificate, which no model sees.
 */
export function recordHellos(stream: Uint8Array, limit: number): HandshakeMessage[] {
  return helloMessages(handshakeBytes(stream), limit);
}

/** The hello messages at the head of a stream of handshake messages without records, as CRYPTO frames carry it. */
export function helloMessages(stream: Uint8Array, limit: number): HandshakeMessage[] {
  const cursor = new Cursor(stream);
  const messages: HandshakeMessage[] = [];
  while (messages.length < limit) {
    const from = cursor.at;
    const type = cursor.uint(1);
    const length = cursor.uint(3);
    if (type !== CLIENT_HELLO && type !== SERVER_HELLO) break;
    if (length === undefined) break;
    const body = cursor.take(length) ?? cursor.rest();
    // Behind a ChangeCipherSpec of TLS 1.2 a handshake record is encrypted, and may look like a hello by chance.
    if (messages.length > 0 && body[0] !== VERSION_MAJOR) break;
    messages.push({ type, length, bytes: stream.subarray(from, cursor.at) });
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
  return concatenate(parts, bytes);
}
