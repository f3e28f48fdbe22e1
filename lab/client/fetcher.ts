// Requests and answers, over HTTP/1.1 with several connections or over one of HTTP/2, whichever the two ends agree on.

import { Agent, type ClientRequest, request as requestHttp } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import type { Duplex, Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type Order, orderToText } from '../order.ts';
import type { Host } from '../plan.ts';
import type { Negotiated } from '../profiles.ts';
import type { Connector } from './connector.ts';
import { FILLING_TEXT, requestHeaders } from './request-headers.ts';

/** One request; `upBytes` makes it a POST. */
interface Fetch {
  readonly order: Order;
  readonly upBytes?: number;
}

/** Sends requests to one host. */
export interface Fetcher {
  /** Resolves with the bytes of the answer's body once it is whole. @throws Error when the connection fails. */
  fetch(what: Fetch): Promise<number>;
  /** Ends the connections in order. */
  close(): void;
}

export interface FetcherSetup {
  readonly connector: Connector;
  readonly host: Host;
  readonly alpn: Negotiated;
  /** Connections at a time over HTTP/1.1. */
  readonly lanes: number;
}

/** Connects (HTTP/2) or will when asked to fetch (HTTP/1.1). */
export async function openFetcher(setup: FetcherSetup): Promise<Fetcher> {
  if (setup.alpn !== 'h2') return new Http1Fetcher(setup);
  const { connector, host } = setup;
  const socket = await connector.connect(host, { transport: 'h2', alpn: 'h2' });
  return new Http2Fetcher(setup, socket);
}

/** Gives the one socket it was made with to whatever request comes. */
class OneSocketAgent extends Agent {
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(): Duplex {
    return this.#socket;
  }
}

interface Lane {
  readonly agent: Agent;
  readonly socket: TLSSocket;
}

class Http1Fetcher implements Fetcher {
  readonly #setup: FetcherSetup;
  readonly #idle: Lane[] = [];
  readonly #all: Lane[] = [];
  readonly #waiting: ((lane: Lane) => void)[] = [];
  #opening = 0;

  constructor(setup: FetcherSetup) {
    this.#setup = setup;
  }

  async fetch(what: Fetch): Promise<number> {
    const lane = await this.#lane();
    const received = await this.#ask(lane, what);
    const next = this.#waiting.shift();
    if (next !== undefined) next(lane);
    else this.#idle.push(lane);
    return received;
  }

  close(): void {
    for (const { agent, socket } of this.#all) {
      socket.end();
      agent.destroy();
    }
  }

  async #lane(): Promise<Lane> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const { connector, host, alpn, lanes } = this.#setup;
    if (this.#all.length + this.#opening >= lanes) {
      return new Promise((resolve) => this.#waiting.push(resolve));
    }
    this.#opening++;
    const socket = await connector.connect(host, { transport: 'http/1.1', alpn });
    this.#opening--;
    const lane = { socket, agent: new OneSocketAgent(socket) };
    this.#all.push(lane);
    return lane;
  }

  #ask(lane: Lane, { order, upBytes }: Fetch): Promise<number> {
    const { connector, host } = this.#setup;
    const { path, headers } = requestHeaders(connector, host);
    const asked = requestHttp({
      agent: lane.agent,
      method: upBytes === undefined ? 'GET' : 'POST',
      path: path + orderToText(order),
      headers: {
        host: host.name,
        ...headers,
        ...(upBytes === undefined ? {} : { 'content-length': upBytes }),
      },
    });
    const answer = new Promise<number>((resolve, reject) => {
      asked.on('error', reject);
      asked.on('response', (response) => count(response).then(resolve, reject));
    });
    send(asked, upBytes);
    return answer;
  }
}

class Http2Fetcher implements Fetcher {
  readonly #setup: FetcherSetup;
  readonly #session: ClientHttp2Session;

  constructor(setup: FetcherSetup, socket: TLSSocket) {
    this.#setup = setup;
    this.#session = http2Session(setup.host, socket);
  }

  fetch({ order, upBytes }: Fetch): Promise<number> {
    const { connector, host } = this.#setup;
    const { path, headers } = requestHeaders(connector, host);
    const stream = this.#session.request(
      {
        ':method': upBytes === undefined ? 'GET' : 'POST',
        ':path': path + orderToText(order),
        ...headers,
      },
      { endStream: upBytes === undefined },
    );
    if (upBytes !== undefined) send(stream, upBytes);
    return count(stream);
  }

  close(): void {
    this.#session.close();
  }
}

/** HTTP/2 on a socket that has agreed on it. */
export function http2Session(host: Host, socket: TLSSocket): ClientHttp2Session {
  const session = connectHttp2(`https://${host.name}`, {
    createConnection: () => socket,
  });
  session.on('error', () => session.destroy());
  return session;
}

function send(stream: ClientRequest | Duplex, bytes = 0): void {
  for (let left = bytes; left > 0; left -= FILLING_TEXT.byteLength) {
    stream.write(FILLING_TEXT.subarray(0, Math.min(left, FILLING_TEXT.byteLength)));
  }
  stream.end();
}

function count(stream: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0;
    stream.on('data', (chunk: Buffer) => {
      received += chunk.byteLength;
    });
    stream.once('end', () => resolve(received));
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('the stream closed before its end')));
  });
}
