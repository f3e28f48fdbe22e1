// The programs of the lab that are built or installed on first use, and those that the machine has to bring.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../src/errors.ts';

/** Of the checkout: this file runs as dist/lab/software/toolchain.js. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BUILT = join(ROOT, 'build-lab');
const BUILD_TIMEOUT_MS = 600_000;

export const TOOLS = {
  path: join(BUILT, 'emulator/lab-path'),
  tap: join(BUILT, 'emulator/lab-tap'),
  goPlayer: join(BUILT, 'go/player'),
  goServer: join(BUILT, 'go/server'),
  python: join(BUILT, 'venv/bin/python'),
  /** Folder of classes. */
  java: join(BUILT, 'java'),
  /** Folder of folders, one a film. */
  films: join(BUILT, 'films'),
} as const;

export function playerFile(name: string): string {
  return join(ROOT, 'lab/players', name);
}

interface Recipe {
  readonly title: string;
  /** Programs that it takes. */
  readonly wants: readonly string[];
  /** What it is made of: built anew when one of them has changed. */
  readonly sources: readonly string[];
  readonly makes: string;
  readonly commands: readonly (readonly [command: string, ...args: string[]])[];
  readonly folder?: string;
}

const EMULATOR: Recipe = {
  title: 'the path emulator and the capture',
  wants: ['cmake', 'g++'],
  sources: [
    'lab/emulator/CMakeLists.txt',
    ...[
      'delay-line',
      'lateness',
      'packet-pool',
      'path',
      'settings',
      'process',
      'tun',
    ].flatMap((name) => [`lab/emulator/src/${name}.cpp`, `lab/emulator/src/${name}.hpp`]),
    'lab/emulator/src/lab-path.cpp',
    'lab/emulator/src/lab-tap.cpp',
    'lab/emulator/src/pcap-writer.cpp',
    'native/src/packet-ring.cpp',
    'native/src/ring-block.cpp',
  ],
  makes: TOOLS.path,
  commands: [
    ['cmake', '-S', 'lab/emulator', '-B', 'build-lab/emulator'],
    ['cmake', '--build', 'build-lab/emulator'],
  ],
};

const GO: Recipe = {
  title: 'player and server in Go',
  wants: ['go'],
  sources: [
    ...['go.mod', 'go.sum', 'player/main.go', 'player/means.go', 'player/play.go'],
    'server/main.go',
  ].map((file) => `lab/go/${file}`),
  makes: TOOLS.goPlayer,
  commands: [['go', 'build', '-o', `${join(BUILT, 'go')}/`, './...']],
  folder: 'lab/go',
};

const PYTHON: Recipe = {
  title: 'the players in Python',
  wants: ['python3'],
  sources: ['lab/players/python/requirements.txt'],
  makes: TOOLS.python,
  commands: [
    ['python3', '-m', 'venv', 'build-lab/venv'],
    [
      join(BUILT, 'venv/bin/pip'),
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '-r',
      'lab/players/python/requirements.txt',
    ],
  ],
};

const JAVA_SOURCES = ['Json', 'Means', 'Player', 'Step'].map(
  (name) => `lab/players/java/${name}.java`,
);
const JAVA: Recipe = {
  title: 'the player in Java',
  wants: ['javac', 'java'],
  sources: JAVA_SOURCES,
  makes: join(TOOLS.java, 'Player.class'),
  commands: [['javac', '-d', TOOLS.java, ...JAVA_SOURCES]],
};

const FILMS: Recipe = {
  title: 'films',
  wants: ['ffmpeg'],
  sources: ['lab/media/films.ts', 'lab/media/make-films.ts'],
  makes: join(TOOLS.films, 'ready'),
  commands: [[process.execPath, 'dist/lab/media/make-films.js', TOOLS.films]],
};

export const RECIPES = {
  emulator: EMULATOR,
  films: FILMS,
  go: GO,
  java: JAVA,
  python: PYTHON,
} as const;

/** Whether a program can be found. */
export function present(command: string): boolean {
  if (command.includes('/')) return existsSync(command);
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  return path.split(':').some((folder) => existsSync(join(folder, command)));
}

/** Programs that the lab cannot do without, and Debian's package for each. */
const NEEDED: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  ethtool: 'ethtool',
  openssl: 'openssl',
};

/** @throws InputError in one line: not root, or programs are missing. */
export function checkMachine(): void {
  if (process.getuid?.() !== 0)
    throw new InputError(
      'ERR_LAB_ROOT',
      'the lab makes network namespaces: run it as root',
    );
  if (!existsSync('/dev/net/tun'))
    throw new InputError(
      'ERR_LAB_TUN',
      '/dev/net/tun is missing: the lab needs TUN devices',
    );
  const missing = Object.keys(NEEDED).filter((command) => !present(command));
  if (missing.length > 0) {
    const packages = missing.map((command) => NEEDED[command]).join(' ');
    throw new InputError(
      'ERR_LAB_TOOL',
      `${missing.join(', ')} not installed: apt-get install ${packages}`,
    );
  }
}

/**
 * Builds what is missing or older than its sources. What cannot be built for want of a program is told in words.
 *
 * @throws InputError ERR_LAB_BUILD when a build fails.
 */
export function build(recipe: Recipe, tell: (line: string) => void): string | undefined {
  const stampFile = `${recipe.makes}.sources`;
  const stamp = digest(recipe.sources);
  const built = existsSync(recipe.makes) && existsSync(stampFile);
  if (built && readFileSync(stampFile, 'utf8') === stamp) return undefined;
  const missing = recipe.wants.filter((command) => !present(command));
  if (missing.length > 0) return `${recipe.title}: ${missing.join(', ')} not installed`;
  tell(`lab: building ${recipe.title}`);
  mkdirSync(join(BUILT, 'go'), { recursive: true });
  for (const [command, ...args] of recipe.commands) {
    const cwd = join(ROOT, recipe.folder ?? '.');
    const done = spawnSync(command, args, {
      cwd,
      encoding: 'utf8',
      timeout: BUILD_TIMEOUT_MS,
    });
    if (done.status !== 0) {
      const said = `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`;
      const end = said.trim().split('\n').slice(-3).join(' / ');
      throw new InputError('ERR_LAB_BUILD', `${recipe.title}: ${command} failed: ${end}`);
    }
  }
  writeFileSync(stampFile, stamp);
  return undefined;
}

function digest(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(ROOT, file)));
  return hash.digest('hex');
}
