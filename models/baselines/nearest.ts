// k nearest neighbours: on the signed sizes of the first packets a strong baseline, and it shows how far a set repeats itself.
// Axes: R rows known, B rows asked, D columns, K classes.

/** Rows with their classes, row-major. */
export interface KnownRows {
  /** [R, D] */
  readonly values: ArrayLike<number>;
  /** [R] */
  readonly labels: Int32Array;
  readonly columns: number;
  readonly classes: number;
}

/** Weight by which nearer neighbours decide a tie; far less than a vote. */
const TIE = 1e-3;

/**
 * The classes of the `k` rows whose sum of absolute differences is least; of equally far ones the first.
 *
 * @param asked [B, D] row-major
 * @returns shares of the neighbours' classes, [B, K]; each row adds up to 1
 */
export function nearestNeighbours(
  known: KnownRows,
  asked: ArrayLike<number>,
  k = 1,
): Float32Array {
  const { columns, classes, labels } = known;
  const rows = asked.length / columns;
  const answers = new Float32Array(rows * classes);
  const distances = new Float64Array(k);
  const nearest = new Int32Array(k);
  for (let b = 0; b < rows; b++) {
    const found = search(known, asked, b, { distances, nearest });
    let total = 0;
    for (let i = 0; i < found; i++) total += 1 + (TIE * (found - i)) / found;
    for (let i = 0; i < found; i++) {
      const at = b * classes + (labels[nearest[i] ?? 0] ?? 0);
      answers[at] = (answers[at] ?? 0) + (1 + (TIE * (found - i)) / found) / total;
    }
  }
  return answers;
}

/** Fills the lists with the nearest rows, nearest first; returns how many there are. */
function search(
  { values, columns, labels }: KnownRows,
  asked: ArrayLike<number>,
  b: number,
  { distances, nearest }: { distances: Float64Array; nearest: Int32Array },
): number {
  const k = distances.length;
  distances.fill(Number.POSITIVE_INFINITY);
  let found = 0;
  for (let r = 0; r < labels.length; r++) {
    // Most rows are given up after a few columns.
    const furthest = distances[k - 1] ?? 0;
    let distance = 0;
    for (let d = 0; d < columns && distance < furthest; d++) {
      distance += Math.abs(
        (asked[b * columns + d] ?? 0) - (values[r * columns + d] ?? 0),
      );
    }
    if (distance >= furthest) continue;
    let place = Math.min(found, k - 1);
    for (; place > 0 && (distances[place - 1] ?? 0) > distance; place--) {
      distances[place] = distances[place - 1] ?? 0;
      nearest[place] = nearest[place - 1] ?? 0;
    }
    distances[place] = distance;
    nearest[place] = r;
    found = Math.min(found + 1, k);
  }
  return found;
}
