// Where the look-up table is that comes with the program.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { InputError } from '../errors.ts';
import { type CategoryLookup, type LabelTable, parseLabelTable } from './label-table.ts';

export const SHIPPED_LABELS: string = fileURLToPath(
  new URL('../../../src/dataset/services.yaml', import.meta.url),
);

/** @throws InputError ERR_LABELS */
export async function readLabelTable(
  path: string,
  categories?: CategoryLookup,
): Promise<LabelTable> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new InputError('ERR_LABELS', `labels ${path}: cannot be read (${code})`, {
      cause,
    });
  }
  return parseLabelTable(
    text,
    path === SHIPPED_LABELS ? 'services.yaml' : path,
    categories,
  );
}
