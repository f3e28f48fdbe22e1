// Where the program stands: a training that cannot be repeated says so.

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The commit; `-dirty` behind it where what decides weights has changed since; `unknown` without git. */
export function gitCommit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  try {
    const places = ['src', 'native', 'models', 'export'];
    const changed = git('status', '--porcelain', '--', ...places);
    return git('rev-parse', 'HEAD').trim() + (changed.trim() === '' ? '' : '-dirty');
  } catch {
    return 'unknown';
  }
}
