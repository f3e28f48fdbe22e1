// `sluice controller`: keeps what agents report and shows it. Its subcommands work on the data folder, also while it runs.

import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { Command, Option } from 'commander';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { adminToken, adminTokenFile, openDataFolder } from '../controller/data-folder.ts';
import { PAGE_FOLDER, readPage } from '../controller/page.ts';
import { type ControllerOptions, createServer } from '../controller/server.ts';
import { InputError } from '../errors.ts';
import {
  adminTokenCommand,
  enrolCommand,
  revokeCommand,
  sitesCommand,
} from './controller-sites.ts';
import { type DataOption, dataOption } from './data-option.ts';
import { type Address, addressOption } from './options.ts';
import { emit, interruption, say } from './terminal.ts';

/** Requests that are under way at the end have so long. */
const CLOSE_WITHIN_MS = 5000;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

interface StartOptions extends DataOption {
  readonly listen: Address;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly openMetrics?: true;
  readonly logLevel: string;
}

export function controllerCommand(): Command {
  const command = new Command('controller')
    .description('keep what agents report, and show it on a page')
    .addOption(dataOption())
    .addOption(
      new Option('--listen <host:port>', 'port 0: any that is free')
        .default({ host: '127.0.0.1', port: 8787 }, '127.0.0.1:8787')
        .argParser(addressOption),
    )
    .option('--tls-cert <file>', 'certificate chain, PEM: HTTPS, with --tls-key')
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--open-metrics', '/metrics without a token')
    .addOption(
      new Option('--log-level <level>', 'of the log on stderr, JSON lines')
        .choices(LOG_LEVELS)
        .default('info'),
    )
    .addHelpText(
      'after',
      '\nNeeds no configuration: the first start makes the data folder and an admin token. SIGINT and SIGTERM end it\nin good order. Agents are let in with `sluice controller enrol SITE`.',
    )
    .action(start);
  const subcommands = [enrolCommand, sitesCommand, revokeCommand, adminTokenCommand];
  for (const make of subcommands) command.addCommand(make().exitOverride());
  return command;
}

async function start(options: StartOptions): Promise<void> {
  // Before anything is made: database and token are for nobody else to read.
  process.umask(0o077);
  const tls = tlsOf(options);
  const stop = interruption();
  const storage = openDataFolder(options.data);
  try {
    const logger = pino({ level: options.logLevel }, pino.destination(2));
    const token = await adminToken(options.data, storage);
    const server = createServer({
      storage,
      logger: logger.child({ component: 'controller' }),
      nowMs: Date.now,
      page: readPage(PAGE_FOLDER),
      openMetrics: options.openMetrics === true,
      tls,
    });
    const url = await listen(server, options, tls !== undefined);
    await tell(url, token, options);
    await aborted(stop);
    await close(server);
  } finally {
    await storage.close();
  }
}

/** The address it really listens at. */
async function listen(
  server: FastifyInstance,
  { listen: { host, port } }: StartOptions,
  isTls: boolean,
): Promise<URL> {
  try {
    await server.listen({ host, port, listenTextResolver: () => 'listening' });
  } catch (fault) {
    throw new InputError('ERR_LISTEN', listenFault(`${host}:${port}`, fault), {
      cause: fault,
    });
  }
  const name = host.includes(':') ? `[${host}]` : host;
  const url = new URL(`${isTls ? 'https' : 'http'}://${name}`);
  const bound = server.server.address();
  url.port = String(typeof bound === 'object' ? (bound?.port ?? port) : port);
  return url;
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there; give another port with --listen',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'there is no host of this name',
};

function listenFault(address: string, fault: unknown): string {
  const code = fault instanceof Error && 'code' in fault ? String(fault.code) : '';
  const why =
    LISTEN_FAULTS[code] ?? (fault instanceof Error ? fault.message : String(fault));
  return `--listen ${address}: ${why}`;
}

async function tell(
  url: URL,
  token: string | undefined,
  { data }: StartOptions,
): Promise<void> {
  const fragment = token === undefined ? '' : `#token=${token}`;
  const file = adminTokenFile(data);
  await emit(`controller   ${url.origin}`);
  await emit(`page         ${url.origin}/${fragment}`);
  await emit(`admin token  ${file}`);
  await emit(`enrol        sluice controller enrol SITE --data ${shellWord(data)}`);
  if (token === undefined) {
    say(
      `${file}: does not hold the admin token; \`sluice controller admin-token\` makes a new one`,
    );
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    say(
      `${url.host}: tokens and reports go over the network in clear; give --tls-cert and --tls-key`,
    );
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}

/** To be copied into a shell. */
function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function close(server: FastifyInstance): Promise<void> {
  const cutOff = setTimeout(() => server.server.closeAllConnections(), CLOSE_WITHIN_MS);
  await server.close();
  clearTimeout(cutOff);
}

function tlsOf({ tlsCert, tlsKey }: StartOptions): ControllerOptions['tls'] {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new InputError(
      'ERR_TLS_FILES',
      '--tls-cert and --tls-key: both are needed, or none',
    );
  }
  const tls = {
    cert: readPem('--tls-cert', tlsCert),
    key: readPem('--tls-key', tlsKey),
  };
  try {
    createSecureContext(tls);
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    throw new InputError(
      'ERR_TLS_FILES',
      `${tlsCert}, ${tlsKey}: are no certificate and its key in PEM: ${why}`,
      { cause: fault },
    );
  }
  return tls;
}

function readPem(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    throw new InputError('ERR_TLS_FILES', `${option} ${file}: cannot be read: ${why}`, {
      cause: fault,
    });
  }
}
