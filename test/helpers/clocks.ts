// Clocks for tests.

import type { Clock } from '../../src/report/retry.ts';

const START_MS = 1_790_000_000_000;

/** Time passes by `advance` alone. */
export class ManualClock implements Clock {
  #nowMs = START_MS;
  readonly #sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        this.#sleepers.delete(sleeper);
        resolve();
      };
      const sleeper = { dueMs: this.#nowMs + ms, wake };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', wake);
    });
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs <= this.#nowMs) sleeper.wake();
    }
  }
}

/** Nobody has to wait: time jumps, and what was waited for is kept. */
export class JumpingClock implements Clock {
  #nowMs = START_MS;
  readonly waits: number[] = [];

  now(): number {
    return this.#nowMs;
  }

  async wait(ms: number): Promise<void> {
    this.waits.push(ms);
    this.#nowMs += ms;
    // Sockets have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
