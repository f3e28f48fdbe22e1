// Carries out orders: pieces of random bytes at the times asked for.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { Draw } from '../draw.ts';
import type { Order } from '../order.ts';

/** Random bytes to fill bodies and messages with; what they are does not matter, TLS does not compress. */
export const FILLING = randomBytes(1 << 17);

/** Spread of a series about its medians. */
const SIZE_SIGMA = 0.25;
const GAP_SPREAD = 0.25;

/** The sizes of the reply, each given when it is due; ends early when `gone` says so. */
export async function* piecesOf(
  order: Order,
  gone: () => boolean,
): AsyncGenerator<number> {
  const draw = new Draw(order.seed);
  if (order.waitMs > 0) await pause(order.waitMs);
  const started = performance.now();
  let due = 0;
  for (let i = 0; i < order.pieces; i++) {
    if (gone()) return;
    yield order.pieces === 1
      ? order.bytes
      : Math.round(draw.logNormal(order.bytes, SIZE_SIGMA));
    // Gaps add up from the start: a late timer does not slow a series of 60 a second down.
    due += order.gapMs * draw.uniform(1 - GAP_SPREAD, 1 + GAP_SPREAD);
    const left = due - (performance.now() - started);
    if (i + 1 < order.pieces && left > 0) await pause(left);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Writes `bytes` bytes in writes of `chunkBytes`, no faster than they are taken. */
export async function writeFilling(
  stream: Writable,
  bytes: number,
  chunkBytes: number,
): Promise<void> {
  for (let left = bytes; left > 0 && !stream.destroyed; left -= chunkBytes) {
    const chunk = FILLING.subarray(0, Math.min(left, chunkBytes));
    if (!stream.write(chunk))
      await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
  }
}
