// What the nearest neighbour compares of a series. Axes: B flows, T steps, C channels.

import { SERIES_CHANNELS } from '../../src/features/shapes.ts';
import type { Samples } from '../samples.ts';

/** Steps that are compared: later packets tell little, and it costs a product of both sets. */
const COMPARED_STEPS = 30;

/** [B, T, C] -> [B, 30]: size times direction. */
export function signedSizes({ inputs, count }: Samples): Float32Array {
  const steps = inputs.series.length / count / SERIES_CHANNELS;
  const sizes = new Float32Array(count * COMPARED_STEPS);
  for (let b = 0; b < count; b++) {
    for (let t = 0; t < Math.min(steps, COMPARED_STEPS); t++) {
      const at = (b * steps + t) * SERIES_CHANNELS;
      sizes[b * COMPARED_STEPS + t] =
        (inputs.series[at + 1] ?? 0) * (inputs.series[at + 2] ?? 0);
    }
  }
  return sizes;
}
