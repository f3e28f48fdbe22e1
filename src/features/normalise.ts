// Raw numbers -> what a network reads. Each normaliser has a name that stands in the manifest; the formulas are those of
// the paper's group (paper 3.3, [A]) unless a note says otherwise.

/** Names of the ways to write an inter-arrival time. */
export const IAT_NORMALISERS = ['sign-log-ms'] as const;
/** Names of the ways to write a size. */
export const SIZE_NORMALISERS = ['per-128'] as const;

/** sign(t)·ln(1000·|t| + 1), t in seconds: a capture may hold packets out of order, so t may be negative. */
export function normaliseIat(seconds: number): number {
  return Math.sign(seconds) * Math.log(1000 * Math.abs(seconds) + 1);
}

export function normaliseSize(bytes: number): number {
  return bytes / 128;
}

/** How a model's statistics were normalised; fitted on its training data. */
export interface StatisticsNormaliser {
  /**
   * 'sign-log-z-score': z-score of sign(x)·ln(1 + |x|), clipped. Departs from paper: the plain z-score leaves values of
   * hundreds for long tails (bytes, times), which cost an int8 input all its resolution.
   */
  readonly kind: 'sign-log-z-score';
  /** One number a statistic, in the manifest's order. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** Values beyond ±clip are cut. */
  readonly clip: number;
}

function signLog(value: number): number {
  return Math.sign(value) * Math.log1p(Math.abs(value));
}

/** NaN -> -1, +inf -> +2, -inf -> -2 after normalising (paper 3.3, [A]). */
function replaceNonFinite(value: number): number {
  if (Number.isNaN(value)) return -1;
  return value > 0 ? 2 : -2;
}

/** raw [S] -> into [S] float32. */
export function normaliseStatistics(
  raw: ArrayLike<number>,
  normaliser: StatisticsNormaliser,
  into: Float32Array,
): void {
  const { mean, deviation, clip } = normaliser;
  for (let s = 0; s < into.length; s++) {
    const value = raw[s] ?? Number.NaN;
    if (!Number.isFinite(value)) {
      into[s] = replaceNonFinite(value);
      continue;
    }
    // A statistic that never varied in training says nothing: a deviation of 0 gives 0.
    const scale = deviation[s] ?? 0;
    const z = scale > 0 ? (signLog(value) - (mean[s] ?? 0)) / scale : 0;
    into[s] = Math.max(-clip, Math.min(clip, z));
  }
}

/** Fits a normaliser on rows of raw statistics [B][S]; values that are not finite are left out. */
export function fitStatistics(
  rows: readonly ArrayLike<number>[],
  width: number,
  clip: number,
): StatisticsNormaliser {
  const mean: number[] = [];
  const deviation: number[] = [];
  for (let s = 0; s < width; s++) {
    const values = rows
      .map((row) => row[s] ?? Number.NaN)
      .filter(Number.isFinite)
      .map(signLog);
    const count = Math.max(values.length, 1);
    const average = values.reduce((a, b) => a + b, 0) / count;
    const variance = values.reduce((a, b) => a + (b - average) ** 2, 0) / count;
    mean.push(average);
    deviation.push(variance > 1e-12 ? Math.sqrt(variance) : 0);
  }
  return { kind: 'sign-log-z-score', mean, deviation, clip };
}
