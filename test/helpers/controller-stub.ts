// A controller for tests: a real server on the loopback that answers as the test says and keeps what it took.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Report, reportsRequestSchema } from '../../src/report/report.ts';

interface StubAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly detail?: string;
}

export interface StubRequest {
  readonly reports: readonly Report[];
  readonly bytes: number;
  readonly headers: IncomingMessage['headers'];
  readonly path: string;
}

/**
 * `close`: no answer, the connection ends. `hang`: no answer, it stays. `half-answer`: the answer stops in its midst.
 * `take-and-close`: kept, but not answered.
 */
type Act = StubAnswer | 'take' | 'close' | 'hang' | 'half-answer' | 'take-and-close';

export class ControllerStub {
  readonly requests: StubRequest[] = [];
  /** Reports in the order of their arrival, with those that came again. */
  readonly taken: Report[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #act: (request: StubRequest, index: number) => Act;
  readonly #scheme: string;
  #port = 0;

  constructor(act: (request: StubRequest, index: number) => Act, tls?: ServerOptions) {
    this.#act = act;
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createServer() : createTlsServer(tls);
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', () => {
      this.connections++;
    });
    this.#server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const { reports } = reportsRequestSchema.parse(JSON.parse(body.toString()));
      const { headers, url: path = '' } = request;
      const got: StubRequest = { reports, bytes: body.byteLength, headers, path };
      this.requests.push(got);
      const act = this.#act(got, this.requests.length - 1);
      if (act === 'take' || act === 'take-and-close') this.taken.push(...reports);
      if (act === 'hang') return;
      if (act === 'half-answer') {
        response.writeHead(200, { 'content-length': 10 }).write('half');
        return;
      }
      if (act === 'close' || act === 'take-and-close') {
        request.socket.destroy();
        return;
      }
      const { status, headers: own = {}, detail } = act === 'take' ? OK : act;
      const problem =
        detail === undefined ? {} : { 'content-type': 'application/problem+json' };
      response.writeHead(status, { ...problem, ...own });
      response.end(detail === undefined ? '' : JSON.stringify({ status, detail }));
    });
  }

  /** Where it listens or, stopped, listened. */
  get address(): string {
    return `${this.#scheme}://localhost:${this.#port}`;
  }

  /** The same port as before, if there was one. */
  async start(): Promise<this> {
    this.#server.listen(this.#port, 'localhost');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, 'close');
  }
}

const OK: StubAnswer = { status: 200 };

/** Until it holds; the test's own limit of time ends what never does. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
