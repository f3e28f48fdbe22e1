// A series shorter than T need not be computed to its end: where a model takes any number of steps, a batch is cut to the least
// of a few lengths that holds its longest flow. A few, not all: onnxruntime plans its memory anew for each shape.
// Axes: B flows, T steps, C channels.

import { SERIES_CHANNELS } from '../features/shapes.ts';

const LENGTHS = [32, 128, 256, 1024];

/** Channel that is 0 in padding alone. */
const DIRECTION = 2;

/** Lengths that a batch may be cut to, ascending, T itself last. */
export function stepBuckets(seriesSteps: number): number[] {
  return [...LENGTHS.filter((steps) => steps < seriesSteps), seriesSteps];
}

/** Steps up to the last one that any of the first `flows` rows has. series: [B, T, C] */
export function longestOf(
  series: Float32Array,
  flows: number,
  seriesSteps: number,
): number {
  const row = seriesSteps * SERIES_CHANNELS;
  let longest = 0;
  for (let b = 0; b < flows; b++) {
    for (let t = seriesSteps - 1; t >= longest; t--) {
      if (series[b * row + t * SERIES_CHANNELS + DIRECTION] === 0) continue;
      longest = t + 1;
      break;
    }
  }
  return longest;
}

/** The first `steps` steps of each of the first `flows` rows, put together in `into`: [B, T, C] -> [B, steps, C], a view. */
export function cutTo(
  steps: number,
  series: Float32Array,
  { flows, seriesSteps, into }: CutOptions,
): Float32Array {
  const [from, to] = [seriesSteps * SERIES_CHANNELS, steps * SERIES_CHANNELS];
  for (let b = 0; b < flows; b++) {
    into.set(series.subarray(b * from, b * from + to), b * to);
  }
  return into.subarray(0, flows * to);
}

export interface CutOptions {
  readonly flows: number;
  /** T */
  readonly seriesSteps: number;
  /** As large as `series` at least. */
  readonly into: Float32Array;
}
