// The command line as a user runs it: a process of its own.

import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Inside } from './veth.ts';

const PROGRAM = fileURLToPath(new URL('../../src/bin/sluice.js', import.meta.url));
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));

export interface Outcome {
  /** Exit code; undefined when a signal or the time limit ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command may take; for longer ones there is an argument. */
const LIMIT_MS = 60_000;

/** Runs `sluice` with arguments; `input` goes to its standard input. */
export function sluice(
  args: readonly string[],
  input?: Uint8Array,
  limitMs = LIMIT_MS,
): Promise<Outcome> {
  return run([process.execPath, PROGRAM, ...args], input, limitMs);
}

/** The same, run by another program such as `ip netns exec NAME`. */
export function sluiceUnder(
  runner: readonly string[],
  args: readonly string[],
  input?: Uint8Array,
): Promise<Outcome> {
  return run([...runner, process.execPath, PROGRAM, ...args], input, LIMIT_MS);
}

function run(
  [command = process.execPath, ...args]: readonly string[],
  input: Uint8Array | undefined,
  limitMs: number,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { timeout: limitMs, maxBuffer: 1 << 28, cwd: ROOT },
      (_fault, stdout, stderr) => {
        resolve({ code: child.exitCode ?? undefined, stdout, stderr });
      },
    );
    child.stdin?.end(input);
  });
}

/** Starts `sluice`; who starts it ends it. */
export function startSluice(args: readonly string[]): Inside {
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  return new Inside(spawn(process.execPath, [PROGRAM, ...args], { stdio, cwd: ROOT }));
}

/** The JSON objects of an output, one a line. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
