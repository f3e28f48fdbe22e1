// Puts Keras (TensorFlow 2.15.1, CPU) into the user's cache, for what is compared with it: `npm run bench:training` and the
// tests of parity. Nothing else needs it. Plain Node without dependencies; safe to run again at any time.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice');
const READY = join(CACHE, 'keras-2.15.1');
const PARTIAL = `${READY}.partial`;
/** The version behind native training, so that kernels are the same. */
const REQUIREMENT = 'tensorflow-cpu==2.15.1';
const LIMIT_MS = 15 * 60_000;

function say(text) {
  console.error(`setup-keras: ${text}`);
}

function run(command, args) {
  const { status, signal, error, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status === 0) return true;
  say(`${command} failed (${error?.message ?? `exit ${status ?? signal}`})`);
  for (const line of (stderr ?? '').trimEnd().split('\n').slice(-4)) say(`| ${line}`);
  return false;
}

function works(python) {
  return run(python, ['-c', 'import tensorflow']);
}

if (existsSync(READY) && works(join(READY, 'bin', 'python'))) {
  say('Keras is in place already');
} else {
  mkdirSync(CACHE, { recursive: true });
  rmSync(PARTIAL, { recursive: true, force: true });
  rmSync(READY, { recursive: true, force: true });
  say(`${REQUIREMENT} from PyPI (250 MB, 1.3 GB unpacked) into ${READY}`);
  const python = join(PARTIAL, 'bin', 'python');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  const done =
    run('python3', ['-m', 'venv', PARTIAL]) &&
    run(python, [...pip, '--only-binary=:all:', REQUIREMENT]) &&
    works(python);
  if (done) {
    // Renamed last: a directory of this name is complete.
    renameSync(PARTIAL, READY);
    say('done');
  } else {
    rmSync(PARTIAL, { recursive: true, force: true });
    say(
      'Keras cannot be had here (it wants Python 3.9 to 3.11 and PyPI); what compares with it is skipped',
    );
    process.exitCode = 1;
  }
}
