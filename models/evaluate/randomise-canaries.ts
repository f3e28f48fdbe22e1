// The canary test: where canary fields are let through (occlusion.shown), they are drawn anew, and a model that has learnt servers
// instead of services falls. Where they are occluded, as by default, there is nothing to draw, and that is what the test then shows.
// Reads hellos as occlusion writes them (src/handshake/occlusion.ts). Axes: M handshake messages, N bytes of a message.

import { HANDSHAKE_BYTES } from '../../src/features/shapes.ts';
import type { Random } from '../random.ts';

const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
/** Message header, version, random. */
const FIXED_BYTES = 1 + 3 + 2 + 32;
const SERVER_NAME = 0;

export interface CanaryCounts {
  /** ClientHellos and ServerHellos that could be read. */
  hellos: number;
  /** Of these, with a server name in it. */
  withName: number;
  /** Of these, with cipher suites in it. */
  withCiphers: number;
}

export function noCanaries(): CanaryCounts {
  return { hellos: 0, withName: 0, withCiphers: 0 };
}

/** Draws names and cipher suites anew, in place. flow: [M, N], or [F, M, N] row by row. */
export function randomiseCanaries(
  flows: Uint8Array,
  random: Random,
  counts: CanaryCounts,
): void {
  const size = HANDSHAKE_BYTES;
  for (let at = 0; at + size <= flows.length; at += size) {
    // A message is cut off where its bytes end.
    randomiseMessage(flows.subarray(at, at + size), random, counts);
  }
}

function randomiseMessage(
  message: Uint8Array,
  random: Random,
  counts: CanaryCounts,
): void {
  const type = message[0];
  if (type !== CLIENT_HELLO && type !== SERVER_HELLO) return;
  counts.hellos++;
  let at = FIXED_BYTES;
  at += 1 + (message[at] ?? 0);
  const word = (place: number) =>
    ((message[place] ?? 0) << 8) | (message[place + 1] ?? 0);
  const suites = type === CLIENT_HELLO ? word(at) : 2;
  if (type === CLIENT_HELLO) at += 2;
  if (message.subarray(at, at + suites).some((byte) => byte !== 0)) {
    counts.withCiphers++;
    fill(message, at, suites, () => Math.floor(random() * 256));
  }
  at += suites;
  // Compression: a list of the client's, the server's choice.
  at += type === CLIENT_HELLO ? 1 + (message[at] ?? 0) : 1;
  const end = Math.min(message.length, at + 2 + word(at));
  at += 2;
  while (at + 4 <= end) {
    const length = word(at + 2);
    if (word(at) === SERVER_NAME && length > 0) {
      counts.withName++;
      fill(message, at + 4, length, () => 97 + Math.floor(random() * 26));
    }
    at += 4 + length;
  }
}

function fill(into: Uint8Array, at: number, length: number, byte: () => number): void {
  for (let i = at; i < Math.min(into.length, at + length); i++) into[i] = byte();
}
