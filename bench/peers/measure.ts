// One run of a program -> what it cost. The kernel counts: processor time of the program, of its threads and of the
// children it has waited for (getrusage(2), as bash's `time` reports it to the millisecond), and the greatest resident
// memory of the largest of these processes (as /usr/bin/time reports it).

import { spawn } from 'node:child_process';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError, SluiceError } from '../../src/errors.ts';

const TIME = '/usr/bin/time';
const STDERR_KEPT = 2000;
const RUN_TIMEOUT_MS = 600_000;
/** $0 and $1 are files: the peak memory and what the program says. Node itself would be counted were it the parent. */
const SCRIPT = `faults=$1; shift
TIMEFORMAT='%3R %3U %3S'
time ${TIME} --quiet --output="$0" --format=%M "$@" >/dev/null 2>"$faults"`;

export interface Cost {
  /** User and system. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly peakBytes: number;
}

/** @throws InputError ERR_PEERS_TOOL when the machine lacks what measuring needs. */
export async function checkMeasuring(): Promise<void> {
  for (const [path, cure] of [
    [TIME, 'time'],
    ['/bin/bash', 'bash'],
  ] as const) {
    await access(path).catch((cause: unknown) => {
      const message = `${path} is not installed: apt-get install ${cure}`;
      throw new InputError('ERR_PEERS_TOOL', message, { cause });
    });
  }
}

/** Runs `work` with a directory that is gone afterwards. */
export async function inDirectory<T>(
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-peers-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Runs a program to its end; its output is thrown away.
 *
 * @throws SluiceError ERR_PEERS_RUN when it fails or does not end, with what it said.
 */
export function measure(command: readonly string[], signal: AbortSignal): Promise<Cost> {
  return inDirectory(async (directory) => {
    const memory = join(directory, 'memory');
    const faults = join(directory, 'faults');
    const args = ['-c', SCRIPT, memory, faults, ...command];
    const limit = AbortSignal.any([signal, AbortSignal.timeout(RUN_TIMEOUT_MS)]);
    const { code, said } = await runBash(args, limit);
    signal.throwIfAborted();
    const times = /^([\d.]+) ([\d.]+) ([\d.]+)$/m.exec(said);
    if (code !== 0 || times === null) {
      const words = (await readFile(faults, 'utf8').catch(() => said)).trim();
      throw new SluiceError(
        'ERR_PEERS_RUN',
        `${command.join(' ')}: exit code ${code}, expected 0: ${words.slice(-STDERR_KEPT)}`,
      );
    }
    const [wall = 0, user = 0, system = 0] = times.slice(1).map(Number);
    const kibibytes = Number((await readFile(memory, 'utf8')).trim());
    return {
      cpuSeconds: user + system,
      wallSeconds: wall,
      peakBytes: kibibytes * 1024,
    };
  });
}

function runBash(
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    // A process group of its own, so that the program goes with its bash.
    const child = spawn('/bin/bash', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    const stop = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    };
    signal.addEventListener('abort', stop, { once: true });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', stop);
      resolve({ code, said });
    });
  });
}
