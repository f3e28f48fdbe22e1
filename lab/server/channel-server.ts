// Messages both ways: what comes in may bear an order, whose pieces go out as messages of their own.

import type { Duplex } from 'node:stream';
import { Deframer, framed } from '../framing.ts';
import { type Order, orderOf } from '../order.ts';
import { FILLING, piecesOf } from './replies.ts';

/** One end of a channel as this file needs it. */
export interface ChannelEnd {
  readonly send: (message: Buffer) => void;
  readonly gone: () => boolean;
}

/** Gives the function to be called with each message that comes in. */
export function serveChannel(end: ChannelEnd): (message: Buffer) => void {
  return (message) => {
    const asked = orderOf(message);
    if (asked !== undefined) void pushPieces(end, asked.order, asked.tag);
  };
}

/** Sends what the order says, each message with `tag` as its first byte. */
export async function pushPieces(
  end: ChannelEnd,
  order: Order,
  tag: number,
): Promise<void> {
  for await (const bytes of piecesOf(order, end.gone)) {
    const from = Math.floor(Math.random() * (FILLING.byteLength / 2));
    end.send(pieceOf(Math.max(1, bytes), from, tag));
  }
}

function pieceOf(bytes: number, from: number, tag: number): Buffer {
  const piece = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; ) at += FILLING.copy(piece, at, from);
  piece[0] = tag;
  return piece;
}

/** Serves framed messages on a byte stream; gives its sending end. */
export function framedChannel(stream: Duplex): ChannelEnd {
  const end: ChannelEnd = {
    send: (message) => stream.write(framed(message)),
    gone: () => stream.destroyed || stream.writableEnded,
  };
  const receive = serveChannel(end);
  const deframer = new Deframer();
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const message of deframer.push(chunk)) receive(message);
    } catch {
      stream.destroy();
    }
  });
  stream.on('end', () => stream.end());
  stream.on('error', () => stream.destroy());
  return end;
}
