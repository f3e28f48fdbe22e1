// The controller over HTTP: Fastify set up so that every answer is one of api.ts or a problem, whatever comes in.

import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import { type Access, ROUTES, type Route, type RouteName } from './api.ts';
import { type Handler, handlersOf } from './handlers.ts';
import { Counters } from './metrics.ts';
import { INDEX, type PageFile, SECURITY_HEADERS } from './page.ts';
import { PROBLEM_TYPE, Problem, problemBody, problemOf } from './problem.ts';
import type { Storage } from './storage.ts';
import { bearerToken, isSameHash, tokenHash } from './tokens.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The site whose token came with the request; empty where a route does not ask for one. */
    site: string;
  }
}

export const BODY_BYTES_MOST = 2 ** 20;
/** A request has to be in by then: slow senders hold no connection for long. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface ControllerOptions {
  readonly storage: Storage;
  readonly logger: FastifyBaseLogger;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** By path (page.ts). */
  readonly page: ReadonlyMap<string, PageFile>;
  /** /metrics without a token. */
  readonly openMetrics: boolean;
  /** PEM; HTTPS when given. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
}

/** Ready to listen; it does not close the storage. */
export function createServer(options: ControllerOptions): FastifyInstance {
  const { storage, logger, openMetrics, page } = options;
  const counters = new Counters();
  const server = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MOST,
    forceCloseConnections: 'idle',
    serverFactory: (listener) => httpServer(listener, options.tls),
    frameworkErrors: (fault, _request, reply) => {
      sendProblem(reply, problemOf(fault, BODY_BYTES_MOST));
    },
    clientErrorHandler: refuseBytes,
  });
  server.decorateRequest('site', '');
  server.addHook('onSend', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
  });
  server.addHook('onResponse', async ({ routeOptions, method }, reply) => {
    counters.request(routeOptions.url ?? 'none', method, reply.statusCode);
  });
  server.setErrorHandler((fault, request, reply) => {
    const problem = problemOf(fault, BODY_BYTES_MOST);
    if (request.routeOptions.url === ROUTES.addReports.path) {
      counters.refused(problem.reason);
    }
    logProblem(request, problem);
    sendProblem(reply, problem);
  });
  server.setNotFoundHandler(({ method, url }, reply) => {
    const detail = `${method} ${url.slice(0, 80)}: no such address; /openapi.json lists all`;
    sendProblem(reply, new Problem(404, 'request', detail));
  });
  const handlers: Readonly<Record<RouteName, Handler>> = handlersOf({
    ...options,
    counters,
  });
  for (const [name, route] of Object.entries<Route>(ROUTES)) {
    const handle = handlers[name as RouteName];
    server.route({
      method: route.method,
      url: route.path.replace(/\{(\w+)\}/g, ':$1'),
      onRequest: gate(storage, route.access, openMetrics),
      handler: async (request, reply) => {
        const answer = await handle(request);
        reply.code(route.status);
        reply.type(typeof route.answer === 'string' ? route.answer : 'application/json');
        return answer;
      },
    });
  }
  servePage(server, page);
  return server;
}

function httpServer(
  listener: http.RequestListener,
  tls: ControllerOptions['tls'],
): http.Server {
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: 75_000 };
  return tls === undefined
    ? http.createServer(limits, listener)
    : https.createServer({ ...limits, ...tls }, listener);
}

/** Before the body is read: only who has a token may send one. */
function gate(
  storage: Storage,
  access: Access,
  openMetrics: boolean,
): (request: FastifyRequest) => Promise<void> {
  if (access === 'open' || (access === 'metrics' && openMetrics)) return async () => {};
  return async (request) => {
    const token = bearerToken(request.headers.authorization);
    const whose = access === 'site' ? "the site's token" : 'the admin token';
    if (token === undefined) {
      throw unauthorized(`no token: send "Authorization: Bearer TOKEN" with ${whose}`);
    }
    const hash = tokenHash(token);
    if (access !== 'site') {
      const expected = await storage.adminTokenHash();
      if (expected !== undefined && isSameHash(hash, expected)) return;
      throw unauthorized(`this is not ${whose}`, 'invalid_token');
    }
    const owner = await storage.tokenOwner(hash);
    if (owner === undefined) {
      throw unauthorized('this is the token of no site', 'invalid_token');
    }
    if (owner.isRevoked) {
      throw unauthorized(
        `the token of site "${owner.site}" was revoked: enrol the site anew`,
        'invalid_token',
      );
    }
    request.site = owner.site;
  };
}

/** RFC 6750, 3: without a token no error code. */
function unauthorized(detail: string, code?: string): Problem {
  const error = code === undefined ? '' : `, error="${code}"`;
  return new Problem(401, 'token', detail, {
    headers: { 'www-authenticate': `Bearer realm="sluice"${error}` },
  });
}

function servePage(server: FastifyInstance, page: ReadonlyMap<string, PageFile>): void {
  const send = (name: string, request: FastifyRequest, reply: FastifyReply) => {
    const file = page.get(name);
    if (file === undefined) return reply.callNotFound();
    reply.headers({ etag: file.etag, 'cache-control': 'no-cache' });
    if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
    return reply.type(file.type).send(file.bytes);
  };
  server.get('/', (request, reply) => send(INDEX, request, reply));
  server.get<{ Params: { '*': string } }>('/page/*', (request, reply) =>
    send(request.params['*'], request, reply),
  );
}

/** What clients did wrong is of interest to their operator, what we did wrong to ours. */
function logProblem(request: FastifyRequest, problem: Problem): void {
  const { status, reason, message: detail, cause } = problem;
  const facts = { route: request.routeOptions.url, status, reason, detail };
  if (status < 500) request.log.info(facts, 'request refused');
  else request.log.error({ ...facts, err: cause }, 'request failed');
}

function sendProblem(reply: FastifyReply, problem: Problem): void {
  const { status, message, headers } = problem;
  // As text: an object would get the content type of plain JSON.
  reply
    .code(status)
    .headers(headers)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemBody(status, message)));
}

/** Bytes that are no request: there is no reply to use, so the answer is written by hand. */
function refuseBytes(fault: Error & { readonly code?: string }, socket: Socket): void {
  if (fault.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = byteProblem(fault.code);
  const body = problemBody(status, detail);
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${body.title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}

function byteProblem(code: string | undefined): readonly [number, string] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return [408, `the request was not in after ${REQUEST_TIMEOUT_MS / 1000} s`];
  }
  if (code === 'HPE_HEADER_OVERFLOW') return [431, 'the headers are too long'];
  return [400, 'this is not an HTTP request'];
}
