// Rows of a data set as they are read, with word of how far it is, until somebody stops it.

import type { DatasetManifest } from './dataset-manifest.ts';
import { type RowColumn, readDataset } from './dataset-reader.ts';
import type { DatasetRow } from './dataset-schema.ts';

/** How reading is watched. */
export interface Watch {
  readonly signal: AbortSignal;
  /** Called now and then with the rows read so far, and those that there are. */
  readonly progress: (rows: number, all: number) => void;
}

const ROWS_A_WORD = 1_000;

/** Every row, in the order of captures and flows. @throws what the signal was aborted with, InputError ERR_DATASET */
export async function* watchedRows<C extends RowColumn>(
  directory: string,
  manifest: DatasetManifest,
  columns: readonly C[],
  { signal, progress }: Watch,
): AsyncGenerator<Pick<DatasetRow, C>, void, undefined> {
  let rows = 0;
  for await (const row of readDataset(directory, { columns })) {
    if (rows % ROWS_A_WORD === 0) {
      signal.throwIfAborted();
      progress(rows, manifest.rows);
    }
    yield row;
    rows++;
  }
}
