// Messages both ways, over a WebSocket or over a stream: the server's side.

import type { WebSocket } from 'ws';
import { readPushes } from './pushes.ts';
import { filling, pause, type Reply } from './replies.ts';

/** Somebody to exchange messages with. */
export interface Peer {
  readonly messages: AsyncIterable<string>;
  send(bytes: Uint8Array): void;
  readonly gone: boolean;
  close(): void;
}

const REPLY_BYTES_MAX = 4_000_000;
const LENGTH_BYTES = 4;
/** Of a message only the order at its front is read. */
const ORDER_BYTES = 4096;

/** Answers as messages ask, and pushes as the first one does, until the peer has gone. */
export async function serveMessages(peer: Peer): Promise<void> {
  const start = performance.now();
  for await (const message of peer.messages) {
    const order = message.slice(0, Math.max(0, message.indexOf('|')));
    if (order.startsWith('!'))
      push(peer, order.slice(1), start).catch(() => peer.close());
    else for (const reply of order.split('_')) answer(peer, reply);
  }
  peer.close();
}

function answer(peer: Peer, reply: string): void {
  const [after, bytes] = reply.split('.').map(Number);
  if (bytes === undefined || !(bytes >= 0)) return;
  const send = (): void => {
    if (!peer.gone) peer.send(filling(Math.min(bytes, REPLY_BYTES_MAX)));
  };
  if (after === 0) send();
  else setTimeout(send, after);
}

async function push(peer: Peer, text: string, start: number): Promise<void> {
  for (const { at, bytes } of readPushes(text)) {
    await pause(Math.max(0, start + at - performance.now()));
    if (peer.gone) return;
    peer.send(filling(bytes));
  }
}

export function webSocketPeer(socket: WebSocket): Peer {
  return {
    messages: socketMessages(socket),
    send: (bytes) => socket.send(bytes),
    get gone() {
      return socket.readyState !== socket.OPEN;
    },
    close: () => socket.close(),
  };
}

async function* socketMessages(socket: WebSocket): AsyncGenerator<string> {
  const queue: string[] = [];
  let wake = (): void => {};
  let over = false;
  socket.on('message', (data: Buffer) => {
    queue.push(data.toString('latin1', 0, ORDER_BYTES));
    wake();
  });
  socket.on('close', () => {
    over = true;
    wake();
  });
  for (;;) {
    const next = queue.shift();
    if (next !== undefined) yield next;
    else if (over) return;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}

/** Framed messages in the bodies of a POST and of its answer, at the same time. */
export function streamPeer(body: AsyncIterable<Buffer>, reply: Reply): Peer {
  reply.writeHead(200, {
    'content-type': 'application/octet-stream',
    'cache-control': 'no-store',
  });
  return {
    messages: framedMessages(body),
    send: (bytes) => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32BE(bytes.byteLength);
      reply.write(Buffer.concat([length, bytes]));
    },
    get gone() {
      return reply.destroyed;
    },
    close: () => {
      reply.end();
    },
  };
}

async function* framedMessages(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    held = Buffer.concat([held, chunk]);
    while (held.byteLength >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + held.readUInt32BE(0);
      if (held.byteLength < end) break;
      yield held.toString(
        'latin1',
        LENGTH_BYTES,
        Math.min(end, LENGTH_BYTES + ORDER_BYTES),
      );
      held = held.subarray(end);
    }
  }
}
