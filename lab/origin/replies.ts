// Replies of drawn length, time and pace.

import { randomBytes } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Push } from './pushes.ts';
import type { GetOrder, PageObjectOrder } from './request-path.ts';

/** What HTTP/1.1 and HTTP/2 responses have in common. */
export interface Reply {
  writeHead(status: number, headers: OutgoingHttpHeaders): unknown;
  write(bytes: Uint8Array | string): boolean;
  end(bytes?: Uint8Array | string): unknown;
  once(event: 'drain' | 'close', then: () => void): unknown;
  removeListener(event: 'drain' | 'close', then: () => void): unknown;
  readonly destroyed: boolean;
}

/** Content that cannot be packed, as pictures and videos are. */
const FILLING = randomBytes(1 << 20);
const BYTES_MAX = 500_000_000;
const PIECE_BYTES = 65_536;
const PACE_MS = 50;

const HEADERS = {
  'access-control-allow-origin': '*',
  'cache-control': 'no-store',
  'timing-allow-origin': '*',
} as const;

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

export function filling(bytes: number): Uint8Array {
  const from = Math.floor(Math.random() * Math.max(1, FILLING.byteLength - bytes));
  return FILLING.subarray(from, from + bytes);
}

export async function answer(
  reply: Reply,
  { down, hold, rate }: GetOrder,
): Promise<void> {
  if (hold > 0) await pause(hold);
  const bytes = Math.min(down, BYTES_MAX);
  reply.writeHead(200, {
    ...HEADERS,
    'content-type': 'application/octet-stream',
    'content-length': bytes,
  });
  // Without a rate as the connection takes it; with one so much every 50 ms.
  const piece = rate > 0 ? Math.max(1, rate * PACE_MS) : PIECE_BYTES;
  for (let sent = 0; sent < bytes && !reply.destroyed; sent += piece) {
    const flows = reply.write(filling(Math.min(piece, bytes - sent, PIECE_BYTES)));
    if (!flows) await drained(reply);
    if (rate > 0) await pause(PACE_MS);
  }
  reply.end();
}

function drained(reply: Reply): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      reply.removeListener('drain', done);
      reply.removeListener('close', done);
      resolve();
    };
    reply.once('drain', done);
    reply.once('close', done);
  });
}

/** Server-sent events: each push when its time has come; ends with the last one. */
export async function streamPushes(reply: Reply, pushes: readonly Push[]): Promise<void> {
  reply.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
  reply.write(':\n\n');
  const start = performance.now();
  for (const { at, bytes } of pushes) {
    await pause(Math.max(0, start + at - performance.now()));
    if (reply.destroyed) return;
    reply.write(filling(bytes));
  }
  reply.end();
}

/** A document that a browser shows: so many bytes, with the objects in it. */
export async function document(
  reply: Reply,
  { down, hold }: GetOrder,
  objects: readonly PageObjectOrder[],
): Promise<void> {
  if (hold > 0) await pause(hold);
  const shown = objects.map(
    ({ host, down: bytes, hold: wait }, i) =>
      `<img alt="" src="https://${host}/g/${bytes}/${wait}/0?${i}">`,
  );
  const head = '<!doctype html><html><head><link rel="icon" href="data:,"></head><body>';
  const body = `${head}${shown.join('')}<!--`;
  const rest = Math.max(0, down - body.length - '--></body></html>'.length);
  // Base64 of noise: text, and hardly to be packed.
  const text = Buffer.from(filling(Math.ceil((rest * 3) / 4) % FILLING.byteLength))
    .toString('base64')
    .slice(0, rest);
  const html = `${body}${text}--></body></html>`;
  reply.writeHead(200, {
    ...HEADERS,
    'content-type': 'text/html',
    'content-length': Buffer.byteLength(html),
  });
  reply.end(html);
}
