// The client software of the lab: each plays every scenario, so that no TLS stack stands for a class.

import { existsSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FILMS } from '../media/films.ts';
import { run } from '../processes.ts';
import type { Ability, Protocol } from '../scenario/step.ts';
import { playerFile, present, TOOLS } from './toolchain.ts';

/** What a player process is started with. */
interface PlayerSetup {
  /** The authority's certificate. */
  readonly authority: string;
  /** A folder of its own. */
  readonly home: string;
  /** Names of the hosts that speak HTTP/3. */
  readonly quicHosts: readonly string[];
}

export interface ClientSoftware {
  readonly name: string;
  /** Whose TLS it is. */
  readonly stack: string;
  readonly protocols: readonly Protocol[];
  readonly abilities: readonly Ability[];
  /** Whether its channels over HTTP/3 are requests whose body and answer are open at the same time. */
  readonly streams: boolean;
  /** Of the seats of a batch, so many in a hundred: a browser costs as much as ten of the others. */
  readonly share: number;
  /** Of a batch's seats no more have it. */
  readonly most: number;
  /** Why it cannot be used on this machine; undefined when it can. */
  lacking(): string | undefined;
  command(setup: PlayerSetup): Promise<readonly string[]>;
}

function nodeProgram(name: string): string {
  return fileURLToPath(new URL(`../players/${name}.js`, import.meta.url));
}

interface Browser {
  readonly kind: 'chromium' | 'firefox';
  readonly stack: string;
  readonly executable: string;
  /** Debian's. */
  readonly package: string;
  /** In the player's home: where the browser looks for whom it trusts. */
  readonly database: string;
}

const CHROMIUM: Browser = {
  kind: 'chromium',
  stack: 'BoringSSL',
  executable: '/usr/bin/chromium',
  package: 'chromium',
  database: '.pki/nssdb',
};
const FIREFOX: Browser = {
  kind: 'firefox',
  stack: 'NSS',
  executable: '/usr/bin/firefox-esr',
  package: 'firefox-esr',
  database: '.',
};

function browser(of: Browser, protocol: 'h2' | 'h3'): ClientSoftware {
  return {
    name: protocol === 'h2' ? of.kind : `${of.kind}-quic`,
    stack: of.stack,
    protocols: [protocol],
    // Without ffmpeg there are no films.
    abilities: [
      'requests',
      'channels',
      'talk',
      ...(present('ffmpeg') ? ['films' as const] : []),
    ],
    streams: false,
    share: 9,
    most: 1,
    lacking: () => {
      if (!present(of.executable))
        return `${of.package} is not installed: apt-get install ${of.package}`;
      return present('certutil')
        ? undefined
        : 'certutil is not installed: apt-get install libnss3-tools';
    },
    command: async ({ authority, home, quicHosts }) => {
      const database = join(home, of.database);
      await mkdir(database, { recursive: true });
      await run('certutil', ['-N', '-d', `sql:${database}`, '--empty-password']);
      const trust = ['-A', '-d', `sql:${database}`, '-n', 'lab', '-t', 'C,,', '-i'];
      await run('certutil', [...trust, authority]);
      const player = nodeProgram(`${of.kind}-player`);
      return [process.execPath, player, protocol, home, quicHosts.join(',')];
    },
  };
}

/** Debian's own Python: pycurl for another one would be built with another TLS. */
const SYSTEM_PYTHON = '/usr/bin/python3';
const PYCURL = '/usr/lib/python3/dist-packages/pycurl';

const CURL: ClientSoftware = {
  name: 'curl',
  stack: 'GnuTLS',
  protocols: ['h1', 'h2', 'imap', 'smtp'],
  abilities: ['requests', 'channels', 'mail'],
  streams: false,
  share: 10,
  most: 3,
  lacking: () =>
    present(SYSTEM_PYTHON) && existsSync(dirname(PYCURL)) && hasPycurl()
      ? undefined
      : 'pycurl is not installed: apt-get install python3-pycurl',
  command: async ({ authority }) => [
    SYSTEM_PYTHON,
    '-B',
    playerFile('python/curl_player.py'),
    authority,
  ],
};

