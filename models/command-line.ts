// What the training side's commands share: words to stderr, one line a fault, the exit codes of the whole command line.

import { SluiceError } from '../src/errors.ts';

/** As src/bin: done, failed at work, wrong input, interrupted. */
export const EXIT = { done: 0, failed: 1, wrongInput: 2, interrupted: 130 } as const;

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A terminal sends Ctrl-C to us and to the process that started us, which passes it on: the same one comes twice. */
const SAME_SIGNAL_MS = 500;

/**
 * Aborts at the first SIGINT or SIGTERM, and when the process that started us is gone; a second signal ends us as if nobody
 * listened.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  let first: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (first !== undefined && performance.now() - first > SAME_SIGNAL_MS) {
        process.exit(EXIT.interrupted);
      }
      first ??= performance.now();
      controller.abort();
    });
  }
  process.once('disconnect', () => controller.abort());
  // The channel alone is no reason to stay.
  process.channel?.unref();
  return controller.signal;
}

/** Runs a command; faults that a person can mend are lines and exit code 2, all others come with their stack. */
export async function endWith(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (fault) {
    const known = fault instanceof SluiceError;
    const text =
      fault instanceof Error
        ? known
          ? fault.message
          : (fault.stack ?? fault.message)
        : String(fault);
    for (const line of text.split('\n')) say(`sluice: ${line}`);
    process.exitCode = known ? EXIT.wrongInput : EXIT.failed;
  }
}
