// Secret keys in minisign's file format, with a password or without: made, read, written.
// Bytes behind the comment's line, base64: algorithm "Ed", kdf "Sc" or zeros, checksum "B2" or (unencrypted) anything,
// salt [32], opslimit u64, memlimit u64, then key number [8], seed and public key [64], checksum [32], the last three
// XORed with scrypt's output where there is a password. https://jedisct1.github.io/minisign/#secret-key-format

import { generateKeyPairSync, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { blake2b } from '@noble/hashes/blake2.js';
import { InputError } from '../errors.ts';
import { exactBase64, keyId, publicKeyText, type SigningKey } from './minisign.ts';

const FILE_BYTES = 158;
const SALT_AT = 6;
const OPS_AT = 38;
const MEMORY_AT = 46;
const KEY_AT = 54;
const CHECKSUM_AT = 126;
const ALGORITHM = 'Ed';
const SCRYPT = 'Sc';
const BLAKE2B = 'B2';

/** libsodium's SENSITIVE limits, which minisign takes: some seconds and 1 GiB. */
const SENSITIVE: ScryptLimits = { operations: 2 ** 25, memoryBytes: 2 ** 30 };

export interface ScryptLimits {
  readonly operations: number;
  readonly memoryBytes: number;
}

export interface KeyPair {
  readonly id: string;
  readonly publicFile: string;
  readonly secretFile: string;
}

/** A new pair. `password` undefined: the secret file is protected by its mode alone. */
export async function makeKeyPair(
  password: string | undefined,
  limits: ScryptLimits = SENSITIVE,
): Promise<KeyPair> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const number = randomBytes(8);
  const id = keyId(number);
  const key = Buffer.concat([seed, point]);
  const secret = await secretKeyText({ number, key }, password, limits);
  return {
    id,
    publicFile: `untrusted comment: minisign public key ${id}\n${publicKeyText(number, point)}\n`,
    // The very words of minisign, which says "encrypted" of both kinds.
    secretFile: `untrusted comment: minisign encrypted secret key\n${secret}\n`,
  };
}

async function secretKeyText(
  { number, key }: SigningKey,
  password: string | undefined,
  limits: ScryptLimits,
): Promise<string> {
  const bytes = Buffer.alloc(FILE_BYTES);
  bytes.write(ALGORITHM, 0, 'latin1');
  bytes.write(BLAKE2B, 4, 'latin1');
  bytes.set(number, KEY_AT);
  bytes.set(key, KEY_AT + 8);
  if (password !== undefined) {
    bytes.write(SCRYPT, 2, 'latin1');
    bytes.set(randomBytes(32), SALT_AT);
    bytes.writeBigUInt64LE(BigInt(limits.operations), OPS_AT);
    bytes.writeBigUInt64LE(BigInt(limits.memoryBytes), MEMORY_AT);
    bytes.set(checksumOf(bytes), CHECKSUM_AT);
    await mask(bytes, password);
  }
  return bytes.toString('base64');
}

/** What a file of a secret key is, before any password is asked for. */
export function isEncrypted(file: string, name: string): boolean {
  return bytesOf(file, name).toString('latin1', 2, 4) === SCRYPT;
}

/**
 * Reads a secret key.
 *
 * @param password left out of account where the key is not encrypted
 * @throws InputError ERR_KEY, ERR_PASSWORD
 */
export async function readSecretKey(
  file: string,
  name: string,
  password: string | undefined,
): Promise<SigningKey> {
  const bytes = bytesOf(file, name);
  if (isEncrypted(file, name)) {
    if (password === undefined) {
      throw new InputError(
        'ERR_PASSWORD',
        `${name} is encrypted: give its password by --password-file, or at a terminal`,
      );
    }
    await mask(bytes, password);
    if (!timingSafeEqual(checksumOf(bytes), bytes.subarray(CHECKSUM_AT))) {
      throw new InputError(
        'ERR_PASSWORD',
        `the password does not open ${name}; give the one that it was made with`,
      );
    }
  }
  return {
    number: bytes.subarray(KEY_AT, KEY_AT + 8),
    key: bytes.subarray(KEY_AT + 8, CHECKSUM_AT),
  };
}

function bytesOf(file: string, name: string): Buffer {
  const [comment, line, ...rest] = file.split(/\r?\n/);
  const bytes =
    comment?.startsWith('untrusted comment: ') && rest.every((more) => more === '')
      ? exactBase64(line ?? '', FILE_BYTES)
      : undefined;
  const kdf = bytes?.toString('latin1', 2, 4);
  if (
    bytes?.toString('latin1', 0, 2) !== ALGORITHM ||
    (kdf !== SCRYPT && kdf !== '\0\0')
  ) {
    throw new InputError(
      'ERR_KEY',
      `${name} is no secret key of minisign, expected a file of sluice bundle keygen or minisign -G`,
    );
  }
  return bytes;
}

function checksumOf(bytes: Buffer): Uint8Array {
  const covered = Buffer.concat([
    bytes.subarray(0, 2),
    bytes.subarray(KEY_AT, CHECKSUM_AT),
  ]);
  return blake2b(covered, { dkLen: 32 });
}

/** XORs number, key and checksum with what scrypt makes of the password; done twice it is undone. */
async function mask(bytes: Buffer, password: string): Promise<void> {
  const { N, r, p } = scryptCosts({
    operations: Number(bytes.readBigUInt64LE(OPS_AT)),
    memoryBytes: Number(bytes.readBigUInt64LE(MEMORY_AT)),
  });
  const salt = bytes.subarray(SALT_AT, OPS_AT);
  const length = FILE_BYTES - KEY_AT;
  const stream = await new Promise<Buffer>((resolve, reject) => {
    const maxmem = 128 * N * r + 128 * r * p + 2 ** 20;
    scrypt(password, salt, length, { N, r, p, maxmem }, (fault, key) =>
      fault === null ? resolve(key) : reject(fault),
    );
  });
  for (const [i, byte] of stream.entries())
    bytes[KEY_AT + i] = (bytes[KEY_AT + i] ?? 0) ^ byte;
}

/** libsodium's pickparams: crypto_pwhash_scryptsalsa208sha256. Bounded by what minisign itself takes. */
function scryptCosts({ operations, memoryBytes }: ScryptLimits): {
  N: number;
  r: number;
  p: number;
} {
  if (!(operations <= SENSITIVE.operations && memoryBytes <= SENSITIVE.memoryBytes)) {
    throw new InputError(
      'ERR_KEY',
      `the secret key wants ${memoryBytes} bytes and ${operations} operations to be opened, at most ${SENSITIVE.memoryBytes} and ${SENSITIVE.operations}`,
    );
  }
  const r = 8;
  const ops = Math.max(operations, 32_768);
  const most = ops < memoryBytes / 32 ? ops / (4 * r) : memoryBytes / (128 * r);
  let log = 1;
  while (log < 63 && 2 ** log <= most / 2) log++;
  const N = 2 ** log;
  const p = ops < memoryBytes / 32 ? 1 : Math.max(Math.floor(ops / 4 / N / r), 1);
  return { N, r, p };
}
