// The keys of Initial packets, which anyone can derive who has seen the client's first one: RFC 9001 section 5.2.

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { QuicVersion } from './quic-versions.ts';

/** One side's. */
export interface InitialKeys {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  /** For header protection. */
  readonly hp: Uint8Array;
}

export type Side = 'client' | 'server';

/** AEAD_AES_128_GCM, whatever the handshake agrees on. */
const KEY_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HASH_BYTES = 32;
/** Header protection looks at these, 4 bytes behind where the packet number begins (RFC 9001 5.4.2). */
const SAMPLE_AT = 4;
const SAMPLE_BYTES = 16;

const hmac = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(data).digest();

/**
 * The keys that a side protects its Initial packets with.
 *
 * @param connectionId Destination Connection ID of the client's first Initial packet
 */
export function initialKeys(
  version: QuicVersion,
  connectionId: Uint8Array,
  side: Side,
): InitialKeys {
  // HKDF-Extract is an HMAC whose key is the salt (RFC 5869 2.2).
  const initial = hmac(version.salt, connectionId);
  const secret = expandLabel(initial, `${side} in`, HASH_BYTES);
  return {
    key: expandLabel(secret, `${version.label}key`, KEY_BYTES),
    iv: expandLabel(secret, `${version.label}iv`, IV_BYTES),
    hp: expandLabel(secret, `${version.label}hp`, KEY_BYTES),
  };
}

/** HKDF-Expand-Label, RFC 8446 7.1, without context; one block of output is enough for all that is asked for. */
function expandLabel(secret: Uint8Array, label: string, length: number): Uint8Array {
  return hmac(secret, labelInfo(label, length)).subarray(0, length);
}

const infos = new Map<string, Uint8Array>();

/** The same few for every flow. */
function labelInfo(label: string, length: number): Uint8Array {
  const known = infos.get(label);
  if (known !== undefined) return known;
  const name = `tls13 ${label}`;
  const info = Buffer.alloc(2 + 1 + name.length + 1 + 1);
  info.writeUInt16BE(length, 0);
  info.writeUInt8(name.length, 2);
  info.write(name, 3, 'latin1');
  // No context; then the number of the block.
  info.writeUInt8(1, info.byteLength - 1);
  infos.set(label, info);
  return info;
}

/** An Initial packet as it lies in its datagram. */
export interface ProtectedPacket {
  /** From its first byte on to its end. */
  readonly bytes: Uint8Array;
  /** Where the packet number begins. */
  readonly numberAt: number;
  /** The capture lacks its end, and so the tag that proves it. */
  readonly cut: boolean;
}

/**
 * Takes header protection and AEAD off (RFC 9001 5.3 and 5.4). undefined: these are not its keys, or it is too short.
 * Of a packet that was cut what is there is decrypted unproven; with the wrong keys that is noise.
 */
export function openInitial(
  packet: ProtectedPacket,
  keys: InitialKeys,
): Uint8Array | undefined {
  const { bytes, numberAt, cut } = packet;
  const sampleAt = numberAt + SAMPLE_AT;
  if (bytes.byteLength < sampleAt + SAMPLE_BYTES) return undefined;
  const mask = headerMask(keys.hp, bytes.subarray(sampleAt, sampleAt + SAMPLE_BYTES));
  const first = (bytes[0] ?? 0) ^ ((mask[0] ?? 0) & 0x0f);
  const numberBytes = (first & 3) + 1;
  const bodyAt = numberAt + numberBytes;
  const header = bytes.slice(0, bodyAt);
  header[0] = first;
  const nonce = Uint8Array.from(keys.iv);
  for (let i = 0; i < numberBytes; i++) {
    const byte = (bytes[numberAt + i] ?? 0) ^ (mask[1 + i] ?? 0);
    header[numberAt + i] = byte;
    const at = IV_BYTES - numberBytes + i;
    nonce[at] = (nonce[at] ?? 0) ^ byte;
  }
  const end = cut ? bytes.byteLength : bytes.byteLength - TAG_BYTES;
  if (end < bodyAt) return undefined;
  const decipher = createDecipheriv('aes-128-gcm', keys.key, nonce);
  decipher.setAAD(header);
  const plain = decipher.update(bytes.subarray(bodyAt, end));
  if (cut) return plain;
  decipher.setAuthTag(bytes.subarray(end));
  try {
    decipher.final();
  } catch {
    // The only way that node:crypto tells of a tag that does not fit.
    return undefined;
  }
  return plain;
}

function headerMask(key: Uint8Array, sample: Uint8Array): Uint8Array {
  return createCipheriv('aes-128-ecb', key, null).update(sample);
}
