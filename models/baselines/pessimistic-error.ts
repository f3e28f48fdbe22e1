// The errors that a leaf has to expect beyond those it makes in training: the upper limit of a binomial's confidence
// interval, by the formula and the table of Quinlan's own program (C4.5 release 8, stats.c; C4.5: Programs for Machine
// Learning, 1993, section 4.2).

/** Confidence, and how many deviations it lies off. */
const DEVIATIONS: readonly (readonly [confidence: number, deviation: number])[] = [
  [0, 4],
  [0.001, 3.09],
  [0.005, 2.58],
  [0.01, 2.33],
  [0.05, 1.65],
  [0.1, 1.28],
  [0.2, 0.84],
  [0.4, 0.25],
  [1, 0],
];

/** The deviations that belong to a confidence, squared; between two lines of the table on a straight line. */
function squaredDeviation(confidence: number): number {
  const above = DEVIATIONS.findIndex(([known]) => known >= confidence);
  const [highX, highY] = DEVIATIONS[above] ?? [1, 0];
  const [lowX, lowY] = DEVIATIONS[above - 1] ?? [0, 4];
  const share = highX === lowX ? 0 : (confidence - lowX) / (highX - lowX);
  return (lowY + (highY - lowY) * share) ** 2;
}

/**
 * Errors to add to those made.
 *
 * @param weight rows of the leaf, may be a fraction
 * @param errors of these, of another class than the leaf says
 * @param confidence in (0, 1); the smaller, the more is added and pruned
 */
export function errorsToAdd(weight: number, errors: number, confidence: number): number {
  const none = weight * (1 - confidence ** (1 / weight));
  if (errors < 1e-6) return none;
  if (errors < 0.9999) {
    return none + errors * (errorsToAdd(weight, 1, confidence) - none);
  }
  if (errors + 0.5 >= weight) return 0.67 * (weight - errors);
  const z2 = squaredDeviation(confidence);
  const half = errors + 0.5;
  const spread = Math.sqrt(z2 * (half * (1 - half / weight) + z2 / 4));
  return (weight * (half + z2 / 2 + spread)) / (weight + z2) - errors;
}
