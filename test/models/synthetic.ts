// Flows that never were: each class has its own packet sizes and gaps, with much noise. For tests that must not wait for
// the lab's captures. Axes: B flows, T steps, C channels, S statistics.

import { type Random, seededRandom } from '../../models/random.ts';
import type { Samples } from '../../models/samples.ts';
import {
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_CHANNELS,
} from '../../src/features/shapes.ts';

export interface SyntheticShape {
  /** B */
  readonly count: number;
  /** K */
  readonly classes: number;
  /** T */
  readonly seriesSteps: number;
  /** S */
  readonly statistics: number;
}

const HANDSHAKE_SIZE = HANDSHAKE_MESSAGES * HANDSHAKE_BYTES;

/** The same seed gives the same flows. */
export function syntheticSamples(seed: number, shape: SyntheticShape): Samples {
  const { count, classes, seriesSteps, statistics } = shape;
  const random = seededRandom(seed);
  const labels = Int32Array.from({ length: count }, () => Math.floor(random() * classes));
  const bytes = new Uint8Array(count * HANDSHAKE_SIZE);
  const series = new Float32Array(count * seriesSteps * SERIES_CHANNELS);
  const numbers = new Float32Array(count * statistics);
  for (const [b, label] of labels.entries()) {
    fillBytes(
      bytes.subarray(b * HANDSHAKE_SIZE, (b + 1) * HANDSHAKE_SIZE),
      label,
      random,
    );
    const row = seriesSteps * SERIES_CHANNELS;
    fillSeries(series.subarray(b * row, (b + 1) * row), label / classes, random);
    for (let s = 0; s < statistics; s++) {
      numbers[b * statistics + s] = Math.sin(s * (label + 1)) + 2 * gaussian(random);
    }
  }
  return {
    count,
    inputs: { handshake_bytes: bytes, series, statistics: numbers },
    labels,
  };
}

/** [M, N]: two messages of random length, some of their bytes telling of the class. */
function fillBytes(into: Uint8Array, label: number, random: Random): void {
  for (let m = 0; m < 2; m++) {
    const length = 150 + Math.floor(random() * 300);
    for (let n = 0; n < length; n++) {
      const telling = n % 7 === 0 && random() < 0.5;
      into[m * HANDSHAKE_BYTES + n] = telling ? label * 20 : Math.floor(random() * 256);
    }
  }
}

/** [T, C]: gaps, sizes (multiples of 128 bytes) and directions of a flow of random length, zeros behind. */
function fillSeries(into: Float32Array, share: number, random: Random): void {
  const steps = into.length / SERIES_CHANNELS;
  const packets = 5 + Math.floor(random() * (steps - 5));
  for (let t = 0; t < packets; t++) {
    into[t * SERIES_CHANNELS] = 6 * share * random() + random();
    into[t * SERIES_CHANNELS + 1] = 0.4 + 11 * random() ** (1 + 3 * share);
    into[t * SERIES_CHANNELS + 2] = random() < 0.3 + 0.4 * share ? 1 : -1;
  }
}

/** Standard normal (Box-Muller). */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
