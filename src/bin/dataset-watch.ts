// Reading a data set at the terminal: a line now and then on how far it is; SIGINT and SIGTERM stop it, with nothing written.

import { setImmediate } from 'node:timers/promises';
import type { Watch } from '../dataset/read-progress.ts';
import { EXIT_INTERRUPTED, interruption, say, thousands } from './terminal.ts';

const WORD_MS = 3_000;

interface Watched extends Watch {
  /** What the work gives; undefined: it was stopped, which has been said. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T | undefined>;
}

export function watchRows(): Watched {
  const signal = interruption();
  let next = Date.now() + WORD_MS;
  return {
    signal,
    progress: (rows, all) => {
      if (Date.now() < next) return;
      next = Date.now() + WORD_MS;
      say(`read ${thousands(rows)} of ${thousands(all)} flows`);
    },
    run: async (work) => {
      try {
        const made = await work();
        // What computes without a pause is told of a signal only here.
        await setImmediate();
        signal.throwIfAborted();
        return made;
      } catch (fault) {
        if (!signal.aborted || fault !== signal.reason) throw fault;
        say('stopped: nothing was written');
        process.exitCode = EXIT_INTERRUPTED;
        return undefined;
      }
    },
  };
}
