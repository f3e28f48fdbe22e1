// Tables of tab-separated values with a heading, such as the corpus' flows.tsv.

import { readFileSync } from 'node:fs';

/** A row: the cell of a column, empty where there is none. */
type TsvRow = (column: string) => string;

export function tsvRows(path: string): TsvRow[] {
  const [header = '', ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const names = header.split('\t');
  return lines
    .map((line) => line.split('\t'))
    .map((cells) => (column) => cells[names.indexOf(column)] ?? '');
}
