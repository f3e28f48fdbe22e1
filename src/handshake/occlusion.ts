// A hello -> the bytes that a model may see: what names the server (canary fields) is occluded. Paper 3.1 and 3.3.
//
// The hello is written anew rather than blanked in place, because a blanked field still tells its length: of an occluded
// field neither content nor length is left, and every length that would count it in is computed again. Byte by byte:
//
//   1  message type            kept (a HelloRetryRequest is 6, its type before RFC 8446)
//   3  length                  of what is written here
//   2  version                 kept
//   32 random                  occluded: absent
//      session id              occluded: absent
//   2+ cipher suites           length and list, GREASE made one value; with `cipherInfo` off: absent
//   1+ compression methods     kept
//   2+ extensions              length of what is written here; then in the order of the wire for each:
//        2 type                kept, GREASE made one value
//        2 length              of what is written here
//          body                kept for KEPT_BODIES; key_share keeps its groups; of all others nothing (SNI, tickets,
//                              PSKs, cookies, ECH, what is not known)
//      padding                 absent altogether: whether it is there depends on the length of the SNI (RFC 7685)
//
// Departs from paper: no IP and TCP header bytes are fed at all (they are shortcuts), and the SNI is absent where the
// authors' code puts random bytes of random length.

import { uint16s } from './cursor.ts';
import { EXTENSION, type Extension, type Hello, isGrease } from './hello.ts';
import { CLIENT_HELLO, SERVER_HELLO } from './tls-records.ts';

/** Raised whenever the same hello gives other bytes; stands in every bundle's manifest. */
export const OCCLUSION_VERSION = 1;

/** What of the canary fields can be switched. */
export interface OcclusionOptions {
  /** Whether cipher suites, offered and chosen, are shown. */
  readonly cipherInfo: boolean;
}

/** RFC 8701's first value stands for all of them. */
const GREASE = 0x0a0a;
/** HandshakeType hello_retry_request as drafts of TLS 1.3 had it: one value tells it from a ServerHello. */
const RETRY_TYPE = 6;

/** Extensions whose body describes the software, not the server. Lists of 16-bit code points may hold GREASE. */
const KEPT_BODIES = new Set<number>([
  EXTENSION.statusRequest,
  EXTENSION.supportedGroups,
  EXTENSION.ecPointFormats,
  EXTENSION.signatureAlgorithms,
  EXTENSION.alpn,
  EXTENSION.signedCertificateTimestamp,
  EXTENSION.encryptThenMac,
  EXTENSION.extendedMasterSecret,
  EXTENSION.compressCertificate,
  EXTENSION.recordSizeLimit,
  EXTENSION.delegatedCredential,
  EXTENSION.supportedVersions,
  EXTENSION.pskKeyExchangeModes,
  EXTENSION.postHandshakeAuth,
  EXTENSION.signatureAlgorithmsCert,
  EXTENSION.nextProtocolNegotiation,
  EXTENSION.applicationSettings,
  EXTENSION.applicationSettingsNew,
]);

/** Writes big-endian fields into a fixed space; what does not fit is left out. */
class Writer {
  #at: number;
  readonly #into: Uint8Array;

  constructor(into: Uint8Array) {
    this.#into = into;
    this.#at = 0;
  }

  uint(value: number, width: 1 | 2 | 3): void {
    for (let shift = 8 * (width - 1); shift >= 0; shift -= 8)
      this.#put((value >> shift) & 0xff);
  }

  bytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.#put(byte);
  }

  #put(byte: number): void {
    if (this.#at < this.#into.byteLength) this.#into[this.#at++] = byte;
  }
}

/**
 * Writes the occluded message into `into` (zero-filled by the caller, its length the bound) and returns nothing else:
 * two hellos that differ in canary fields alone, by content or length, give the same bytes.
 */
