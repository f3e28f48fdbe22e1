// What the trees learn from: numbers in columns, a class a row. NaN = missing.
// Axes: R rows, D columns, K classes.

/** Rows with their classes. Column-major, as trees go through one column at a time. */
export interface Table {
  readonly rows: number;
  readonly columns: number;
  /** [D, R]; NaN where a row has no value. */
  readonly values: Float32Array;
  /** [R], index of the class */
  readonly labels: Int32Array;
  readonly classes: number;
}

/** Rows of numbers [R][D] -> the table's columns. */
export function tableOf(
  rows: readonly ArrayLike<number>[],
  labels: Int32Array,
  classes: number,
): Table {
  const columns = rows[0]?.length ?? 0;
  const values = new Float32Array(columns * rows.length);
  for (const [r, row] of rows.entries()) {
    if (row.length !== columns) {
      throw new Error(`row ${r} has ${row.length} columns, expected ${columns}`);
    }
    for (let d = 0; d < columns; d++) values[d * rows.length + r] = row[d] ?? Number.NaN;
  }
  if (labels.length !== rows.length) {
    throw new Error(`${labels.length} labels for ${rows.length} rows`);
  }
  return { rows: rows.length, columns, values, labels, classes };
}

/** Row-major values [R, D], such as a network's statistics, as a table. */
export function tableOfMatrix(
  matrix: ArrayLike<number>,
  labels: Int32Array,
  classes: number,
): Table {
  const rows = labels.length;
  const columns = rows === 0 ? 0 : matrix.length / rows;
  const values = new Float32Array(matrix.length);
  for (let r = 0; r < rows; r++) {
    for (let d = 0; d < columns; d++) {
      values[d * rows + r] = matrix[r * columns + d] ?? Number.NaN;
    }
  }
  return { rows, columns, values, labels, classes };
}
