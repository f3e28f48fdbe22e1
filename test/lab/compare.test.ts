import test from 'ava';
import fc from 'fast-check';
import { cumulative, distance, type Sample } from '../../lab/compare/samples.ts';

const sampleOf = (...values: number[]): Sample => ({
  values,
  weights: values.map(() => 1),
});

test('the same values are at no distance, values apart are at all of it', (t) => {
  t.is(distance(sampleOf(1, 2, 3), sampleOf(3, 1, 2)), 0);
  t.is(distance(sampleOf(1, 2), sampleOf(3, 4, 5)), 1);
  t.is(distance(sampleOf(), sampleOf(1)), Number.NaN);
});

test('a distance is the largest gap between two distributions', (t) => {
  // At 1 the one has half of its weight, the other a quarter; at 2 three quarters and a half.
  const one = { values: [1, 2, 3], weights: [2, 1, 1] };
  const other = sampleOf(1, 2, 3, 4);
  t.is(distance(one, other), 0.25);
});

test('weights count, not values: a value twice is a value of twice the weight', (t) => {
  const twice = { values: [1, 5], weights: [2, 1] };
  t.deepEqual(cumulative(twice).at(-1), [5, 1]);
  t.true(distance(twice, sampleOf(1, 1, 5)) < 1e-12);
});

const VALUES = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 20 });

test('a distance is between 0 and 1 and the same both ways', (t) => {
  fc.assert(
    fc.property(VALUES, VALUES, (a, b) => {
      const there = distance(sampleOf(...a), sampleOf(...b));
      const back = distance(sampleOf(...b), sampleOf(...a));
      return there >= 0 && there <= 1 + 1e-9 && Math.abs(there - back) < 1e-9;
    }),
  );
  t.pass();
});
