// What the training side's commands share: words to stderr, one line a fault, the exit codes of the whole command line.

import { SluiceError } from '../src/errors.ts';

/** As src/bin: done, failed at work, wrong input, interrupted. */
export const EXIT = { done: 0, failed: 1, wrongInput: 2, interrupted: 130 } as const;

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Aborts at the first SIGINT or SIGTERM; a second one ends the process as usual. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => controller.abort());
  }
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
