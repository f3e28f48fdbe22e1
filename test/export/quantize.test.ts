import test from 'ava';
import fc from 'fast-check';
import { quantizeWeights, roundTrip, scaleOf } from '../../export/quantize.ts';
import { parseRangeMethod, RangeFinder, type RangeMethod } from '../../export/ranges.ts';
import { samePadding } from '../../export/reorder.ts';
import { onInt8Grid, WEIGHT_LIMIT } from '../../models/int8-grid.ts';
import { seededNumbers } from '../models/numbers.ts';

function rangeOf(values: Float32Array, method: RangeMethod) {
  const finder = new RangeFinder(2);
  const half = values.length / 2;
  finder.add(values.subarray(0, half));
  finder.add(values.subarray(half));
  return finder.range(method);
}

const bestRange = (values: Float32Array) => rangeOf(values, { kind: 'squared-error' });

test('zero is exact in every scale, for padding is zeros', (t) => {
  fc.assert(
    fc.property(
      fc.float({ min: -1000, max: 1000, noNaN: true }),
      fc.float({ min: -1000, max: 1000, noNaN: true }),
      (a, b) => {
        const scale = scaleOf(Math.min(a, b), Math.max(a, b));
        t.true(scale.zeroPoint >= 0 && scale.zeroPoint <= 255);
        return Math.abs(roundTrip(0, scale)) === 0;
      },
    ),
  );
});

test('a value inside the range comes back within half a step', (t) => {
  const scale = scaleOf(-2, 6);
  for (const value of seededNumbers(1, 500)) {
    const inside = 2 + 3.9 * value;
    t.true(Math.abs(roundTrip(inside, scale) - inside) <= scale.scale / 2 + 1e-6);
  }
});

test('behind a ReLU zero is the least value, and clipping there is the ReLU', (t) => {
  const scale = scaleOf(0, 5);
  t.is(scale.zeroPoint, 0);
  t.is(Math.abs(roundTrip(-3, scale)), 0);
});

test('a few outliers are clipped for the sake of all others', (t) => {
  const values = seededNumbers(2, 100_000).map(Math.abs);
  t.true(bestRange(values).high > 0.95);
  values[17] = 30;
  const { high } = bestRange(values);
  t.true(high < 10, `range ends at ${high}`);
});

test('rare large values of one channel in three are not overlooked', (t) => {
  // Values by turns small, large, small: picking every n-th of them must not see one channel only.
  const values = Float32Array.from({ length: 300_000 }, (_, i) =>
    i % 3 === 1 ? 10 : 0.1,
  );
  t.true(bestRange(values).high > 9);
});

test('a percentile leaves out what lies beyond it, the largest value nothing', (t) => {
  const values = Float32Array.from({ length: 10_000 }, (_, i) => i - 2000);
  const { low, high } = rangeOf(values, { kind: 'percentile', percent: 99 });
  // Of 20,000 drawn values the hundredth part on either side.
  t.true(Math.abs(low + 1900) < 30 && Math.abs(high - 7899) < 30, `${low} to ${high}`);
  t.deepEqual(rangeOf(values, { kind: 'largest' }), { low: -2000, high: 7999 });
  const positive = values.map((value) => value + 2500);
  t.is(rangeOf(positive, { kind: 'percentile', percent: 99 }).low, 0, 'zero is inside');
});

test('a way to choose ranges is one of three', (t) => {
  t.deepEqual(parseRangeMethod('percentile:99.9'), { kind: 'percentile', percent: 99.9 });
  t.deepEqual(parseRangeMethod('largest'), { kind: 'largest' });
  for (const text of ['percentile', 'percentile:101', 'percentile:50', 'best', '']) {
    t.throws(() => parseRangeMethod(text), {
      message: /expected squared-error, largest/,
    });
  }
});

test('weights are symmetric, limited, and come back within half a step', (t) => {
  const channels = 4;
  const weights = seededNumbers(3, 40 * channels);
  const bias = seededNumbers(4, channels);
  const inputScale = 0.01;
  const channelOf = (i: number) => i % channels;
  const q = quantizeWeights(weights, bias, inputScale, channelOf);
  for (const [i, weight] of weights.entries()) {
    const scale = q.scales[channelOf(i)] ?? 0;
    const got = q.weights[i] ?? 0;
    t.true(Math.abs(got) <= WEIGHT_LIMIT);
    t.true(Math.abs(got * scale - weight) <= scale / 2 + 1e-6);
  }
  for (const [o, value] of bias.entries()) {
    t.is(q.biasScales[o], Math.fround(inputScale * (q.scales[o] ?? 0)));
    t.true(Math.abs((q.bias[o] ?? 0) * (q.biasScales[o] ?? 0) - value) < 1e-3);
  }
});

test('a channel of zeros stays zero', (t) => {
  const q = quantizeWeights(new Float32Array(6), new Float32Array(2), 0.1, (i) => i % 2);
  t.deepEqual([...q.weights, ...q.bias], new Array(8).fill(0));
});

const padding = test.macro({
  title: (
    _,
    width: number,
    size: number,
    stride: number,
    front: number,
    behind: number,
  ) =>
    `'same' for width ${width}, kernel ${size}, stride ${stride} is ${front} in front and ${behind} behind`,
  exec: (t, width: number, size: number, stride: number, front: number, behind: number) =>
    t.deepEqual([...samePadding(width, size, stride)], [front, behind]),
});
test(padding, 600, 8, 4, 2, 2);
test(padding, 150, 5, 2, 1, 2);
test(padding, 37, 3, 2, 1, 1);
test(padding, 10, 3, 1, 1, 1);
test(padding, 9, 1, 1, 0, 0);
test(padding, 9, 2, 3, 0, 0);

test('weights that training put on the grid come back as they are', (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.integer({ min: -800_000, max: 800_000 }).map((n) => n / 100_000),
        { minLength: 12, maxLength: 12 },
      ),
      (values) => {
        const channels = 4;
        const onGrid = onInt8Grid(Float32Array.from(values), channels);
        const bias = new Float32Array(channels);
        const q = quantizeWeights(onGrid, bias, 1, (i) => i % channels);
        return q.weights.every((weight, i) => {
          const value = onGrid[i] ?? 0;
          const back = weight * (q.scales[i % channels] ?? 0);
          // Two roundings of float32.
          return Math.abs(back - value) <= 2e-7 * Math.abs(value);
        });
      },
    ),
  );
  t.pass();
});