function hasPycurl(): boolean {
  const files = readdirSync(dirname(PYCURL));
  return files.some((file) => file.startsWith(`${basename(PYCURL)}.`));
}

function python(
  name: string,
  file: string,
  protocols: readonly Protocol[],
): ClientSoftware {
  return {
    name,
    stack: name === 'aioquic' ? 'aioquic' : 'OpenSSL',
    protocols,
    abilities: ['requests', 'channels', ...(name === 'aioquic' ? [] : ['mail' as const])],
    streams: true,
    share: name === 'aioquic' ? 22 : 12,
    most: 4,
    lacking: () =>
      present(TOOLS.python) ? undefined : 'python3 with venv is not installed',
    command: async ({ authority }) => [
      TOOLS.python,
      '-B',
      playerFile(`python/${file}`),
      authority,
    ],
  };
}

/** A program of the command line; one process a request or page. */
function command(name: 'wget' | 'aria2c', debian: string): ClientSoftware {
  return {
    name,
    stack: 'GnuTLS',
    protocols: ['h1'],
    abilities: ['requests'],
    streams: false,
    share: 5,
    most: 2,
    lacking: () =>
      present(name) ? undefined : `${name} is not installed: apt-get install ${debian}`,
    command: async ({ authority, home }) => [
      SYSTEM_PYTHON,
      '-B',
      playerFile('python/command_player.py'),
      name,
      authority,
      home,
    ],
  };
}

const FFMPEG: ClientSoftware = {
  name: 'ffmpeg',
  stack: 'GnuTLS',
  protocols: ['h1'],
  abilities: ['films'],
  streams: false,
  share: 2,
  most: 1,
  lacking: () =>
    present('ffmpeg') ? undefined : 'ffmpeg is not installed: apt-get install ffmpeg',
  command: async () => [
    'env',
    `LAB_FILMS=${FILMS.map(({ name, rungs }) => `${name}:${rungs.length}`).join(',')}`,
    SYSTEM_PYTHON,
    '-B',
    playerFile('python/ffmpeg_player.py'),
  ],
};

function go(name: string, protocols: readonly Protocol[]): ClientSoftware {
  return {
    name,
    stack: 'Go',
    protocols,
    abilities: ['requests', 'channels'],
    streams: true,
    share: name === 'quic-go' ? 14 : 12,
    most: 4,
    lacking: () => (present(TOOLS.goPlayer) ? undefined : 'go is not installed'),
    command: async ({ authority }) => [TOOLS.goPlayer, authority],
  };
}

const JAVA: ClientSoftware = {
  name: 'java',
  stack: 'JSSE',
  protocols: ['h1', 'h2'],
  abilities: ['requests', 'channels'],
  streams: false,
  share: 10,
  most: 3,
  lacking: () =>
    present(join(TOOLS.java, 'Player.class'))
      ? undefined
      : 'a Java compiler is not installed',
  // A small machine: the quick compiler alone, and little memory.
  command: async ({ authority }) => [
    'java',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Xmx192m',
    '-cp',
    TOOLS.java,
    'Player',
    authority,
  ],
};

const NODE: ClientSoftware = {
  name: 'node',
  stack: 'OpenSSL',
  protocols: ['h1', 'h2'],
  abilities: ['requests', 'channels'],
  streams: true,
  share: 12,
  most: 4,
  lacking: () => undefined,
  command: async ({ authority }) => [
    process.execPath,
    nodeProgram('node-player'),
    authority,
  ],
};

export const CLIENTS: readonly ClientSoftware[] = [
  browser(CHROMIUM, 'h2'),
  browser(CHROMIUM, 'h3'),
  browser(FIREFOX, 'h2'),
  browser(FIREFOX, 'h3'),
  CURL,
  command('wget', 'wget'),
  command('aria2c', 'aria2'),
  FFMPEG,
  NODE,
  python('python', 'tcp_player.py', ['h1', 'h2', 'imap', 'smtp']),
  python('aioquic', 'quic_player.py', ['h3']),
  go('go', ['h1', 'h2']),
  go('quic-go', ['h3']),
  JAVA,
];
