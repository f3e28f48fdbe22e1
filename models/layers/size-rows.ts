// Which row of a table a size has: one of its own, or one that rare sizes near to each other share. A row that training saw a
// few times holds chance, and wears out first.

import { SERIES_CHANNELS } from '../../src/features/shapes.ts';

/** Counts signed sizes of series, for `ownRows` of a network's sizes. */
export class SizeCounts {
  readonly #counts = new Map<number, number>();

  /** @param series [B, T, C] with sizes as `signed-bytes` */
  add(series: Float32Array): void {
    for (let at = 0; at < series.length; at += SERIES_CHANNELS) {
      // Direction 0 is padding.
      if (series[at + 2] === 0) continue;
      const size = series[at + 1] ?? 0;
      this.#counts.set(size, (this.#counts.get(size) ?? 0) + 1);
    }
  }

  /** Those that were met at least `minimum` times; ascending. */
  atLeast(minimum: number): number[] {
    return [...this.#counts]
      .filter(([, count]) => count >= minimum)
      .map(([size]) => size)
      .sort((a, b) => a - b);
  }
}

/** Row of each size from -limit to limit; rows are 0, 1, 2, … without a gap. */
export function rowsOfSizes(options: {
  readonly limit: number;
  readonly sharedBytes: number;
  readonly ownRows?: readonly number[] | undefined;
}): Int32Array {
  const { limit, sharedBytes, ownRows } = options;
  const own = ownRows === undefined ? undefined : new Set(ownRows);
  const names = new Map<string, number>();
  return Int32Array.from({ length: 2 * limit + 1 }, (_, i) => {
    const size = i - limit;
    const name =
      own === undefined || own.has(size)
        ? `${size}`
        : // Truncated, so that no bucket holds both directions but that of the smallest.
          `about ${Math.sign(size)} ${Math.trunc(size / sharedBytes)}`;
    const row = names.get(name) ?? names.size;
    names.set(name, row);
    return row;
  });
}