export function occlude(hello: Hello, options: OcclusionOptions, into: Uint8Array): void {
  const client = hello.kind === 'client';
  const suites = options.cipherInfo ? withoutGrease(hello.cipherSuites, 0) : undefined;
  const extensions = hello.extensions
    .filter((extension) => extension.type !== EXTENSION.padding)
    .map((extension) => ({ type: extension.type, body: visibleBody(extension, client) }));
  const extensionBytes = extensions.reduce((sum, e) => sum + 4 + e.body.byteLength, 0);
  const suiteBytes = suites === undefined ? 0 : (client ? 2 : 0) + suites.byteLength;
  const compressionBytes = (client ? 1 : 0) + hello.compression.byteLength;

  const writer = new Writer(into);
  writer.uint(
    client ? CLIENT_HELLO : hello.kind === 'retry' ? RETRY_TYPE : SERVER_HELLO,
    1,
  );
  writer.uint(2 + suiteBytes + compressionBytes + 2 + extensionBytes, 3);
  writer.uint(hello.legacyVersion, 2);
  if (suites !== undefined) {
    if (client) writer.uint(suites.byteLength, 2);
    writer.bytes(suites);
  }
  if (client) writer.uint(hello.compression.byteLength, 1);
  writer.bytes(hello.compression);
  writer.uint(extensionBytes, 2);
  for (const { type, body } of extensions) {
    writer.uint(isGrease(type) ? GREASE : type, 2);
    writer.uint(body.byteLength, 2);
    writer.bytes(body);
  }
}

/** What a model sees of an extension's body. */
function visibleBody(extension: Extension, client: boolean): Uint8Array {
  const { type, body } = extension;
  if (type === EXTENSION.keyShare) return keyShareGroups(body, client);
  if (!KEPT_BODIES.has(type)) return new Uint8Array(0);
  if (type === EXTENSION.supportedGroups) return withoutGrease(body, 2);
  if (type === EXTENSION.supportedVersions && client) return withoutGrease(body, 1);
  if (type === EXTENSION.signatureAlgorithms) return withoutGrease(body, 2);
  if (type === EXTENSION.alpn) return withoutGreaseNames(body);
  return body;
}

/** A list of 16-bit code points behind `offset` bytes, GREASE values made one. */
function withoutGrease(list: Uint8Array, offset: number): Uint8Array {
  const plain = list.slice();
  for (let i = offset; i + 1 < plain.byteLength; i += 2) {
    if (isGrease(((plain[i] ?? 0) << 8) | (plain[i + 1] ?? 0))) {
      plain[i] = GREASE >> 8;
      plain[i + 1] = GREASE & 0xff;
    }
  }
  return plain;
}

/** RFC 8701 section 3.1: ALPN too may hold a GREASE name, two bytes long. */
function withoutGreaseNames(body: Uint8Array): Uint8Array {
  const plain = body.slice();
  for (let at = 2; at < plain.byteLength; at += 1 + (plain[at] ?? 0)) {
    const name = plain.subarray(at + 1, at + 1 + (plain[at] ?? 0));
    if (name.byteLength === 2 && isGrease(((name[0] ?? 0) << 8) | (name[1] ?? 0))) {
      name[0] = GREASE >> 8;
      name[1] = GREASE & 0xff;
    }
  }
  return plain;
}

/**
 * The groups of key_share (RFC 8446 4.2.8) without keys. Client: entries behind a 2-byte length; server: one entry, and
 * in a HelloRetryRequest the group alone.
 */
function keyShareGroups(body: Uint8Array, client: boolean): Uint8Array {
  if (!client) return body.slice(0, 2);
  const groups: number[] = [];
  for (let at = 2; at + 4 <= body.byteLength; ) {
    const [group, length] = uint16s(body.subarray(at, at + 4));
    if (group === undefined || length === undefined) break;
    const shown = isGrease(group) ? GREASE : group;
    groups.push(shown >> 8, shown & 0xff);
    at += 4 + length;
  }
  return Uint8Array.from(groups);
}
