import test from 'ava';
import { meanOf } from '../../../models/training/weight-mean.ts';

const EPOCHS = [
  [1, -2],
  [3, 0],
  [8, 5],
  [0, 1],
].map((values) => [Float32Array.from(values)]);

/** After each of the epochs, as training keeps it. */
function means(most: number): number[][] {
  let mean: Float32Array[] = [];
  return EPOCHS.map((weights, i) => {
    mean = meanOf(mean, weights, Math.min(i + 1, most));
    return [...(mean[0] ?? [])];
  });
}

test('of the first epochs it is the mean, and those before it are left as they were', (t) => {
  t.deepEqual(means(4), [
    [1, -2],
    [2, -1],
    [4, 1],
    [3, 1],
  ]);
  t.deepEqual([...(EPOCHS[0]?.[0] ?? [])], [1, -2]);
});

test('beyond them older ones weigh ever less', (t) => {
  t.deepEqual(means(2), [
    [1, -2],
    [2, -1],
    [5, 2],
    [2.5, 1.5],
  ]);
});

test('of one epoch it is the weights themselves', (t) => {
  t.deepEqual(
    means(1),
    EPOCHS.map(([values]) => [...(values ?? [])]),
  );
});
