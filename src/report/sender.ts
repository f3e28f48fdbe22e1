// Spool -> controller, in order, at least once: what is not acknowledged is sent again, under the same boot and sequence.

import { SpoolError } from '../errors.ts';
import { type ControllerAddress, Poster } from './post.ts';
import { REPORTS_PER_REQUEST, type Report } from './report.ts';
import { afterMs, backoffMs, type Clock, slowMs, WALL_CLOCK } from './retry.ts';
import type { SpooledReport } from './segment-log.ts';
import type { Spool } from './spool.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** Of reports in a request, so that a body with what is around and between them has less than 512 KiB. */
const BATCH_BYTES_MAX = (1 << 19) - 256;

/** Told on each change, never for a try. */
export type SenderState =
  | { readonly state: 'connected'; readonly sinceMs: number }
  | { readonly state: 'away'; readonly sinceMs: number; readonly reason: string }
  | { readonly state: 'denied'; readonly sinceMs: number; readonly reason: string };

/** A report that was moved to the spool's folder `refused`. */
export interface RefusedReport {
  readonly boot: string;
  readonly sequence: number;
  readonly status: number;
  readonly detail: string;
}

export interface SenderOptions extends ControllerAddress {
  readonly spool: Spool;
  readonly onState: (state: SenderState) => void;
  readonly onRefused: (report: RefusedReport) => void;
  readonly clock?: Clock;
  /** In [0, 1). */
  readonly random?: () => number;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #poster: Poster;
  readonly #clock: Clock;
  readonly #random: () => number;
  #state: SenderState | undefined;
  #attempt = 0;
  /** Reports of the next request: one after a failure, then twice as many each time, so that a slow line gets on too. */
  #ramp = REPORTS_PER_REQUEST;
  /** Of the first so many reports one at least is invalid: the search for it halves them. */
  #suspects = 0;
  /** Halved for each answer that a body is too large, and left there: the limit on the way is most likely a setting. */
  #batchBytes = BATCH_BYTES_MAX;

  /** @throws InputError ERR_CONTROLLER_ADDRESS, ERR_CONTROLLER_TOKEN */
  constructor(options: SenderOptions) {
    this.#options = options;
    this.#poster = new Poster(options);
    this.#clock = options.clock ?? WALL_CLOCK;
    this.#random = options.random ?? Math.random;
  }

  /** Sends until the signal comes; a request in flight is then broken off, its reports stay in the spool. Once only. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (await this.#options.spool.available(signal)) {
        const delayMs = await this.#round(signal);
        if (delayMs > 0) await this.#clock.wait(delayMs, signal);
      }
    } finally {
      this.#poster.close();
    }
  }

  /** One request; how long to wait after it. */
  async #round(signal: AbortSignal): Promise<number> {
    const batch = await this.#batch();
    if (typeof batch === 'string') return this.#later(batch);
    if (batch.length === 0) return 0;
    const body = `{"reports":[${batch.map(({ json }) => json).join()}]}`;
    const answer = await this.#poster.post(body, signal);
    if (answer.kind === 'failed' && signal.aborted) return 0;
    const verdict = verdictOf(answer, this.#poster.url, this.#clock.now());
    return await this.#follow(verdict, batch);
  }

  /** The oldest reports, or why they cannot be read now. */
  async #batch(): Promise<SpooledReport[] | string> {
    const search = Math.ceil(this.#suspects / 2);
    const reports = Math.min(this.#ramp, search === 0 ? REPORTS_PER_REQUEST : search);
    try {
      return await this.#options.spool.peek({ reports, bytes: this.#batchBytes });
    } catch (cause) {
      if (!(cause instanceof SpoolError) || cause.code === 'ERR_SPOOL_CLOSED')
        throw cause;
      return cause.message;
    }
  }

  async #follow(verdict: Verdict, batch: readonly SpooledReport[]): Promise<number> {
    switch (verdict.kind) {
      case 'taken':
        await this.#options.spool.acknowledge(batch);
        this.#suspects = Math.max(0, this.#suspects - batch.length);
        this.#ramp = Math.min(REPORTS_PER_REQUEST, 2 * this.#ramp);
        this.#connected();
        return 0;
      case 'later':
        return this.#later(verdict.reason, verdict.retryAfterMs);
      case 'denied':
        this.#ramp = 1;
        this.#tell('denied', verdict.reason);
        return slowMs(this.#random());
      case 'too-large':
        if (batch.length === 1) return await this.#refuse(batch, verdict);
        this.#batchBytes = Math.floor(bytesOf(batch) / 2);
        return 0;
      case 'invalid':
        if (batch.length === 1) return await this.#refuse(batch, verdict);
        this.#suspects = batch.length;
        return 0;
      default:
        return verdict satisfies never;
    }
  }

  #later(reason: string, retryAfterMs?: number): number {
    this.#ramp = 1;
    this.#tell('away', reason);
    const random = this.#random();
    const delayMs = backoffMs(this.#attempt++, random);
    if (retryAfterMs === undefined) return delayMs;
    return Math.max(delayMs, afterMs(retryAfterMs, random));
  }

  /** The rest goes on without it. */
  async #refuse(
    batch: readonly SpooledReport[],
    { status, reason }: { readonly status: number; readonly reason: string },
  ): Promise<number> {
    this.#suspects = 0;
    this.#connected();
    for (const report of batch) {
      await this.#options.spool.refuse(report, { status, detail: reason });
      // Ours, as its CRC says.
      const { boot, sequence } = JSON.parse(report.json) as Report;
      this.#options.onRefused({ boot, sequence, status, detail: reason });
    }
    return 0;
  }

  #connected(): void {
    this.#attempt = 0;
    if (this.#state?.state === 'connected') return;
    this.#change({ state: 'connected', sinceMs: this.#clock.now() });
  }

  #tell(state: 'away' | 'denied', reason: string): void {
    if (this.#state?.state === state) return;
    this.#change({ state, sinceMs: this.#clock.now(), reason });
  }

  #change(state: SenderState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}

function bytesOf(batch: readonly SpooledReport[]): number {
  return batch.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
}
