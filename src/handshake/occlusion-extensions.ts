// The body of an extension -> what a model may see of it.

import type { CanaryField } from './canary.ts';
import { uint16s } from './cursor.ts';
import { EXTENSION, type Extension, type Hello, isGrease } from './hello.ts';
import { occludeTransportParameters } from './occlusion-transport.ts';
import type { Walk } from './occlusion-walk.ts';

/** RFC 8701's first value stands for all of them: which one a client draws means nothing. */
export const GREASE = 0x0a0a;

/** Extensions whose body describes the software, not the server. */
const KEPT_BODIES: ReadonlySet<number> = new Set([
  EXTENSION.statusRequest,
  EXTENSION.supportedGroups,
  EXTENSION.ecPointFormats,
  EXTENSION.signatureAlgorithms,
  EXTENSION.useSrtp,
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

/** Those whose body is a canary field. */
const CANARY_BODIES: ReadonlyMap<number, CanaryField> = new Map([
  [EXTENSION.serverName, 'serverName'],
  [EXTENSION.sessionTicket, 'tickets'],
  [EXTENSION.preSharedKey, 'tickets'],
  [EXTENSION.cookie, 'cookie'],
  [EXTENSION.encryptedClientHello, 'encryptedHello'],
  [EXTENSION.encryptedServerName, 'encryptedHello'],
  [EXTENSION.padding, 'padding'],
]);

/** Writes what may be seen of a body; all of it is walked over. */
export function occludeBody(
  walk: Walk,
  extension: Extension,
  hello: Hello,
  shown: readonly CanaryField[],
): void {
  const { type, body } = extension;
  if (type === EXTENSION.keyShare) {
    occludeKeyShares(walk, body, hello.kind, shown.includes('keyShares'));
  } else if (
    type === EXTENSION.quicTransportParameters ||
    type === EXTENSION.quicTransportParametersDraft
  ) {
    occludeTransportParameters(walk, body, shown);
  } else if (KEPT_BODIES.has(type)) {
    walk.replace(body.byteLength, withoutGrease(type, body, hello.kind));
  } else {
    const field = CANARY_BODIES.get(type) ?? 'otherBodies';
    if (shown.includes(field)) walk.keep(body.byteLength);
    else walk.hide(body.byteLength, field);
  }
}

/** A body whose code points may be reserved ones, these made one value. */
function withoutGrease(type: number, body: Uint8Array, kind: Hello['kind']): Uint8Array {
  switch (type) {
    case EXTENSION.supportedGroups:
    case EXTENSION.signatureAlgorithms:
      return listWithoutGrease(body, 2);
    case EXTENSION.supportedVersions:
      return kind === 'client' ? listWithoutGrease(body, 1) : body;
    case EXTENSION.alpn:
      return namesWithoutGrease(body);
    default:
      return body;
  }
}

/** A list of 16-bit code points behind `offset` bytes. */
export function listWithoutGrease(list: Uint8Array, offset: number): Uint8Array {
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
function namesWithoutGrease(body: Uint8Array): Uint8Array {
  const plain = body.slice();
  for (let at = 2; at < plain.byteLength; at += 1 + (plain[at] ?? 0)) {
    const name = plain.subarray(at + 1, at + 1 + (plain[at] ?? 0));
    if (name.byteLength === 2) name.set(listWithoutGrease(name, 0));
  }
  return plain;
}

/**
 * The groups of key_share (RFC 8446 4.2.8), each with a key of no bytes. Client: entries behind a 2-byte length; server:
 * one entry, and in a HelloRetryRequest the group alone.
 */
function occludeKeyShares(
  walk: Walk,
  body: Uint8Array,
  kind: Hello['kind'],
  shown: boolean,
): void {
  const client = kind === 'client';
  const end = walk.read + body.byteLength;
  const list = client && body.byteLength >= 2 ? walk.open(2, 2) : undefined;
  for (let at = list === undefined ? 0 : 2; at + 2 <= body.byteLength; ) {
    const [group = 0, length] = uint16s(body.subarray(at, at + 4));
    if (length !== undefined && at + 4 + length > body.byteLength) break;
    walk.number(2, isGrease(group) ? GREASE : group, 2);
    at += 2;
    if (length === undefined) break;
    const key = walk.open(2, 2);
    if (shown) walk.keep(length);
    else walk.hide(length, 'keyShares');
    walk.close(key);
    at += 2 + length;
  }
  if (list !== undefined) walk.close(list);
  // Entries that break off.
  walk.hide(end - walk.read, 'unreadable');
}
