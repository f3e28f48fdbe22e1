// What a behaviour sees of the world: hosts dealt to it, requests and messages, time.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Draw } from '../draw.ts';
import type { Order } from '../order.ts';
import type { Host } from '../plan.ts';
import type { Negotiated } from '../profiles.ts';
import { type Channel, openChannel } from './channel.ts';
import type { Connector } from './connector.ts';
import { type Fetcher, openFetcher } from './fetcher.ts';

/** A server's own time for a reply: spread about the host's latency and about the work's median. */
const LATENCY_SIGMA = 0.25;
const WORK_SIGMA = 0.5;

/** A series of pieces. */
export interface Series {
  readonly bytes: number;
  readonly pieces: number;
  readonly gapMs: number;
}

export interface VisitSetup {
  readonly draw: Draw;
  readonly scale: number;
  readonly connector: Connector;
  readonly deal: () => Host;
  readonly alpnOf: (host: Host) => Negotiated;
  readonly signal: AbortSignal;
}

/** One session of one user with one service. */
export class Visit {
  readonly draw: Draw;
  /** Multiplies lengths of time and bulk. */
  readonly scale: number;
  readonly #setup: VisitSetup;
  /** Without ALPN this session's messages go straight on TLS rather than by WebSocket. */
  readonly #bare: boolean;

  constructor(setup: VisitSetup) {
    this.#setup = setup;
    this.draw = setup.draw;
    this.scale = setup.scale;
    this.#bare = setup.draw.chance(0.6);
  }

  /** Deals the next host. */
  host(): Host {
    return this.#setup.deal();
  }

  /** What a connection to the host will agree on. */
  alpn(host: Host): Negotiated {
    return this.#setup.alpnOf(host);
  }

  /** A place to send requests to; over HTTP/1.1 at most `lanes` at a time. */
  async place(host: Host, lanes: number): Promise<Place> {
    const { connector } = this.#setup;
    const setup = { connector, host, alpn: this.alpn(host), lanes };
    return new Place(this, host, await openFetcher(setup));
  }

  /** A line of messages. `greeting`: the server speaks first, and without ALPN no WebSocket is used. */
  async line(host: Host, greeting?: { readonly bytes: number }): Promise<Line> {
    const { connector } = this.#setup;
    const setup = { connector, host, alpn: this.alpn(host), bare: this.#bare };
    if (greeting === undefined) return new Line(this, host, await openChannel(setup));
    const order = this.order(host, { bytes: greeting.bytes, workMs: 5 });
    return new Line(
      this,
      host,
      await openChannel({ ...setup, bare: true, greeting: order }),
    );
  }

  /** An order for one reply, with the host's latency and about `workMs` of work before it. */
  order(
    host: Host,
    { bytes, workMs }: { readonly bytes: number; readonly workMs: number },
  ): Order {
    const latency = this.draw.logNormal(host.latencyMs, LATENCY_SIGMA);
    const waitMs = Math.round(
      latency + this.draw.logNormal(Math.max(0.1, workMs), WORK_SIGMA),
    );
    return {
      bytes: Math.round(bytes),
      waitMs,
      pieces: 1,
      gapMs: 0,
      seed: this.draw.uint32(),
    };
  }

  /** As `order`, for a series. */
  series(host: Host, { bytes, pieces, gapMs }: Series): Order {
    return {
      ...this.order(host, { bytes, workMs: 1 }),
      pieces: Math.round(pieces),
      gapMs,
    };
  }

  /** @throws when the session is over. */
  async pause(ms: number): Promise<void> {
    await sleep(Math.max(0, ms), undefined, { signal: this.#setup.signal });
  }
}

/** Requests to one host. */
export class Place {
  readonly host: Host;
  readonly #visit: Visit;
  readonly #fetcher: Fetcher;

  constructor(visit: Visit, host: Host, fetcher: Fetcher) {
    this.#visit = visit;
    this.host = host;
    this.#fetcher = fetcher;
  }

  /** Gives the bytes received, as the others do. */
  get(bytes: number, workMs: number): Promise<number> {
    return this.#fetcher.fetch({
      order: this.#visit.order(this.host, { bytes, workMs }),
    });
  }

  post(upBytes: number, bytes: number, workMs: number): Promise<number> {
    const order = this.#visit.order(this.host, { bytes, workMs });
    return this.#fetcher.fetch({ order, upBytes });
  }

  /** An answer that comes in pieces. */
  getSeries(series: Series): Promise<number> {
    return this.#fetcher.fetch({ order: this.#visit.series(this.host, series) });
  }

  /** A request that the server holds for `waitMs`. */
  poll(bytes: number, waitMs: number): Promise<number> {
    const order = this.#visit.order(this.host, { bytes, workMs: 1 });
    return this.#fetcher.fetch({ order: { ...order, waitMs: Math.round(waitMs) } });
  }

  close(): void {
    this.#fetcher.close();
  }
}

/** Messages with one host. */
export class Line {
  readonly #visit: Visit;
  readonly #host: Host;
  readonly #channel: Channel;

  constructor(visit: Visit, host: Host, channel: Channel) {
    this.#visit = visit;
    this.#host = host;
    this.#channel = channel;
  }

  get greeted(): Promise<void> {
    return this.#channel.greeted;
  }

  say(bytes: number): void {
    this.#channel.say(bytes);
  }

  /** Resolves with the reply. */
  ask(upBytes: number, bytes: number, workMs: number): Promise<void> {
    return this.#channel.ask(upBytes, this.#visit.order(this.#host, { bytes, workMs }));
  }

  /** Resolves with the last piece; it never rejects, so it may be left to run. */
  askSeries(upBytes: number, series: Series): Promise<void> {
    return this.#channel.ask(upBytes, this.#visit.series(this.#host, series));
  }

  close(): void {
    this.#channel.close();
  }
}
