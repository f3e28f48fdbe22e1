// HTTP/1.1 and HTTP/2 by order: the query says what to answer. WebSocket and a stream of messages over HTTP/2 too.

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import { type WebSocket, WebSocketServer } from 'ws';
import { MESSAGES_TYPE } from '../framing.ts';
import { type Order, orderFromText } from '../order.ts';
import type { Host } from '../plan.ts';
import { framedChannel, serveChannel } from './channel-server.ts';
import { FILLING, piecesOf, writeFilling } from './replies.ts';

/** How the site answers. */
export interface Manner {
  readonly chunkBytes: number;
  /** By name, as the request calls it. */
  readonly hosts: ReadonlyMap<string, Host>;
}

const LINGER_MS = 60_000;

/** A server that is handed connections by `emit('connection', socket)`. */
export function http1Server(manner: Manner): Server {
  const server = createServer((request, response) => {
    answer1(request, response, manner).catch(() => response.destroy());
  });
  server.keepAliveTimeout = LINGER_MS;
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, serveWebSocket);
  });
  return server;
}

function serveWebSocket(socket: WebSocket): void {
  socket.on('error', () => socket.terminate());
  const receive = serveChannel({
    send: (message) => socket.send(message),
    gone: () => socket.readyState !== socket.OPEN,
  });
  socket.on('message', (data) => {
    if (Buffer.isBuffer(data)) receive(data);
  });
}

async function answer1(
  request: IncomingMessage,
  response: ServerResponse,
  manner: Manner,
): Promise<void> {
  for await (const _ of request);
  const order = orderOfUrl(request.url);
  if (order === undefined) {
    response.writeHead(400).end();
    return;
  }
  const headers: Record<string, string | number> = {
    'content-type': 'application/octet-stream',
    'x-state': stateOf(manner, request.headers.host),
  };
  if (order.pieces === 1) headers['content-length'] = order.bytes;
  let started = false;
  const gone = (): boolean => response.destroyed;
  for await (const bytes of piecesOf(order, gone)) {
    if (!started) response.writeHead(200, headers);
    started = true;
    await writeFilling(response, bytes, manner.chunkBytes);
  }
  if (!started) response.writeHead(204);
  response.end();
}

/** As `http1Server`, for HTTP/2. */
export function http2Server(manner: Manner): Http2Server {
  const server = createHttp2Server();
  server.on('session', (session) => session.on('error', () => session.destroy()));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => stream.destroy());
    const state = stateOf(manner, headers[':authority']);
    if (headers['content-type'] === MESSAGES_TYPE) {
      stream.respond({ ':status': 200, 'content-type': MESSAGES_TYPE, 'x-state': state });
      framedChannel(stream);
      return;
    }
    answer2(stream, headers, { state, chunkBytes: manner.chunkBytes }).catch(() =>
      stream.destroy(),
    );
  });
  return server;
}

async function answer2(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { state, chunkBytes }: { readonly state: string; readonly chunkBytes: number },
): Promise<void> {
  for await (const _ of stream);
  const order = orderOfUrl(headers[':path']);
  if (order === undefined) {
    stream.respond({ ':status': 400 }, { endStream: true });
    return;
  }
  let started = false;
  const gone = (): boolean => stream.destroyed;
  for await (const bytes of piecesOf(order, gone)) {
    if (!started) {
      stream.respond({
        ':status': 200,
        'content-type': 'application/octet-stream',
        'x-state': state,
      });
    }
    started = true;
    await writeFilling(stream, bytes, chunkBytes);
  }
  if (!started) stream.respond({ ':status': 204 });
  stream.end();
}

function orderOfUrl(url: string | undefined): Order | undefined {
  const query = url?.split('?o=')[1];
  return query === undefined ? undefined : orderFromText(query);
}

/** The headers of an answer are as long as the host's are; most of the bytes differ from answer to answer. */
function stateOf(manner: Manner, authority: string | undefined): string {
  const host = manner.hosts.get((authority ?? '').replace(/:\d+$/, ''));
  const length = Math.ceil(((host?.headerBytes ?? 100) * 3) / 4);
  const from = Math.floor(Math.random() * (FILLING.byteLength - length));
  return FILLING.toString('base64url', from, from + length);
}
