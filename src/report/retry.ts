// When to try again. Time and chance come in as parameters.

import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Wall clock. */
  now(): number;
  /** Resolves after `ms`, or when the signal comes. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export const WALL_CLOCK: Clock = {
  now: () => Date.now(),
  wait: async (ms, signal) => {
    await delay(ms, undefined, { signal }).catch(() => undefined);
  },
};

const LEAST_MS = 1_000;
const MOST_MS = 300_000;
/** A controller that asks for more is not believed. */
const RETRY_AFTER_MOST_MS = 3_600_000;

/**
 * Exponential with full jitter between 1 s and 5 min: sites that lost their controller at the same moment come back spread
 * out. `attempt` counts from 0; `random` is in [0, 1).
 */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(MOST_MS, LEAST_MS * 2 ** (attempt + 1));
  return LEAST_MS + random * (ceiling - LEAST_MS);
}

/** For what only a person mends: 2.5 to 5 min. */
export function slowMs(random: number): number {
  return (MOST_MS / 2) * (1 + random);
}

/** Not before the controller said, and not all sites at once. */
export function afterMs(retryAfterMs: number, random: number): number {
  return Math.min(retryAfterMs, RETRY_AFTER_MOST_MS) + random * LEAST_MS;
}

/** Retry-After (RFC 9110 10.2.3): seconds or a date. undefined where it is neither. */
export function parseRetryAfter(
  value: string | undefined,
  nowMs: number,
): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
