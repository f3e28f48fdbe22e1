// One request with reports -> what came of it. Redirects are not followed: the token is for the controller alone.

import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as AgentTls, request as requestTls } from 'node:https';
import { InputError } from '../errors.ts';

const TIMEOUT_MS = 30_000;
/** A problem's detail is a sentence. */
const ANSWER_BYTES_MAX = 1 << 14;

export interface ControllerAddress {
  /** `https://controller.example:8443`, with or without a path before `/v1/reports`. */
  readonly controller: string;
  readonly token: string;
  /** PEM of the authority that signed the controller's certificate, instead of the system's. */
  readonly ca?: string;
  /** Of one request, from connecting to the answer's end. */
  readonly timeoutMs?: number;
}

export type Answer =
  | { readonly kind: 'answered'; readonly response: PlainResponse }
  | { readonly kind: 'failed'; readonly fault: NodeJS.ErrnoException };

export interface PlainResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Its first bytes. */
  readonly body: string;
}

export class Poster {
  readonly url: URL;
  readonly #token: string;
  readonly #timeoutMs: number;
  readonly #agent: Agent;

  /** @throws InputError ERR_CONTROLLER_ADDRESS, ERR_CONTROLLER_TOKEN */
  constructor({ controller, token, ca, timeoutMs = TIMEOUT_MS }: ControllerAddress) {
    this.url = addressOf(controller);
    if (!/^[\x21-\x7e]+$/.test(token)) {
      const message = `controller ${controller}: its token is empty or has blanks or other signs, expected what the controller gave for this site`;
      throw new InputError('ERR_CONTROLLER_TOKEN', message);
    }
    this.#token = token;
    this.#timeoutMs = timeoutMs;
    // One connection: reports go one after the other.
    const options = { keepAlive: true, maxSockets: 1 };
    const tls = { ...options, ...(ca === undefined ? {} : { ca }) };
    this.#agent = this.url.protocol === 'https:' ? new AgentTls(tls) : new Agent(options);
  }

  /** Never rejects: what went wrong is an answer too. */
  async post(body: string, signal: AbortSignal): Promise<Answer> {
    const first = await this.#try(body, signal);
    if (!first.stale || signal.aborted) return first.answer;
    return (await this.#try(body, signal)).answer;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** `stale`: the kept connection was closed meanwhile, which says nothing of the controller. */
  #try(body: string, signal: AbortSignal): Promise<{ answer: Answer; stale: boolean }> {
    const bytes = Buffer.from(body);
    return new Promise((resolve) => {
      const send = this.url.protocol === 'https:' ? requestTls : requestHttp;
      const request = send(this.url, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          authorization: `Bearer ${this.#token}`,
          'content-type': 'application/json',
          'content-length': bytes.byteLength,
        },
        signal,
      });
      const timer = setTimeout(() => {
        request.destroy(new Error(`no answer within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      const end = (answer: Answer, stale = false) => {
        clearTimeout(timer);
        resolve({ answer, stale });
      };
      request.on('error', (fault: NodeJS.ErrnoException) => {
        const closed = fault.code === 'ECONNRESET' || fault.code === 'EPIPE';
        end({ kind: 'failed', fault }, closed && request.reusedSocket);
      });
      request.on('response', (response) => {
        readAnswer(response).then(end, (fault) => end({ kind: 'failed', fault }));
      });
      request.end(bytes);
    });
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  let body = '';
  response.setEncoding('utf8');
  for await (const text of response) {
    body += text;
    // Leaving the loop ends the connection.
    if (body.length > ANSWER_BYTES_MAX) break;
  }
  const { statusCode: status = 0, headers } = response;
  return { kind: 'answered', response: { status, headers, body } };
}

function addressOf(controller: string): URL {
  const url = URL.canParse(controller) ? new URL(controller) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new InputError(
      'ERR_CONTROLLER_ADDRESS',
      `controller "${controller}" is no address, expected one such as https://controller.example:8443`,
    );
  }
  return new URL(`${url.pathname.replace(/\/+$/, '')}/v1/reports`, url);
}
