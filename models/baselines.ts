// What a model has to beat, on the same split. Axes: B flows, T steps, C channels.

import { SERIES_CHANNELS } from '../src/features/shapes.ts';
import { countsOf, type Samples } from './samples.ts';

/** Steps that the nearest neighbour compares: later packets tell little, and it costs a product of both sets. */
const COMPARED_STEPS = 30;

/** The most frequent class of the training flows, for everything. -> [B] */
export function majorityClass(
  train: Samples,
  test: Samples,
  classes: number,
): Int32Array {
  const counts = countsOf(train.labels, classes);
  return new Int32Array(test.count).fill(counts.indexOf(Math.max(...counts)));
}

/** The class of the training flow whose signed packet sizes differ least, step by step. -> [B] */
export function nearestBySizes(train: Samples, test: Samples): Int32Array {
  return nearest(signedSizes(train), signedSizes(test), train.labels, COMPARED_STEPS);
}

/** The class of the training flow whose statistics differ least. -> [B] */
export function nearestByStatistics(train: Samples, test: Samples): Int32Array {
  const width = train.inputs.statistics.length / train.count;
  return nearest(train.inputs.statistics, test.inputs.statistics, train.labels, width);
}

/** [B, T, C] -> [B, 30]: size times direction. */
function signedSizes({ inputs, count }: Samples): Float32Array {
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

/** Rows of `width` numbers; distance is the sum of absolute differences. */
function nearest(
  known: Float32Array,
  asked: Float32Array,
  labels: Int32Array,
  width: number,
): Int32Array {
  const answers = new Int32Array(asked.length / width);
  for (let b = 0; b < answers.length; b++) {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < labels.length; i++) {
      let distance = 0;
      for (let j = 0; j < width && distance < least; j++) {
        distance += Math.abs((asked[b * width + j] ?? 0) - (known[i * width + j] ?? 0));
      }
      if (distance < least) {
        least = distance;
        answers[b] = labels[i] ?? 0;
      }
    }
  }
  return answers;
}
