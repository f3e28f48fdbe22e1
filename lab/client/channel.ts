// Messages both ways on one connection: WebSocket, a stream of HTTP/2, or a protocol straight on TLS.

import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { Deframer, framed, MESSAGES_TYPE } from '../framing.ts';
import { message, type Order, orderToText } from '../order.ts';
import type { Host } from '../plan.ts';
import type { Negotiated } from '../profiles.ts';
import type { Connector } from './connector.ts';
import { http2Session } from './fetcher.ts';
import { requestHeaders } from './request-headers.ts';

const FILLING = randomBytes(1 << 16);
const GREETING_TAG = 0;
const TAG_MAX = 255;

interface Pipe {
  readonly send: (message: Buffer) => void;
  readonly close: () => void;
}

/** Sends messages and hears those of the server. */
export class Channel {
  /** Resolves with the server's unasked greeting; at once where there is none. */
  readonly greeted: Promise<void>;
  readonly #pipe: Pipe;
  readonly #awaited = new Map<number, { left: number; done: () => void }>();
  #tag = 0;

  constructor(pipe: Pipe, greets = false) {
    this.#pipe = pipe;
    this.greeted = this.#whole(GREETING_TAG, greets ? 1 : 0);
  }

  /** Sends `bytes` bytes and wants no answer. */
  say(bytes: number): void {
    this.#pipe.send(message(bytes, FILLING));
  }

  /** Sends and resolves when the whole reply has come; a series may be left to run on. */
  ask(bytes: number, order: Order): Promise<void> {
    this.#tag = (this.#tag % TAG_MAX) + 1;
    const tag = this.#tag;
    const whole = this.#whole(tag, order.pieces);
    this.#pipe.send(message(bytes, FILLING, { order, tag }));
    return whole;
  }

  close(): void {
    this.#pipe.close();
  }

  /** To be called with each message that comes in. */
  heard(bytes: Buffer): void {
    const awaited = this.#awaited.get(bytes[0] ?? 0);
    if (awaited === undefined) return;
    awaited.left--;
    if (awaited.left === 0) awaited.done();
  }

  /** The connection is gone: nobody is left waiting. */
  ended(): void {
    for (const { done } of this.#awaited.values()) done();
  }

  #whole(tag: number, pieces: number): Promise<void> {
    if (pieces === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#awaited.delete(tag);
        resolve();
      };
      this.#awaited.set(tag, { left: pieces, done });
    });
  }
}

export interface ChannelSetup {
  readonly connector: Connector;
  readonly host: Host;
  readonly alpn: Negotiated;
  /** Without ALPN: no WebSocket but messages straight on TLS. */
  readonly bare: boolean;
  /** The server speaks first; for a bare channel alone. */
  readonly greeting?: Order;
}

/** @throws Error when the connection fails. */
export function openChannel(setup: ChannelSetup): Promise<Channel> {
  if (setup.alpn === 'h2') return openHttp2Messages(setup);
  if (setup.alpn === 'http/1.1' || !setup.bare) return openWebSocket(setup);
  return openMessages(setup);
}

async function openWebSocket({ connector, host, alpn }: ChannelSetup): Promise<Channel> {
  const socket = await connector.connect(host, { transport: 'websocket', alpn });
  const { path, headers } = requestHeaders(connector, host);
  const web = new WebSocket(`ws://${host.name}${path}`, {
    perMessageDeflate: false,
    createConnection: () => socket,
    headers,
  });
  await new Promise((resolve, reject) => {
    web.once('open', resolve).once('error', reject);
  });
  const channel = new Channel({
    send: (bytes) => web.send(bytes),
    close: () => web.close(),
  });
  web.on('error', () => web.terminate());
  web.on('close', () => channel.ended());
  web.on('message', (data) => {
    if (Buffer.isBuffer(data)) channel.heard(data);
  });
  return channel;
}

async function openHttp2Messages({ connector, host }: ChannelSetup): Promise<Channel> {
  const socket = await connector.connect(host, { transport: 'h2-messages', alpn: 'h2' });
  const session = http2Session(host, socket);
  const { path, headers } = requestHeaders(connector, host);
  const stream = session.request(
    { ':method': 'POST', ':path': path, 'content-type': MESSAGES_TYPE, ...headers },
    { endStream: false },
  );
  stream.on('close', () => session.close());
  return onStream(stream);
}

async function openMessages({
  connector,
  host,
  greeting,
}: ChannelSetup): Promise<Channel> {
  const told = greeting === undefined ? {} : { greeting: orderToText(greeting) };
  const options = { transport: 'messages', alpn: 'none', ...told } as const;
  return onStream(await connector.connect(host, options), greeting !== undefined);
}

function onStream(stream: Duplex, greets = false): Channel {
  const send = (bytes: Buffer): void => {
    if (!stream.writableEnded && !stream.destroyed) stream.write(framed(bytes));
  };
  const channel = new Channel({ send, close: () => stream.end() }, greets);
  const deframer = new Deframer();
  stream.on('data', (chunk: Buffer) => {
    for (const heard of deframer.push(chunk)) channel.heard(heard);
  });
  stream.on('error', () => stream.destroy());
  stream.on('close', () => channel.ended());
  return channel;
}
