// A controller to talk to: in this process with a clock of its own, or as a process that can be killed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { adminToken, openDataFolder } from '../../src/controller/data-folder.ts';
import { PAGE_FOLDER, readPage } from '../../src/controller/page.ts';
import { createServer } from '../../src/controller/server.ts';
import type { SqliteStorage } from '../../src/controller/sqlite-storage.ts';
import { newToken, tokenHash } from '../../src/controller/tokens.ts';
import type { ClassCount, Report } from '../../src/report/report.ts';
import { temporaryFolder } from './temporary-folder.ts';

const PROGRAM = fileURLToPath(new URL('../../src/bin/sluice.js', import.meta.url));

/** 2026-11-24 12:00 UTC, a whole hour. */
export const NOON_MS = Date.UTC(2026, 10, 24, 12);
export const MINUTE_MS = 60_000;
export const BOOT = '0b6f0d5e-7b1c-4d2a-9f3e-5a6b7c8d9e0f';

export function classCount(flows: number): ClassCount {
  return {
    flows,
    packetsUp: flows * 10,
    packetsDown: flows * 20,
    bytesUp: flows * 1000,
    bytesDown: flows * 5000,
  };
}

/** Report `sequence` of a boot: of the minute that begins so many minutes after noon. */
export function report(
  site: string,
  sequence: number,
  change: Partial<Report> = {},
): Report {
  const startMs = NOON_MS + sequence * MINUTE_MS;
  return {
    version: 1,
    site,
    boot: BOOT,
    sequence,
    startMs,
    endMs: startMs + MINUTE_MS,
    agent: { version: '0.1.0', model: 'router-cnn@0123456789ab' },
    classes: { video: classCount(3), unknown: classCount(1), other: classCount(2) },
    drops: { kernel: 5, 'short-ip-header': 2 },
    lost: { classifier: 4 },
    ...change,
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a JSON text, else undefined. */
  readonly json: unknown;
}

/** What a client does with one token. */
export class Client {
  readonly #url: string;
  readonly #token: string | undefined;

  constructor(url: string, token?: string) {
    this.#url = url;
    this.#token = token;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#send(path, { headers: { ...this.#headers(), ...headers } });
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.postText(path, JSON.stringify(body));
  }

  postText(
    path: string,
    body: string | Uint8Array,
    type = 'application/json',
  ): Promise<Answer> {
    const headers = { ...this.#headers(), 'content-type': type };
    // A copy: the types of fetch want bytes over memory that is not shared.
    const bytes = typeof body === 'string' ? body : new Uint8Array(body);
    return this.#send(path, { method: 'POST', headers, body: bytes });
  }

  reports(reports: readonly unknown[]): Promise<Answer> {
    return this.post('/v1/reports', { reports });
  }

  #headers(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
  }

  async #send(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(`${this.#url}${path}`, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined;
    return { status: response.status, headers: response.headers, text, json };
  }
}

export interface TestController {
  readonly url: string;
  readonly folder: string;
  readonly storage: SqliteStorage;
  /** The clock: tests turn it. */
  readonly clock: { nowMs: number };
  readonly admin: Client;
  readonly nobody: Client;
  /** A client with the token of a new site. */
  readonly enrol: (name: string) => Promise<Client>;
  readonly close: () => Promise<void>;
}

/** In this process, on a port and in a folder of its own. */
export async function startController(
  options: { readonly folder?: string; readonly openMetrics?: boolean } = {},
): Promise<TestController> {
  const folder = options.folder ?? temporaryFolder('controller');
  const storage = openDataFolder(folder);
  const clock = { nowMs: NOON_MS };
  const server = createServer({
    storage,
    logger: pino({ level: 'silent' }),
    nowMs: () => clock.nowMs,
    page: readPage(PAGE_FOLDER),
    openMetrics: options.openMetrics === true,
    tls: undefined,
  });
  const token = await adminToken(folder, storage);
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    folder,
    storage,
    clock,
    admin: new Client(url, token),
    nobody: new Client(url),
    enrol: async (name) => {
      const site = newToken();
      await storage.addSite(name, tokenHash(site), clock.nowMs);
      return new Client(url, site);
    },
    close: async () => {
      await server.close();
      await storage.close();
    },
  };
}

export interface ControllerProcess {
  readonly url: string;
  /** Lines of stdout up to the address. */
  readonly lines: readonly string[];
  readonly child: ChildProcess;
  /** Sends the signal and waits for the end; the exit code, or the signal that ended it. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | NodeJS.Signals | null>;
}

/** `sluice controller` with these arguments, once it listens; `runner` is a shell's words before it. */
export async function startProcess(
  args: readonly string[],
  runner = '',
): Promise<ControllerProcess> {
  const words = [
    process.execPath,
    PROGRAM,
    'controller',
    '--log-level',
    'error',
    ...args,
  ];
  const child = spawn('sh', ['-c', `${runner} exec "$@"`, 'sh', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.startsWith('enrol ')) break;
  }
  const url = /^controller +(\S+)/.exec(lines[0] ?? '')?.[1];
  if (url === undefined)
    throw new Error(`the controller did not start: ${args.join(' ')}`);
  return {
    url,
    lines,
    child,
    end: async (signal) => {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
      return child.signalCode ?? child.exitCode;
    },
  };
}

/** A site's token, made on the database of a folder whether a controller runs or not. */
export async function enrolIn(folder: string, name: string): Promise<string> {
  const storage = openDataFolder(folder);
  const token = newToken();
  await storage.addSite(name, tokenHash(token), NOON_MS);
  await storage.close();
  return token;
}
