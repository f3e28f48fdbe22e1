// Values of a tensor, batch by batch -> the range that its 8 bits are to cover.

import { seededRandom } from '../models/random.ts';
import { InputError } from '../src/errors.ts';
import { leastErrorRange, type Range } from './quantize.ts';

/** How a range is chosen. */
export type RangeMethod =
  /** Whose rounding and clipping errors, squared, are the least. */
  | { readonly kind: 'squared-error' }
  /** That holds all but a share of the values. */
  | { readonly kind: 'percentile'; readonly percent: number }
  | { readonly kind: 'largest' };

/** Reads several, with commas between them. */
export function parseRangeMethods(text: string): RangeMethod[] {
  return text.split(',').map(parseRangeMethod);
}

/** As `parseRangeMethod` reads it. */
export function rangeWords(method: RangeMethod): string {
  return method.kind === 'percentile' ? `percentile:${method.percent}` : method.kind;
}

/** Reads "squared-error", "largest" or "percentile:99.9". */
export function parseRangeMethod(text: string): RangeMethod {
  if (text === 'squared-error' || text === 'largest') return { kind: text };
  const percent = Number(/^percentile:(\d+(?:\.\d+)?)$/.exec(text)?.[1]);
  if (percent > 50 && percent <= 100) return { kind: 'percentile', percent };
  throw new InputError(
    'ERR_RANGE_METHOD',
    `a range is chosen by "${text}", expected squared-error, largest or percentile:P with P above 50 and at most 100`,
  );
}

/** Values that are kept of each tensor, drawn evenly from all batches. */
const KEPT_VALUES = 20_000;

export class RangeFinder {
  readonly #random = seededRandom(1);
  readonly #perBatch: number;
  readonly #kept: number[] = [];
  #low = 0;
  #high = 0;

  /** @param batches how many will be added */
  constructor(batches: number) {
    this.#perBatch = Math.ceil(KEPT_VALUES / Math.max(batches, 1));
  }

  add(values: Float32Array): void {
    for (const value of values) {
      if (value < this.#low) this.#low = value;
      if (value > this.#high) this.#high = value;
    }
    if (values.length <= this.#perBatch) {
      for (const value of values) this.#kept.push(value);
      return;
    }
    // Drawn: every n-th one would be of one channel where n is a multiple of their number.
    for (let i = 0; i < this.#perBatch; i++) {
      this.#kept.push(values[Math.floor(this.#random() * values.length)] ?? 0);
    }
  }

  range(method: RangeMethod): Range {
    const largest = { low: this.#low, high: this.#high };
    switch (method.kind) {
      case 'largest':
        return largest;
      case 'percentile':
        return percentileRange(this.#kept, method.percent);
      case 'squared-error':
        return leastErrorRange(Float32Array.from(this.#kept), largest);
      default:
        return method satisfies never;
    }
  }
}

/** Zero is always inside: padding is zeros. */
function percentileRange(values: readonly number[], percent: number): Range {
  const sorted = Float32Array.from(values).sort();
  const last = sorted.length - 1;
  const at = (share: number) => sorted[Math.round(share * last)] ?? 0;
  const share = percent / 100;
  return { low: Math.min(at(1 - share), 0), high: Math.max(at(share), 0) };
}
