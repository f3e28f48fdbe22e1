import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { datasetPage } from '../../src/dataset/dataset-docs.ts';
import { columnsOf } from '../../src/dataset/dataset-schema.ts';
import { ROOT } from '../helpers/sluice.ts';

test('docs/dataset.md is up to date and has every column; if not, `npm run -s docs`', (t) => {
  const page = datasetPage();
  t.is(readFileSync(join(ROOT, 'docs/dataset.md'), 'utf8'), page);
  for (const { name } of columnsOf({ looks: [], keepSni: true })) {
    t.true(page.includes(`| \`${name}\` |`), name);
  }
});
