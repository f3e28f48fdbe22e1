// Puts in place what training needs: the packages of the `models` workspace and, where it can be had, the native
// TensorFlow library behind tfjs-node. Without it training still works, on the wasm backend, only slower.
// Plain Node without dependencies: it runs before anything is installed or built. Safe to run again at any time.
//
//   already works -> the package's own download -> the library out of TensorFlow's Python wheel -> wasm

import { spawnSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TFJS_NODE = join(ROOT, 'node_modules', '@tensorflow', 'tfjs-node');
const DEPS = join(TFJS_NODE, 'deps');
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice');

/** tfjs-node calls util.isNullOrUndefined, which Node 23 took away. */
const FIRST_NODE_WITHOUT = 23;
/** What tfjs-node 4.22 looks for before it downloads anything. */
const LIBRARY = 'libtensorflow.so.2.9.1';

/** The C interface is stable, so the library of a newer TensorFlow serves; 207 MB, 600 MB unpacked. */
const WHEEL = {
  requirement: 'tensorflow-cpu==2.15.1',
  python: '3.11',
  platform: 'manylinux2014_x86_64',
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
};
const WHEEL_LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const WHEEL_HEADERS = [
  'tensorflow/c/',
  'tensorflow/core/platform/',
  'tensorflow/tsl/',
  'tsl/',
];
/** The names by which tfjs-node and its linker look for the wheel's libraries. */
const LIBRARY_LINKS = {
  'libtensorflow.so': 'libtensorflow_cc.so.2',
  [LIBRARY]: 'libtensorflow_cc.so.2',
  'libtensorflow_framework.so': 'libtensorflow_framework.so.2',
};

const CONNECT_LIMIT_MS = 5_000;
const DOWNLOAD_LIMIT_MS = 10 * 60_000;
const BUILD_LIMIT_MS = 3 * 60_000;

function say(text) {
  console.error(`setup-training: ${text}`);
}

/** Runs a command; on failure says its last lines. Returns whether it succeeded. */
function run(command, args, limitMs, options = {}) {
  const done = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: limitMs,
    maxBuffer: 1 << 28,
    ...options,
  });
  if (done.status === 0) return true;
  const why = done.error?.message ?? `exit ${done.status ?? done.signal}`;
  const tail = `${done.stdout ?? ''}${done.stderr ?? ''}`.trimEnd().split('\n').slice(-4);
  say(`  ${command} failed (${why})`);
  for (const line of tail) if (line) say(`  | ${line}`);
  return false;
}

/** Runs one step and says what it took. */
async function step(title, work) {
  const start = performance.now();
  say(`${title} ...`);
  const ok = await work();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  say(`${title}: ${ok ? 'done' : 'no'} (${seconds} s)`);
  return ok;
}

/** Loads the library in a process of its own and multiplies: anything less has been seen to succeed and then crash. */
function nativeWorks() {
  const probe =
    "const tf = require('@tensorflow/tfjs-node');" +
    'const x = tf.tensor2d([[1, 2], [3, 4]]);' +
    'process.exit(tf.matMul(x, x).dataSync()[3] === 22 ? 0 : 1);';
  const done = spawnSync(process.execPath, ['-e', probe], {
    cwd: join(ROOT, 'models'),
    timeout: 120_000,
    stdio: 'ignore',
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
  });
  return done.status === 0;
}

/** tfjs-node's own install script: downloads the library unless it lies in deps/, then builds the binding. */
function rebuild(limitMs) {
  const args = ['rebuild', '--ignore-scripts=false', '@tensorflow/tfjs-node'];
  return run('npm', args, limitMs) && nativeWorks();
}

/** Whether the site that tfjs-node downloads from answers: its own script waits for minutes where packets are dropped. */
async function siteAnswers() {
  const env = process.env;
  if (env.HTTPS_PROXY || env.https_proxy) return true;
  const manifest = JSON.parse(readFileSync(join(TFJS_NODE, 'package.json'), 'utf8'));
  const site = new URL(
    env.TFJS_NODE_CDN_STORAGE || env.CDN_STORAGE || manifest.binary.host,
  );
  const port = Number(site.port) || (site.protocol === 'http:' ? 80 : 443);
  try {
    const { address } = await within(CONNECT_LIMIT_MS, lookup(site.hostname));
    return await new Promise((resolve) => {
      const socket = connect({ host: address, port, timeout: CONNECT_LIMIT_MS });
      const end = (answer) => () => {
        socket.destroy();
        resolve(answer);
      };
      socket.on('connect', end(true)).on('timeout', end(false)).on('error', end(false));
    });
  } catch {
    return false;
  }
}

