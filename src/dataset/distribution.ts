// Values, as many as come -> quantiles, in memory that does not grow: counts in bins that are 2% wide, so a quantile is off by 1% at
// most.

const WIDTH: number = Math.log(1.02);
/** 5%, quartiles, 95%. */
export const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

export interface Quantiles {
  readonly count: number;
  /** In the order of QUANTILES; none of no values. */
  readonly at: readonly number[];
}

/** Of values from 0 on. */
export class Distribution {
  #count = 0;
  #zeros = 0;
  readonly #bins = new Map<number, number>();

  add(value: number): void {
    this.#count++;
    if (value <= 0) {
      this.#zeros++;
      return;
    }
    const bin = Math.floor(Math.log(value) / WIDTH);
    this.#bins.set(bin, (this.#bins.get(bin) ?? 0) + 1);
  }

  quantiles(): Quantiles {
    if (this.#count === 0) return { count: 0, at: [] };
    const bins = [...this.#bins].sort(([a], [b]) => a - b);
    const at = QUANTILES.map((share) => {
      let left = share * this.#count - this.#zeros;
      if (left <= 0 && this.#zeros > 0) return 0;
      for (const [bin, count] of bins) {
        left -= count;
        if (left <= 0) return middle(bin);
      }
      return middle(bins.at(-1)?.[0] ?? 0);
    });
    return { count: this.#count, at };
  }
}

function middle(bin: number): number {
  return Number(Math.exp((bin + 0.5) * WIDTH).toPrecision(4));
}
