// Signatures in minisign's format: text of a key or a signature -> checked fields; bytes + key -> signature, verified.
// Format: https://jedisct1.github.io/minisign/#signature-format. Ed25519 and BLAKE2b-512 are node:crypto's.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { BundleError, InputError } from '../errors.ts';

/** Signs the file itself: what minisign wrote before 2015, and writes with -l. */
const LEGACY = 'Ed';
/** Signs the file's BLAKE2b-512: what minisign writes now. */
const PREHASHED = 'ED';

const PUBLIC_KEY_BYTES = 2 + 8 + 32;
const SIGNATURE_BYTES = 2 + 8 + 64;
const ED25519_SIGNATURE_BYTES = 64;
/** minisign's own bounds of a line. */
const COMMENT_BYTES_MAX = 1024;
const TRUSTED_COMMENT_BYTES_MAX = 8192;
/** A signature file is no longer than its four lines. */
export const SIGNATURE_FILE_BYTES_MAX =
  COMMENT_BYTES_MAX + TRUSTED_COMMENT_BYTES_MAX + 512;

/** DER in front of the 32 bytes of an Ed25519 key: RFC 8410. */
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');

const UNTRUSTED = 'untrusted comment: ';
const TRUSTED = 'trusted comment: ';

export interface PublicKey {
  /** As minisign prints it: 16 hex digits. */
  readonly id: string;
  /** 8 bytes; tells keys apart, proves nothing. */
  readonly number: Uint8Array;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export interface Signature {
  readonly id: string;
  readonly prehashed: boolean;
  /** 64 bytes over the file, or over its hash. */
  readonly ofFile: Uint8Array;
  /** 64 bytes over `ofFile` and the trusted comment. */
  readonly ofComment: Uint8Array;
  readonly trustedComment: string;
}

export interface SigningKey {
  readonly number: Uint8Array;
  /** 64 bytes: the seed, then the public key. */
  readonly key: Uint8Array;
}

/** The number of a key as minisign prints it: its bytes are a little-endian number. */
export function keyId(number: Uint8Array): string {
  return Buffer.from(number).reverse().toString('hex').toUpperCase();
}

/** Base64 that decodes to as many bytes as wanted and encodes back to itself. */
export function exactBase64(text: string, bytes: number): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text
    ? decoded
    : undefined;
}

/**
 * Reads a public key: the one line of base64, or minisign's file with the comment above it.
 *
 * @param name what a message calls it
 * @throws InputError ERR_KEY
 */
export function parsePublicKey(text: string, name: string): PublicKey {
  const lines = text
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith(UNTRUSTED));
  const bytes =
    lines.length === 1
      ? exactBase64(lines[0]?.trim() ?? '', PUBLIC_KEY_BYTES)
      : undefined;
  if (bytes?.toString('latin1', 0, 2) !== LEGACY) {
    throw new InputError(
      'ERR_KEY',
      `${name} is no public key of minisign, expected 56 characters that begin with RW, or a file that holds them`,
    );
  }
  const number = bytes.subarray(2, 10);
  return { id: keyId(number), number, key: bytes.subarray(10) };
}

export function publicKeyText(number: Uint8Array, key: Uint8Array): string {
  return Buffer.concat([Buffer.from(LEGACY), number, key]).toString('base64');
}

/** Reads a signature file, strictly as minisign does; undefined: it is none. */
export function parseSignature(text: string): Signature | undefined {
  const [untrusted, first, trusted, second, ...rest] = text.split(/\r?\n/);
  if (untrusted === undefined || first === undefined) return undefined;
  if (trusted === undefined || second === undefined) return undefined;
  if (rest.some((line) => line !== '')) return undefined;
  if (!untrusted.startsWith(UNTRUSTED) || !trusted.startsWith(TRUSTED)) return undefined;
  if (untrusted.length > COMMENT_BYTES_MAX) return undefined;
  if (trusted.length > TRUSTED_COMMENT_BYTES_MAX) return undefined;
  const bytes = exactBase64(first, SIGNATURE_BYTES);
  const ofComment = exactBase64(second, ED25519_SIGNATURE_BYTES);
  if (bytes === undefined || ofComment === undefined) return undefined;
  const algorithm = bytes.toString('latin1', 0, 2);
  if (algorithm !== LEGACY && algorithm !== PREHASHED) return undefined;
  return {
    id: keyId(bytes.subarray(2, 10)),
    prehashed: algorithm === PREHASHED,
    ofFile: bytes.subarray(10),
    ofComment,
    trustedComment: trusted.slice(TRUSTED.length),
  };
}

/** Whether it names the key, and both signatures are by it: that of the file and that of the trusted comment. */
export function isSignedBy(
  file: Uint8Array,
  signature: Signature,
  { id, key }: PublicKey,
): boolean {
  if (signature.id !== id) return false;
  const object = publicKeyObject(key);
  const comment = Buffer.concat([
    signature.ofFile,
    Buffer.from(signature.trustedComment, 'utf8'),
  ]);
  return (
    verify(null, signedBytes(file, signature.prehashed), object, signature.ofFile) &&
    verify(null, comment, object, signature.ofComment)
  );
}

/** The text of a signature file, as minisign writes it today (pre-hashed). */
export function signatureText(
  file: Uint8Array,
  { number, key }: SigningKey,
  trustedComment: string,
): string {
  checkComment(trustedComment);
  const object = privateKeyObject(key);
  const ofFile = sign(null, signedBytes(file, true), object);
  const ofComment = sign(
    null,
    Buffer.concat([ofFile, Buffer.from(trustedComment, 'utf8')]),
    object,
  );
  const first = Buffer.concat([Buffer.from(PREHASHED), number, ofFile]);
  return [
    `${UNTRUSTED}signature from sluice bundle sign`,
    first.toString('base64'),
    `${TRUSTED}${trustedComment}`,
    ofComment.toString('base64'),
    '',
  ].join('\n');
}

function checkComment(comment: string): void {
  const bytes = Buffer.byteLength(comment) + TRUSTED.length;
  // minisign refuses what does not print; a line break would end the line.
  if (
    /\p{Cc}/u.test(comment.replaceAll('\t', '')) ||
    bytes >= TRUSTED_COMMENT_BYTES_MAX
  ) {
    throw new InputError(
      'ERR_COMMENT',
      `a trusted comment is one line of less than ${TRUSTED_COMMENT_BYTES_MAX - TRUSTED.length} bytes without control characters`,
    );
  }
}

function signedBytes(file: Uint8Array, prehashed: boolean): Uint8Array {
  return prehashed ? createHash('blake2b512').update(file).digest() : file;
}

function publicKeyObject(key: Uint8Array): KeyObject {
  try {
    return createPublicKey({
      key: Buffer.concat([PUBLIC_DER, key]),
      format: 'der',
      type: 'spki',
    });
  } catch (cause) {
    throw new BundleError('ERR_KEY', 'a public key is no Ed25519 key', { cause });
  }
}

function privateKeyObject(key: Uint8Array): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([PRIVATE_DER, key.subarray(0, 32)]),
    format: 'der',
    type: 'pkcs8',
  });
}
