// The mean of weights over epochs.

/**
 * The mean of the weights after some epochs: of the first `epochs` all weigh the same, then older ones ever less. Where a network settles,
 * what it forgets from one step to the next is evened out (Izmailov et al., Averaging Weights Leads to Wider Optima, UAI 2018).
 */
export function meanOf(
  mean: readonly Float32Array[],
  weights: readonly Float32Array[],
  epochs: number,
): Float32Array[] {
  return weights.map((values, i) => {
    const before = mean[i] ?? values;
    return values.map((value, at) => {
      const old = before[at] ?? value;
      return old + (value - old) / epochs;
    });
  });
}
