// Real captures into a data set: every capture that can be read is in it, every flow has its row, and labels reach what the
// look-up table knows.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readManifest } from '../../src/dataset/dataset-manifest.ts';
import { readDataset, verifyDataset } from '../../src/dataset/dataset-reader.ts';
import { readLabelTable, SHIPPED_LABELS } from '../../src/dataset/shipped-labels.ts';
import { build, sameContent } from '../helpers/dataset-build.ts';
import { ROOT } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const FOLDERS = ['captures', 'captures-mobile'].map((name) =>
  join(ROOT, '../shared/corpus', name),
);
const absent = FOLDERS.filter((folder) => !existsSync(folder));
if (absent.length > 0) console.log(`skipped: no real captures at ${absent.join(', ')}`);
const corpusTest = absent.length === 0 ? test : test.skip;

corpusTest(
  'real captures become a data set, the same by one worker and by two',
  async (t) => {
    t.timeout(900_000);
    const folder = temporaryFolder('build');
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    const summary = await build(t, one, ...FOLDERS, '--keep-sni', '--workers', '1');
    await build(t, two, ...FOLDERS.toReversed(), '--keep-sni', '--workers', '2');
    await sameContent(t, one, two);
    const manifest = await readManifest(one);
    await verifyDataset(one, manifest);
    t.log(
      `${summary.captures} captures, ${summary.rows} rows, content ${summary.contentSha256}`,
    );
    t.true((summary.captures as number) > 150);

    const table = await readLabelTable(SHIPPED_LABELS);
    const columns = ['capture', 'sni', 'service', 'labelSource'] as const;
    const rowsOf = new Map<string, number>();
    for await (const row of readDataset(one, { columns })) {
      rowsOf.set(row.capture, (rowsOf.get(row.capture) ?? 0) + 1);
      const named = row.sni == null ? undefined : table.find(row.sni);
      if (named !== undefined) t.is(row.service, named.service);
      else if (row.service !== null) t.is(row.labelSource, 'session');
    }
    for (const { id, name, rows, counters } of manifest.captures) {
      t.is(rowsOf.get(id) ?? 0, rows, name);
      // The table hands over all flows but those that never carried payload.
      t.is(rows, (counters.flows ?? 0) - (counters.flowsWithoutPayload ?? 0), name);
    }
  },
);
