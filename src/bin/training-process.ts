// Starts what trains, evaluates and exports models as a process of its own: it lives in models/ and export/ and wants tfjs, of
// which src knows nothing.
// Signals are passed on, and its exit code is ours.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { InputError } from '../errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs dist/models/NAME.js with its options as JSON: see `runProgram`. */
export async function runTrainingProcess(
  name: string,
  options: Readonly<Record<string, unknown>>,
): Promise<number> {
  return runProgram(`models/${name}.js`, [JSON.stringify(options)]);
}

/**
 * Runs dist/PATH, its streams being ours, until it ends.
 *
 * @returns its exit code, 128 + number of the signal that ended it
 * @throws InputError ERR_TRAINING_SETUP: this installation is without the training side
 */
export async function runProgram(path: string, args: readonly string[]): Promise<number> {
  const script = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  if (!existsSync(script) || !hasTraining()) {
    throw new InputError(
      'ERR_TRAINING_SETUP',
      'training is not set up here: in a checkout, npm run setup:training and npm run build put it in place; routers need neither',
    );
  }
  // The channel tells the child when we are gone, killed without a word.
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  const passOn = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, passOn);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
  } finally {
    for (const signal of SIGNALS) process.off(signal, passOn);
  }
}

function hasTraining(): boolean {
  try {
    createRequire(import.meta.url).resolve('@tensorflow/tfjs');
    return true;
  } catch {
    return false;
  }
}
