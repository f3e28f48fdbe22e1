import test from 'ava';
import { nearestNeighbours } from '../../models/baselines/nearest.ts';
import { signedSizes } from '../../models/baselines/sizes.ts';
import {
  atTemperature,
  fitTemperature,
  fitThresholds,
} from '../../models/calibration.ts';
import {
  agreement,
  calibrationError,
  crossEntropy,
  figuresOf,
  likeliest,
} from '../../models/metrics.ts';
import { seededRandom, shuffledIndices } from '../../models/random.ts';
import { syntheticSamples } from './synthetic.ts';

const CLASSES = ['a', 'b', 'c'];

test('precision, recall and F1 of each class come from its counts', (t) => {
  const labels = Int32Array.of(0, 0, 0, 1, 1, 2);
  const predicted = Int32Array.of(0, 0, 1, 1, 1, 0);
  const { accuracy, macroF1, perClass, confusion } = figuresOf(
    predicted,
    labels,
    CLASSES,
  );
  t.is(accuracy, 4 / 6);
  t.deepEqual(confusion, [
    [2, 1, 0],
    [0, 2, 0],
    [1, 0, 0],
  ]);
  t.deepEqual(perClass.a, { precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, flows: 3 });
  t.deepEqual(perClass.b, { precision: 2 / 3, recall: 1, f1: 0.8, flows: 2 });
  t.deepEqual(perClass.c, { precision: 0, recall: 0, f1: 0, flows: 1 });
  t.true(Math.abs(macroF1 - (2 / 3 + 0.8) / 3) < 1e-12);
});

test('a class without flows does not count in macro-F1', (t) => {
  const figures = figuresOf(Int32Array.of(0, 1), Int32Array.of(0, 1), CLASSES);
  t.is(figures.macroF1, 1);
});

test('the likeliest class of a tie is the first', (t) => {
  const probabilities = Float32Array.of(0.5, 0.5, 0, 0.1, 0.2, 0.7);
  t.deepEqual([...likeliest(probabilities, 3)], [0, 2]);
});

test('agreement is the share of equal choices', (t) => {
  t.is(agreement(Int32Array.of(1, 2, 3, 4), Int32Array.of(1, 2, 0, 4)), 0.75);
});

test('a model that is as sure as it is right is calibrated', (t) => {
  // Four flows at 0.75, three of them right.
  const probabilities = Float32Array.of(0.75, 0.25, 0.75, 0.25, 0.75, 0.25, 0.75, 0.25);
  t.is(calibrationError(probabilities, Int32Array.of(0, 0, 0, 1), 2), 0);
  t.is(calibrationError(probabilities, Int32Array.of(1, 1, 1, 1), 2), 0.75);
});

test('a temperature keeps the order of classes and undoes overconfidence', (t) => {
  const random = seededRandom(1);
  const flows = 2000;
  // Says 0.98, is right in 80% of the cases.
  const labels = Int32Array.from({ length: flows }, () => (random() < 0.8 ? 0 : 1));
  const probabilities = new Float32Array(2 * flows);
  for (let b = 0; b < flows; b++) probabilities.set([0.98, 0.02], 2 * b);
  const temperature = fitTemperature(probabilities, labels, 2);
  const calibrated = atTemperature(probabilities, 2, temperature);
  t.true(temperature > 1);
  t.true(Math.abs((calibrated[0] ?? 0) - 0.8) < 0.03);
  t.deepEqual(likeliest(calibrated, 2), likeliest(probabilities, 2));
  t.true(crossEntropy(calibrated, labels, 2) < crossEntropy(probabilities, labels, 2));
});

test('a threshold lets through what is right often enough, and no class unseen', (t) => {
  const rows = [
    { p: 0.95, label: 0 },
    { p: 0.9, label: 0 },
    { p: 0.8, label: 1 },
    { p: 0.7, label: 0 },
  ];
  const probabilities = Float32Array.from(rows.flatMap(({ p }) => [p, 1 - p, 0]));
  const labels = Int32Array.from(rows, ({ label }) => label);
  const wanted = { precision: 0.95, floor: 0.5 };
  t.deepEqual(fitThresholds(probabilities, labels, CLASSES, wanted), {
    a: 0.8999,
    b: 1,
    c: 1,
  });
});

test('a shuffle is a permutation and can be repeated', (t) => {
  const order = shuffledIndices(100, seededRandom(7));
  t.deepEqual(order, shuffledIndices(100, seededRandom(7)));
  t.notDeepEqual(order, shuffledIndices(100, seededRandom(8)));
  t.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
});

test('a flow is its own nearest neighbour', (t) => {
  const samples = syntheticSamples(3, {
    count: 20,
    classes: 4,
    seriesSteps: 32,
    statistics: 2,
  });
  const sizes = signedSizes(samples);
  const columns = sizes.length / samples.count;
  const known = { values: sizes, labels: samples.labels, columns, classes: 4 };
  t.deepEqual(likeliest(nearestNeighbours(known, sizes), 4), samples.labels);
});
