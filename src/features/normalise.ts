// Raw numbers -> what a network reads. Each normaliser has a name that stands in the manifest; the formulas are those of
// the paper's group (paper 3.3, [A]) unless a note says otherwise.

/** An inter-arrival time in seconds -> number. A capture may hold packets out of order, so it may be negative. */
export const IAT_NORMALISERS = {
  /** sign(t)·ln(1000·|t| + 1): the paper's. */
  'sign-log-ms': (seconds: number) => signLog(1e3 * seconds),
  /** The same in microseconds: tells apart what a local network does. */
  'sign-log-us': (seconds: number) => signLog(1e6 * seconds),
  seconds: (seconds: number) => seconds,
} as const;
export type IatNormaliser = keyof typeof IAT_NORMALISERS;

/** A size in bytes and the packet's direction -> number. */
export const SIZE_NORMALISERS = {
  /** bytes / 128: the paper's. */
  'per-128': (bytes: number, _direction: 1 | -1) => bytes / 128,
  /** ln(1 + bytes) */
  log: (bytes: number, _direction: 1 | -1) => Math.log1p(bytes),
  /**
   * Exactly bytes·direction, a whole number that float32 holds without loss: for models that embed it. Departs from
   * paper: an exact size carries meaning that a scaled one hides.
   */
  'signed-bytes': (bytes: number, direction: 1 | -1) =>
    direction === 1 ? bytes : 0 - bytes,
} as const;
export type SizeNormaliser = keyof typeof SIZE_NORMALISERS;

/** sign(x)·ln(1 + |x|) */
function signLog(value: number): number {
  return Math.sign(value) * Math.log(1 + Math.abs(value));
}

/** Names of the ways to write statistics. */
export const STATISTICS_NORMALISERS = [
  'z-score', // (x - mean) / deviation: the paper's
  // The same of sign(x)·ln(1 + |x|). Departs from paper: the plain z-score leaves values of hundreds for long tails (bytes,
  // times), which cost an int8 input all its resolution.
  'sign-log-z-score',
] as const;

/** How a model's statistics were normalised; fitted on its training data. */
export interface StatisticsNormaliser {
  readonly kind: (typeof STATISTICS_NORMALISERS)[number];
  /** One number a statistic, in the manifest's order. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** Values beyond ±clip are cut. */
  readonly clip: number;
}

/** What is done before the mean is taken away. */
const BEND = {
  'z-score': (value: number) => value,
  'sign-log-z-score': (value: number) => Math.sign(value) * Math.log1p(Math.abs(value)),
} as const;

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
  const bend = BEND[normaliser.kind];
  for (let s = 0; s < into.length; s++) {
    const value = raw[s] ?? Number.NaN;
    if (!Number.isFinite(value)) {
      into[s] = replaceNonFinite(value);
      continue;
    }
    // A statistic that never varied in training says nothing: a deviation of 0 gives 0.
    const scale = deviation[s] ?? 0;
    const z = scale > 0 ? (bend(value) - (mean[s] ?? 0)) / scale : 0;
    into[s] = Math.max(-clip, Math.min(clip, z));
  }
}

/** Fits a normaliser on rows of raw statistics [B][S]; values that are not finite are left out. */
export function fitStatistics(
  rows: readonly ArrayLike<number>[],
  width: number,
  clip: number,
  kind: StatisticsNormaliser['kind'] = 'sign-log-z-score',
): StatisticsNormaliser {
  const mean: number[] = [];
  const deviation: number[] = [];
  for (let s = 0; s < width; s++) {
    const values = rows
      .map((row) => row[s] ?? Number.NaN)
      .filter(Number.isFinite)
      .map(BEND[kind]);
    const count = Math.max(values.length, 1);
    const average = values.reduce((a, b) => a + b, 0) / count;
    const variance = values.reduce((a, b) => a + (b - average) ** 2, 0) / count;
    mean.push(average);
    deviation.push(variance > 1e-12 ? Math.sqrt(variance) : 0);
  }
  return { kind, mean, deviation, clip };
}
