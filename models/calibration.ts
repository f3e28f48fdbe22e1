// Validation flows -> how far the model's probabilities can be believed: one temperature for all, a threshold a class.
// Axes: B flows, K classes.

import { crossEntropy, likeliest } from './metrics.ts';

/** Probabilities at another temperature: softmax(ln p / temperature). [B, K] -> [B, K] */
export function atTemperature(
  probabilities: Float32Array,
  classes: number,
  temperature: number,
): Float32Array {
  const scaled = new Float32Array(probabilities.length);
  for (let row = 0; row < probabilities.length; row += classes) {
    let sum = 0;
    for (let k = row; k < row + classes; k++) {
      const value = Math.max(probabilities[k] ?? 0, 1e-30) ** (1 / temperature);
      scaled[k] = value;
      sum += value;
    }
    for (let k = row; k < row + classes; k++) scaled[k] = (scaled[k] ?? 0) / sum;
  }
  return scaled;
}

/** Temperatures that are tried: 0.25 to 4 in steps of 2%. */
const TEMPERATURES = Array.from({ length: 141 }, (_, i) => 0.25 * 1.02 ** i);

/** The temperature at which the labels surprise the least (Guo et al. 2017). */
export function fitTemperature(
  probabilities: Float32Array,
  labels: Int32Array,
  classes: number,
): number {
  let best = 1;
  let least = crossEntropy(probabilities, labels, classes);
  for (const temperature of TEMPERATURES) {
    const scaled = atTemperature(probabilities, classes, temperature);
    const loss = crossEntropy(scaled, labels, classes);
    if (loss < least) [least, best] = [loss, temperature];
  }
  return best;
}

/**
 * For each class the least threshold, from `floor` on, at which predictions of that class that reach it are right in
 * `precision` of the cases; 1 where no threshold gets there, or nothing was predicted to be that class.
 */
export function fitThresholds(
  probabilities: Float32Array,
  labels: Int32Array,
  classes: readonly string[],
  wanted: { readonly precision: number; readonly floor: number },
): Record<string, number> {
  const chosen = likeliest(probabilities, classes.length);
  const ofClass = classes.map(() => [] as { p: number; right: boolean }[]);
  for (const [b, k] of chosen.entries()) {
    const p = probabilities[b * classes.length + k] ?? 0;
    ofClass[k]?.push({ p, right: labels[b] === k });
  }
  return Object.fromEntries(
    classes.map((name, k) => [name, thresholdOf(ofClass[k] ?? [], wanted)]),
  );
}

function thresholdOf(
  predictions: readonly { readonly p: number; readonly right: boolean }[],
  { precision, floor }: { readonly precision: number; readonly floor: number },
): number {
  const candidates = predictions.map(({ p }) => p).filter((p) => p > floor);
  for (const threshold of [floor, ...candidates.sort((a, b) => a - b)]) {
    const kept = predictions.filter(({ p }) => p >= threshold);
    const right = kept.filter((prediction) => prediction.right).length;
    if (right === 0) continue;
    // Rounded down, so that the flow that sets the threshold still reaches it.
    if (right >= precision * kept.length) return Math.floor(threshold * 1e4) / 1e4;
  }
  return 1;
}
