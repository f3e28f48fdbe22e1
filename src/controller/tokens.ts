// Bearer tokens: drawn once, kept as a hash only.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 32;

/** 43 characters of base64url. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** Whether text looks like one of ours, and not like one that a person made up. */
export function isToken(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/** A token is as long as its hash and drawn at random: no salt, no stretching needed. */
export function tokenHash(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}

/** In constant time. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The token of an `Authorization: Bearer TOKEN` header (RFC 6750, 2.1); undefined when it is none. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +([\w~+/.=-]+) *$/i.exec(header ?? '')?.[1];
}
