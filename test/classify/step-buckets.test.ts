// Cutting a batch's series to what its longest flow needs.

import test from 'ava';
import fc from 'fast-check';
import { cutTo, longestOf, stepBuckets } from '../../src/classify/step-buckets.ts';
import { SERIES_CHANNELS } from '../../src/features/shapes.ts';

test('lengths go up to T and end with it', (t) => {
  t.deepEqual(stepBuckets(20), [20]);
  t.deepEqual(stepBuckets(32), [32]);
  t.deepEqual(stepBuckets(64), [32, 64]);
  t.deepEqual(stepBuckets(1000), [32, 128, 256, 1000]);
  t.deepEqual(stepBuckets(1024), [32, 128, 256, 1024]);
});

const T = 40;

/** [B, T, C] of flows of such lengths. */
function seriesOf(lengths: readonly number[]): Float32Array {
  const series = new Float32Array(lengths.length * T * SERIES_CHANNELS);
  for (const [b, length] of lengths.entries()) {
    for (let step = 0; step < length; step++) {
      const at = (b * T + step) * SERIES_CHANNELS;
      series.set([0, b + step / 100, step % 2 === 0 ? 1 : -1], at);
    }
  }
  return series;
}

test('a cut batch holds every step of its flows and nothing of those behind', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: T }), { minLength: 1, maxLength: 6 }),
      fc.nat(),
      (lengths, draw) => {
        const flows = 1 + (draw % lengths.length);
        const own = lengths.slice(0, flows);
        const longest = longestOf(seriesOf(lengths), flows, T);
        t.is(longest, Math.max(...own));
        const steps = Math.max(longest, 1);
        const into = new Float32Array(lengths.length * T * SERIES_CHANNELS).fill(9);
        const cut = cutTo(steps, seriesOf(lengths), { flows, seriesSteps: T, into });
        const row = steps * SERIES_CHANNELS;
        t.is(cut.length, flows * row);
        for (const [b] of own.entries()) {
          const whole = seriesOf(lengths).subarray(b * T * SERIES_CHANNELS);
          t.deepEqual(cut.subarray(b * row, (b + 1) * row), whole.subarray(0, row));
        }
      },
    ),
    { numRuns: 200 },
  );
});
