// Sets up whatever a checkout is missing: packages, native addon, compiled TypeScript. Run by `npm run demo` and `npm test`;
// what is there already and newer than its sources is left alone. With --all also what development needs.
// Plain JavaScript without dependencies: it runs before anything is installed.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const all = process.argv.includes('--all');

/** Newest change under the given files and folders, ms since the epoch; 0 when there is none. */
function newest(...paths) {
  let time = 0;
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const facts = statSync(path);
    if (facts.isDirectory()) {
      time = Math.max(
        time,
        newest(...readdirSync(path).map((name) => `${path}/${name}`)),
      );
    } else time = Math.max(time, facts.mtimeMs);
  }
  return time;
}

function fail(what, cure) {
  console.error(`setup: ${what}`);
  console.error(`       ${cure}`);
  process.exit(1);
}

/** Runs one step; its output is shown only when it fails. */
function step(title, command, args, cure) {
  process.stderr.write(`setup: ${title} ... `);
  const start = Date.now();
  const run = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) {
    console.error('failed');
    console.error(`${run.stdout ?? ''}${run.stderr ?? ''}${run.error?.message ?? ''}`);
    fail(`"${command} ${args.join(' ')}" did not work`, cure);
  }
  console.error(`${((Date.now() - start) / 1000).toFixed(1)} s`);
}

function present(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function checkTools() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(
      `Node ${process.versions.node} is too old`,
      'Install Node 20.19 or later, best 22 or 24.',
    );
  }
  if (!present('cmake')) {
    fail('cmake is missing', 'Install it, on Debian with: apt-get install cmake');
  }
  if (!['c++', 'g++', 'clang++'].some(present) && !process.env.CXX) {
    fail('a C++ compiler is missing', 'Install one, on Debian with: apt-get install g++');
  }
}

/** Whether what package.json wants is installed, in the locked versions. */
function installed(withWorkspaces) {
  const listing = 'node_modules/.package-lock.json';
  if (!existsSync(listing)) return false;
  const { packages: have } = JSON.parse(readFileSync(listing, 'utf8'));
  const { packages: want } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const direct = (manifest) =>
    Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  const workspaces = withWorkspaces ? [...direct(want.lab), ...direct(want.models)] : [];
  const names = [...direct(want['']), ...workspaces];
  return names.every((name) => {
    const at = `node_modules/${name}`;
    return (
      have[at] !== undefined && have[at].version === want[at]?.version && existsSync(at)
    );
  });
}

if (!installed(all)) {
  // Libraries of training and of the lab are workspaces of their own: whoever only runs sluice never downloads them.
  const args = all ? ['ci'] : ['ci', '--workspaces=false'];
  step(
    'installing packages',
    'npm',
    args,
    'Check the network and the registry that npm is configured for, then try again.',
  );
}

const addon = 'build/Release/sluice_native.node';
if (newest('native/src', 'native/CMakeLists.txt') > newest(addon)) {
  checkTools();
  step(
    'building the native flow table',
    'npm',
    ['run', '-s', 'build:native'],
    'The compiler has to know C++20: g++ 11, clang 14 or later.',
  );
}

// The compiler writes only what changed, so the stamp is its own build information's.
if (!all && newest('src', 'tsconfig.base.json') > newest('dist/src')) {
  step(
    'compiling TypeScript',
    'npx',
    ['--no-install', 'tsc', '-p', 'src/tsconfig.json'],
    'This is a fault of the checkout: see the messages above.',
  );
}
