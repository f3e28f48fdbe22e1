// Labelled flows and running counters -> the counts of one window after another.

import type { ClassCount, Report } from './report.ts';

/** Counters that only grow, by name. */
export type Totals = Readonly<Record<string, number>>;

/** What a window holds of a report. */
export type WindowCounts = Pick<
  Report,
  'startMs' | 'endMs' | 'classes' | 'drops' | 'lost'
>;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Counts by class since the window began; drops and losses as what their totals have grown by. */
export class WindowTally {
  #startMs: number;
  #classes = new Map<string, Mutable<ClassCount>>();
  #drops: Totals = {};
  #lost: Totals = {};

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  get startMs(): number {
    return this.#startMs;
  }

  /** Counts a flow, or what `counts` says of several. */
  add(name: string, counts: ClassCount): void {
    const sum = this.#classes.get(name);
    if (sum === undefined) {
      this.#classes.set(name, { ...counts });
      return;
    }
    sum.flows += counts.flows;
    sum.packetsUp += counts.packetsUp;
    sum.packetsDown += counts.packetsDown;
    sum.bytesUp += counts.bytesUp;
    sum.bytesDown += counts.bytesDown;
  }

  /** Ends the window at `endMs` and begins the next one there. Totals are those of the whole run. */
  close(
    endMs: number,
    totals: { readonly drops: Totals; readonly lost: Totals },
  ): WindowCounts {
    // A clock that was set back must not make a window without length.
    const end = Math.max(endMs, this.#startMs + 1);
    const counts: WindowCounts = {
      startMs: this.#startMs,
      endMs: end,
      classes: Object.fromEntries(this.#classes),
      drops: growth(totals.drops, this.#drops),
      lost: growth(totals.lost, this.#lost),
    };
    this.#startMs = end;
    this.#classes = new Map();
    this.#drops = { ...totals.drops };
    this.#lost = { ...totals.lost };
    return counts;
  }
}

/** By how much each counter has grown; those that have not are left out. */
function growth(now: Totals, before: Totals): Record<string, number> {
  const grown = Object.entries(now).map(
    ([name, total]) => [name, total - (before[name] ?? 0)] as const,
  );
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}