function within(limitMs, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), limitMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function officialDownload() {
  if (!(await siteAnswers())) {
    say('  the download site does not answer from here');
    return false;
  }
  return rebuild(DOWNLOAD_LIMIT_MS);
}

/** The wheel's library and headers, unpacked once into the cache. Returns the directory, undefined if it cannot be. */
function unpackedWheel() {
  const unpacked = join(CACHE, 'tensorflow-2.15.1');
  if (existsSync(unpacked)) return unpacked;
  const download = join(CACHE, 'wheel');
  mkdirSync(download, { recursive: true });
  const requirements = join(download, 'requirements.txt');
  writeFileSync(requirements, `${WHEEL.requirement} --hash=sha256:${WHEEL.sha256}\n`);
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:'];
  pip.push('--disable-pip-version-check', '--require-hashes', '--dest', download);
  pip.push(
    '--platform',
    WHEEL.platform,
    '--python-version',
    WHEEL.python,
    '-r',
    requirements,
  );
  say(`  pip download ${WHEEL.requirement} (207 MB)`);
  if (!run('python3', pip, DOWNLOAD_LIMIT_MS)) return undefined;
  const partial = `${unpacked}.partial`;
  rmSync(partial, { recursive: true, force: true });
  if (!run('python3', ['-c', UNZIP, download, partial], BUILD_LIMIT_MS)) return undefined;
  // Renamed last: a directory of this name is complete.
  renameSync(partial, unpacked);
  rmSync(download, { recursive: true, force: true });
  return unpacked;
}

const UNZIP = `
import glob, os, sys, zipfile
source, target = sys.argv[1:]
libraries = ${JSON.stringify(WHEEL_LIBRARIES.map((name) => `tensorflow/${name}`))}
headers = ${JSON.stringify(WHEEL_HEADERS.map((name) => `tensorflow/include/${name}`))}
with zipfile.ZipFile(glob.glob(os.path.join(source, '*.whl'))[0]) as wheel:
    for name in wheel.namelist():
        if name in libraries or (name.endswith('.h') and name.startswith(tuple(headers))):
            wheel.extract(name, target)
`;

/** A second name for a file of 600 MB, never a copy. */
function link(from, to) {
  try {
    linkSync(from, to);
  } catch {
    // Another file system, or one without hard links.
    symlinkSync(from, to);
  }
}

function libraryFromWheel() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    say(`  the wheel is for linux x64, this is ${process.platform} ${process.arch}`);
    return false;
  }
  const unpacked = unpackedWheel();
  if (unpacked === undefined) return false;
  rmSync(DEPS, { recursive: true, force: true });
  mkdirSync(join(DEPS, 'lib'), { recursive: true });
  symlinkSync(join(unpacked, 'tensorflow', 'include'), join(DEPS, 'include'), 'dir');
  for (const name of WHEEL_LIBRARIES) {
    link(join(unpacked, 'tensorflow', name), join(DEPS, 'lib', name));
  }
  for (const [name, target] of Object.entries(LIBRARY_LINKS)) {
    symlinkSync(target, join(DEPS, 'lib', name));
  }
  say('  building the binding');
  return rebuild(BUILD_LIMIT_MS);
}

async function nativeLibrary() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= FIRST_NODE_WITHOUT) {
    say(
      `tfjs-node 4.22 does not run on Node ${major} (it needs Node < ${FIRST_NODE_WITHOUT})`,
    );
    return false;
  }
  if (nativeWorks()) {
    say('native TensorFlow is in place already');
    return true;
  }
  if (existsSync(join(DEPS, 'lib', LIBRARY))) {
    if (
      await step('binding for the library found in place', () => rebuild(BUILD_LIMIT_MS))
    )
      return true;
    rmSync(DEPS, { recursive: true, force: true });
  }
  return (
    (await step("tfjs-node's own download", officialDownload)) ||
    (await step("library from TensorFlow's Python wheel", libraryFromWheel))
  );
}

async function packages() {
  if (existsSync(join(ROOT, 'node_modules', '@tensorflow', 'tfjs'))) return true;
  return await step('npm ci', () => run('npm', ['ci'], DOWNLOAD_LIMIT_MS));
}

if (!(await packages())) {
  say('the packages could not be installed; mend the above and run this again');
  process.exit(1);
}
if (await nativeLibrary()) {
  say('training will use native TensorFlow');
} else {
  say(
    'training will use the wasm backend: everything works, a step takes 2-10 times as long',
  );
}
