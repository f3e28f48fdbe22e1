// The report of a data set with planted faults, and its page.

import test from 'ava';
import type { DatasetRow } from '../../src/dataset/dataset-schema.ts';
import { Distribution } from '../../src/dataset/distribution.ts';
import { seededRandom } from '../../src/dataset/random.ts';
import { type DatasetReport, reportOn } from '../../src/dataset/report.ts';
import { reportHtml } from '../../src/dataset/report-html.ts';
import { splitDataset } from '../../src/dataset/split-dataset.ts';
import { writeSplit } from '../../src/dataset/split-file.ts';
import { captureId, makeRow, writeDataset } from '../helpers/dataset-rows.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const WATCH = { signal: new AbortController().signal, progress: () => undefined };
const SERVICES = ['chat', 'mail', 'web'];
const HOSTILE = '"><script>alert(1)</script>';

/** Sizes that tell nothing, and a port that tells the class. */
function rows(): DatasetRow[] {
  const random = seededRandom(5);
  return Array.from({ length: 600 }, (_, i) => {
    const service = SERVICES[i % 3] ?? 'web';
    const sizes = Array.from({ length: 12 }, (_, at) =>
      Math.round((at % 2 ? -1 : 1) * (20 + 1400 * random())),
    );
    return makeRow(
      {
        capture: captureId(Math.floor(i / 30)),
        flow: i % 30,
        session: `session ${Math.floor(i / 2)}`,
        client: `client ${i % 7}`,
        host: `host ${i}`,
        service,
        serverPort: 8_000 + SERVICES.indexOf(service),
        alpn: i % 50 === 0 ? HOSTILE : i % 50 === 1 ? '__proto__' : 'h2',
        startUs: 1_700_000_000_000_000 + i * 1e6,
        durationUs: 1_000 * i,
      },
      sizes,
    );
  }).concat(makeRow({ capture: captureId(0), flow: 30, service: 'infrastructure' }));
}

async function reportFor(split: 'parts' | 'folds' | undefined): Promise<DatasetReport> {
  const folder = temporaryFolder('report');
  await writeDataset(folder, rows());
  if (split !== undefined) {
    const { file } = await splitDataset(
      folder,
      {
        name: 'capture',
        by: 'capture',
        seed: 1,
        stratify: ['service'],
        shares: [0.7, 0.15, 0.15],
        keepDuplicates: false,
        ...(split === 'folds' && { folds: 4 }),
      },
      WATCH,
    );
    await writeSplit(folder, file);
  }
  return reportOn(folder, split === undefined ? undefined : 'capture', WATCH);
}

for (const split of ['parts', 'folds', undefined] as const) {
  test(`the audit finds a planted shortcut, and nothing else, with ${split ?? 'no split'}`, async (t) => {
    const { audit, checks, nearest } = await reportFor(split);
    const flagged = audit.fields.filter(({ verdict }) => verdict !== 'as chance');
    t.deepEqual([...new Set(flagged.map(({ field }) => field))], ['serverPort']);
    t.is(flagged[0]?.balancedAccuracy.value, 1);
    t.true(nearest.every(({ balancedAccuracy }) => balancedAccuracy.value < 0.5));
    const bad = checks.filter(({ ok }) => ok === false);
    t.deepEqual(
      bad.map(({ name }) => name),
      ['shortcuts'],
    );
    t.regex(bad[0]?.words ?? '', /serverPort/);
    t.is(audit.asked > 500, split !== 'parts');
  });
}

test('rows are counted by part, class, band and field, whatever they are called', async (t) => {
  const report = await reportFor('parts');
  t.deepEqual(report.rows, { all: 601, labelled: 600, unlabelled: 0, infrastructure: 1 });
  const sum = (counts: Record<string, Record<string, number>> = {}): number =>
    Object.values(counts)
      .flatMap((of) => Object.values(of))
      .reduce((a, b) => a + b, 0);
  t.is(sum(report.parts), 600);
  t.deepEqual(report.packetBands, { '10-29': { chat: 200, mail: 200, web: 200 } });
  for (const counts of Object.values(report.balance)) t.is(sum(counts), 600);
  const alpn = report.balance.alpn ?? {};
  t.true(Object.hasOwn(alpn, '__proto__'));
  t.is(
    Object.values(alpn[HOSTILE] ?? {}).reduce((a, b) => a + b, 0),
    12,
  );
  t.is(report.distributions.iat?.chat?.count, 200 * 11);
  t.deepEqual(report.distributions.iat?.chat?.at.map(Math.round), [1, 1, 1, 1, 1]);
  t.deepEqual(JSON.parse(JSON.stringify(report.checks)), report.checks);
});

for (const split of ['parts', 'folds', undefined] as const) {
  test(`the page needs nothing, runs nothing and says all in words, with ${split ?? 'no split'}`, async (t) => {
    const html = reportHtml(await reportFor(split));
    t.false(/<script|<link|<img|<iframe|javascript:|\bon\w+=/i.test(html));
    t.false(/https?:|url\(|@import/i.test(html));
    t.true(html.includes('&lt;script&gt;alert(1)'));
    t.false(/NaN|Infinity|undefined|\[object/.test(html));
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    t.is(new Set(ids).size, ids.length);
    for (const [, target] of html.matchAll(/href="#([^"]+)"/g))
      t.true(ids.includes(target));
    const plots = html.match(/<svg[^>]*>/g) ?? [];
    t.true(plots.length >= 10);
    t.true(plots.every((svg) => /role="img" aria-label="[^"]+"/.test(svg)));
    const tables = html.split('<table>').slice(1);
    t.true(tables.length >= plots.length);
    t.true(tables.every((text) => /^\s*<caption>[^<]+<\/caption>\s*<thead>/.test(text)));
    for (const tag of ['section', 'table', 'svg', 'tr', 'details', 'ul', 'main']) {
      const opened = html.match(new RegExp(`<${tag}[ >]`, 'g'))?.length ?? 0;
      t.is(html.match(new RegExp(`</${tag}>`, 'g'))?.length ?? 0, opened, tag);
    }
  });
}

const FEW: readonly [title: string, rows: DatasetRow[]][] = [
  ['no label at all', [makeRow({ service: null }), makeRow({ flow: 1, service: null })]],
  ['one flow without packets', [makeRow({})]],
  ['one class', rows().map((row) => ({ ...row, service: 'web' }))],
];
for (const [title, few] of FEW) {
  test(`${title}: a report without figures that mean nothing`, async (t) => {
    const folder = temporaryFolder('report');
    await writeDataset(folder, few);
    const report = await reportOn(folder, undefined, WATCH);
    t.false(/null,|NaN/.test(JSON.stringify(report.audit)));
    t.true(report.audit.fields.every(({ verdict }) => verdict === 'as chance'));
    t.false(/NaN|Infinity|undefined/.test(reportHtml(report)));
  });
}

test('quantiles are right to 1%, nothing included', (t) => {
  const distribution = new Distribution();
  t.deepEqual(distribution.quantiles(), { count: 0, at: [] });
  for (let i = 0; i <= 1_000; i++) distribution.add(i < 100 ? 0 : i);
  const { count, at } = distribution.quantiles();
  t.is(count, 1_001);
  [0, 250, 500, 750, 950].forEach((expected, i) => {
    t.true(Math.abs((at[i] ?? 0) - expected) <= 0.011 * expected + 1, `${at[i]}`);
  });
});
