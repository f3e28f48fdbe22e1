// Peers from PyPI (scikit-learn, LightGBM), in a Python environment of their own in the cache. Nothing needs them: what would be
// compared with them is left out, with a reason, where they cannot be had.

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice');
const DIRECTORY = join(CACHE, 'peers-ml');

/** The interpreter that has them, once they are in place. */
export const PEERS_PYTHON: string = join(DIRECTORY, 'bin', 'python');
/** The command that puts them in place. */
export const PEERS_SETUP = 'npm run reproduce -- --set-up-peers';

const PACKAGES = [
  'scikit-learn==1.5.2',
  'lightgbm==4.5.0',
  'numpy==1.26.4',
  'scipy==1.13.1',
];
const LIMIT_MS = 10 * 60_000;

/** Makes the environment where it is missing. Returns why it cannot be had, undefined when it is there. */
export function setUpPeers(): string | undefined {
  if (existsSync(PEERS_PYTHON)) return undefined;
  const steps: [string, string[]][] = [
    ['python3', ['-m', 'venv', DIRECTORY]],
    [
      PEERS_PYTHON,
      ['-m', 'pip', 'install', '--quiet', '--only-binary=:all:', ...PACKAGES],
    ],
  ];
  for (const [command, args] of steps) {
    const run = spawnSync(command, args, { encoding: 'utf8', timeout: LIMIT_MS });
    if (run.status === 0) continue;
    // A half-made environment would pass for a whole one.
    rmSync(DIRECTORY, { recursive: true, force: true });
    const words = `${run.error?.message ?? ''}${run.stderr ?? ''}`.trim().split('\n');
    return `${command} ${args.slice(0, 2).join(' ')}: ${words.at(-1) ?? `exit code ${run.status}`}`;
  }
  return undefined;
}
