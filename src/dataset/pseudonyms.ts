// Addresses and names -> pseudonyms: what tells clients and hosts apart without telling who they are.

import { createHash, createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { InputError } from '../errors.ts';

const PSEUDONYM_DIGITS = 16;
/** As long as the pseudonyms are hard to guess: a key of text has fewer bits than bytes. */
const KEY_BYTES_LEAST = 16;

/** Kinds do not share pseudonyms: a client that is a server elsewhere is two. */
type PseudonymKind = 'client' | 'host' | 'session';

/** HMAC-SHA256 (RFC 2104) of kind and name, 16 hex digits. */
export type Pseudonyms = (kind: PseudonymKind, name: string) => string;

/**
 * @param key whoever has it can find out names by trying; with one key pseudonyms are the same over captures
 */
export function pseudonymsBy(key: Uint8Array): Pseudonyms {
  const known = new Map<string, string>();
  return (kind, name) => {
    const text = `${kind} ${name}`;
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = createHmac('sha256', key).update(text).digest('hex');
    const pseudonym = made.slice(0, PSEUDONYM_DIGITS);
    // Flows of one client follow on each other; all clients of a month need not be kept.
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(text, pseudonym);
    return pseudonym;
  };
}

const KNOWN_MAX = 10_000;

/** @throws InputError ERR_KEY: cannot be read, or too short */
export async function readKey(path: string): Promise<Uint8Array> {
  const key = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new InputError('ERR_KEY', `key ${path}: cannot be read (${cause.code})`, {
      cause,
    });
  });
  if (key.byteLength < KEY_BYTES_LEAST) {
    throw new InputError(
      'ERR_KEY',
      `key ${path}: holds ${key.byteLength} bytes, expected at least ${KEY_BYTES_LEAST}, as \`openssl rand -out ${path} 32\` makes`,
    );
  }
  return key;
}

/** Tells keys apart without telling the key. */
export function keyDigest(key: Uint8Array): string {
  return createHash('sha256').update('sluice key ').update(key).digest('hex');
}
