// The application behind every server software, in the server namespace: obeys the orders in requests
// (request-path.ts). Speaks plain HTTP/1.1 on loopback for servers that terminate TLS themselves, and TLS with HTTP/1.1
// and 2 on the addresses of the hosts that Node serves itself.
//
// Argument: a file with OriginSetup as JSON. Says "ready" on standard error; ends with its standard input.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext } from 'node:tls';
import { WebSocketServer } from 'ws';
import { type FilmFiles, serveFilm } from './films.ts';
import { serveMessages, streamPeer, webSocketPeer } from './messages.ts';
import { readPushes } from './pushes.ts';
import { answer, document, type Reply, streamPushes } from './replies.ts';
import { readObjects, readOrder } from './request-path.ts';
import { serveSignals } from './signalling.ts';

export interface OriginSetup {
  readonly loopbackPort: number;
  readonly films: FilmFiles;
  /** The hosts that Node serves itself. */
  readonly hosts: readonly {
    readonly name: string;
    readonly addresses: readonly string[];
    readonly port: number;
    readonly chain: string;
    readonly key: string;
  }[];
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

async function handle(request: Request, reply: Reply): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://lab.invalid');
  const [kind, ...segments] = url.pathname.split('/').slice(1);
  const order = readOrder(segments);
  if (kind === 'p') return document(reply, order, readObjects(url.search));
  if (kind === 's') return serveMessages(streamPeer(request, reply));
  if (kind === 'w') return serveSignals(request, reply, segments);
  if (kind === 'u') {
    for await (const _ of request) {
      // The whole body is waited for.
    }
    return answer(reply, order);
  }
  request.resume();
  if (kind === 'h') return serveFilm(reply, setup.films, segments);
  if (kind === 'u' || kind === 'g')
    return order.push === ''
      ? answer(reply, order)
      : streamPushes(reply, readPushes(order.push));
  reply.writeHead(404, {});
  reply.end();
}

function serve(request: Request, response: Response): void {
  // Whoever goes away in the middle does so: that is no fault of ours.
  request.on('error', () => {});
  response.on('error', () => {});
  // Both kinds of response have what a Reply wants; their declared types have no common face.
  handle(request, response as Reply).catch(() => response.destroy());
}

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => {});
  sockets.handleUpgrade(request, socket, head, (client) => {
    client.on('error', () => {});
    serveMessages(webSocketPeer(client)).catch(() => client.terminate());
  });
}

function serveHost(host: OriginSetup['hosts'][number]): Promise<void>[] {
  const context: SecureContext = createSecureContext({
    cert: readFileSync(host.chain),
    key: readFileSync(host.key),
  });
  return host.addresses.map((address) => {
    const server = createSecureServer(
      {
        allowHTTP1: true,
        cert: readFileSync(host.chain),
        key: readFileSync(host.key),
        SNICallback: (_name, done) => done(null, context),
      },
      serve,
    );
    server.on('upgrade', upgrade);
    server.on('sessionError', () => {});
    server.on('tlsClientError', () => {});
    return listening(server, { host: address, port: host.port });
  });
}

interface Listening {
  once(event: 'error', then: (fault: Error) => void): unknown;
  listen(
    options: { host: string; port: number; backlog?: number },
    then: () => void,
  ): unknown;
}

function listening(server: Listening, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...at, backlog: 512 }, resolve);
  });
}

const setup: OriginSetup = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const plain = createServer({ keepAliveTimeout: 120_000 }, serve);
plain.on('upgrade', upgrade);
await Promise.all([
  listening(plain, { host: '127.0.0.1', port: setup.loopbackPort }),
  ...setup.hosts.flatMap(serveHost),
]);
process.stderr.write('ready\n');
process.stdin.resume().on('end', () => process.exit(0));
