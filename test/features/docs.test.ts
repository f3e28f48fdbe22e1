import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { featuresPage } from '../../src/features/features-docs.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { ROOT } from '../helpers/sluice.ts';

test('docs/features.md is up to date; if not, `npm run -s docs`', (t) => {
  const page = featuresPage();
  t.is(readFileSync(join(ROOT, 'docs/features.md'), 'utf8'), page);
  for (const name of STATISTICS) t.true(page.includes(`| \`${name}\` |`), name);
});
