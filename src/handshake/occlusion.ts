// A hello -> the bytes that a model may see: what names the server (canary fields) is occluded. Paper 3.1 and 3.3.
//
// The hello is written anew rather than blanked in place, because a blanked field still tells its length: of an occluded
// field neither content nor length is left, and every length that would count it in is computed again. What comes out is a
// well-formed hello, which any dissector reads, and occluding it again changes nothing. Byte by byte:
//
//   1  message type            kept
//   3  length                  of what is written here
//   2  version                 kept
//   32 random                  zeros; of a HelloRetryRequest kept, it is the constant that tells one
//   1+ session id              empty
//   1+ cookie (DTLS)           empty
//   2+ cipher suites           client: an empty list, server: zeros; shown: the list, GREASE made one value
//   1+ compression methods     kept
//   2+ extensions              length of what is written here; then in the order of the wire for each:
//        2 type                kept, GREASE made one value
//        2 length              of what is written here
//          body                kept, GREASE made one value, where it describes the software (occlusion-extensions.ts);
//                              key_share: groups with keys of no bytes; QUIC's transport parameters: ids, and values
//                              that are limits (occlusion-transport.ts); of all others nothing
//      padding                 absent altogether: whether it is there depends on the length of the SNI (RFC 7685)
//
// Nothing behind the hellos is read, so no certificate either. Departs from paper: no IP and TCP header bytes are fed at
// all (they are shortcuts), and the SNI is empty where the authors' code puts random bytes of random length.

import type { CanaryField, OcclusionOptions } from './canary.ts';
import type { GquicHello } from './gquic.ts';
import {
  EXTENSION,
  type Extension,
  type Hello,
  isGrease,
  MESSAGE_HEADER_BYTES,
} from './hello.ts';
import { GREASE, listWithoutGrease, occludeBody } from './occlusion-extensions.ts';
import { occludeChlo } from './occlusion-gquic.ts';
import { type Stretch, Walk } from './occlusion-walk.ts';

/** Raised whenever the same hello gives other bytes; stands in every bundle's manifest. */
export const OCCLUSION_VERSION = 2;

const VERSION_BYTES = 2;
const SUITE_BYTES = 2;
const NO_RANDOM = new Uint8Array(32);
const NO_SUITE = new Uint8Array(SUITE_BYTES);
const NO_BYTE = new Uint8Array(1);

/**
 * Writes the occluded message into `into` as far as that goes, and returns how many bytes the whole of it has. Two hellos
 * that differ in canary fields alone, by content or length, give the same bytes.
 *
 * @param stretches takes what became of each stretch of the message, if wanted; together they cover it
 */
export function occlude(
  hello: Hello | GquicHello,
  { shown }: OcclusionOptions,
  into: Uint8Array,
  stretches?: Stretch[],
): number {
  const walk = new Walk(hello.message, into, stretches);
  if (hello.kind === 'chlo') occludeChlo(walk, hello, shown);
  else occludeHello(walk, hello, shown);
  return walk.written;
}

function occludeHello(walk: Walk, hello: Hello, shown: readonly CanaryField[]): void {
  const { kind, sessionId, cookie, compression, extensions, rest } = hello;
  const client = kind === 'client';
  // Fields end here; what is behind could not be read.
  const end = hello.message.byteLength - rest.byteLength;
  walk.keep(1);
  const length = walk.open(MESSAGE_HEADER_BYTES - 1, 3);
  walk.keep(VERSION_BYTES);
  if (kind === 'retry' || shown.includes('random')) walk.keep(hello.random.byteLength);
  else walk.replace(hello.random.byteLength, NO_RANDOM, 'random');
  const vector = (content: Uint8Array, field: CanaryField): void => {
    const present = walk.read < end;
    const size = walk.open(present ? 1 : 0, 1);
    if (shown.includes(field)) walk.keep(content.byteLength);
    else walk.hide(content.byteLength, field);
    walk.close(size);
  };
  vector(sessionId, 'sessionId');
  if (cookie !== undefined) vector(cookie, 'cookie');
  occludeSuites(walk, hello, { end, shown: shown.includes('cipherInfo') });
  if (walk.read >= end) walk.replace(0, NO_BYTE);
  else walk.keep((client ? 1 : 0) + compression.byteLength);
  if (extensions !== undefined) {
    const list = walk.open(2, 2);
    for (const extension of extensions) occludeExtension(walk, extension, hello, shown);
    walk.close(list);
  }
  walk.hide(rest.byteLength, 'unreadable');
  walk.close(length);
}

function occludeSuites(
  walk: Walk,
  { kind, cipherSuites }: Hello,
  { end, shown }: { readonly end: number; readonly shown: boolean },
): void {
  const present = walk.read < end;
  if (kind === 'client') {
    const list = walk.open(present ? 2 : 0, 2);
    if (shown) walk.replace(cipherSuites.byteLength, listWithoutGrease(cipherSuites, 0));
    else walk.hide(cipherSuites.byteLength, 'cipherInfo');
    walk.close(list);
  } else if (shown && present) {
    walk.keep(cipherSuites.byteLength);
  } else {
    walk.replace(cipherSuites.byteLength, NO_SUITE, 'cipherInfo');
  }
}

function occludeExtension(
  walk: Walk,
  extension: Extension,
  hello: Hello,
  shown: readonly CanaryField[],
): void {
  const { type, body } = extension;
  if (type === EXTENSION.padding && !shown.includes('padding')) {
    walk.hide(4 + body.byteLength, 'padding');
    return;
  }
  walk.number(2, isGrease(type) ? GREASE : type, 2);
  const length = walk.open(2, 2);
  occludeBody(walk, extension, hello, shown);
  walk.close(length);
}
