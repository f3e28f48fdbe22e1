// The look-up table against the classes of flows.tsv, which were guessed by other expressions over the same names. The
// table was written with these names in view: the figure says that it is no worse than those, not how well it generalizes.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readLabelTable, SHIPPED_LABELS } from '../../src/dataset/shipped-labels.ts';
import { ROOT } from '../helpers/sluice.ts';
import { tsvRows } from '../helpers/tsv.ts';

const FILES = ['captures', 'captures-mobile'].map((name) =>
  join(ROOT, '../shared/corpus', name, 'flows.tsv'),
);
const absent = FILES.filter((file) => !existsSync(file));
if (absent.length > 0) console.log(`skipped: no ${absent.join(', ')}`);
const corpusTest = absent.length === 0 ? test : test.skip;

interface KnownFlow {
  readonly sni: string;
  readonly service: string;
}

/** Flows whose class flows.tsv has from their name. */
function knownFlows(): KnownFlow[] {
  return FILES.flatMap(tsvRows)
    .filter((cell) => cell('class_from') === 'sni')
    .map((cell) => ({ sni: cell('sni'), service: cell('class') }));
}

corpusTest(
  'labels agree with the classes of flows.tsv on at least 90% of the flows',
  async (t) => {
    const table = await readLabelTable(SHIPPED_LABELS);
    const different = new Map<string, number>();
    let labelled = 0;
    let equal = 0;
    const flows = knownFlows();
    for (const { sni, service } of flows) {
      const found = table.find(sni);
      if (found === undefined) continue;
      labelled++;
      if (found.service === service) equal++;
      else {
        const text = `${sni}: ${service} there, ${found.service} here by ${found.by} ${found.matched}`;
        different.set(text, (different.get(text) ?? 0) + 1);
      }
    }
    for (const [text, count] of different) t.log(`${count} x ${text}`);
    t.log(
      `${equal} of ${labelled} equal (${((100 * equal) / labelled).toFixed(1)}%); ${labelled} of ${flows.length} flows labelled`,
    );
    t.true(equal >= 0.9 * labelled);
    t.true(labelled >= 0.8 * flows.length);
  },
);
