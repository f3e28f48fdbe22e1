// What confidence is worth: how wrong the answers are that are given when unsure ones are withheld, and how well unknown flows
// are told by it. Axes: B flows, K classes.

import { likeliest } from '../metrics.ts';

/** The greatest probability of each flow. [B, K] -> [B] */
export function confidences(probabilities: Float32Array, classes: number): Float32Array {
  const best = likeliest(probabilities, classes);
  return Float32Array.from(best, (k, b) => probabilities[b * classes + k] ?? 0);
}

export interface RiskCoverage {
  /** From the surest flow to all: share of flows that get an answer, share of these that are wrong. */
  readonly points: readonly { readonly coverage: number; readonly risk: number }[];
  /** Mean risk over all coverages (AURC): the less, the better. */
  readonly area: number;
}

/** Points that a curve is drawn with. */
const POINTS = 50;

export function riskCoverage(
  probabilities: Float32Array,
  labels: Int32Array,
  classes: number,
): RiskCoverage {
  const sure = confidences(probabilities, classes);
  const best = likeliest(probabilities, classes);
  const order = [...labels.keys()].sort((a, b) => (sure[b] ?? 0) - (sure[a] ?? 0));
  const risks: number[] = [];
  let wrong = 0;
  for (const [i, b] of order.entries()) {
    if (best[b] !== labels[b]) wrong++;
    risks.push(wrong / (i + 1));
  }
  const points = Array.from({ length: Math.min(POINTS, risks.length) }, (_, p) => {
    const at = Math.ceil(((p + 1) * risks.length) / Math.min(POINTS, risks.length)) - 1;
    return { coverage: (at + 1) / risks.length, risk: risks[at] ?? 0 };
  });
  return { points, area: risks.reduce((a, b) => a + b, 0) / Math.max(risks.length, 1) };
}

/** At each class's threshold: share of flows that get an answer, and of these the share that is right. */
export function atThresholds(
  probabilities: Float32Array,
  labels: Int32Array,
  thresholds: readonly number[],
): { readonly coverage: number; readonly accuracy: number } {
  const best = likeliest(probabilities, thresholds.length);
  let [answered, right] = [0, 0];
  for (const [b, k] of best.entries()) {
    if ((probabilities[b * thresholds.length + k] ?? 0) < (thresholds[k] ?? 1)) continue;
    answered++;
    if (k === labels[b]) right++;
  }
  return {
    coverage: answered / Math.max(labels.length, 1),
    accuracy: answered === 0 ? Number.NaN : right / answered,
  };
}

/** Probability that one of `higher` is above one of `lower`, ties counting half (area under the ROC curve). */
export function areaUnderRoc(higher: Float32Array, lower: Float32Array): number {
  const all = [
    ...Array.from(higher, (value) => ({ value, high: true })),
    ...Array.from(lower, (value) => ({ value, high: false })),
  ].sort((a, b) => a.value - b.value);
  let [pairs, below] = [0, 0];
  for (let at = 0; at < all.length; ) {
    let end = at;
    let [highs, lows] = [0, 0];
    for (; end < all.length && all[end]?.value === all[at]?.value; end++) {
      if (all[end]?.high === true) highs++;
      else lows++;
    }
    pairs += highs * (below + lows / 2);
    below += lows;
    at = end;
  }
  return pairs / (higher.length * lower.length);
}
