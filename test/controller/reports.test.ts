// Reports over a real socket into a real database.

import test from 'ava';
import { acceptedSchema } from '../../src/controller/api.ts';
import { REPORTS_PER_REQUEST } from '../../src/report/report.ts';
import {
  BOOT,
  classCount,
  MINUTE_MS,
  NOON_MS,
  report,
  startController,
  type TestController,
} from '../helpers/controller.ts';

let controller: TestController;
test.before(async () => {
  controller = await startController();
});
test.after.always(() => controller.close());

async function totalsOf(site: string): Promise<unknown> {
  const path = `/v1/sites/${site}/classes?from=${NOON_MS}&to=${NOON_MS + 200 * MINUTE_MS}`;
  const { json } = await controller.admin.get(path);
  return (json as { readonly totals: unknown }).totals;
}

async function siteOf(name: string): Promise<Record<string, unknown> | undefined> {
  const { json } = await controller.admin.get('/v1/sites');
  const { sites } = json as { readonly sites: Record<string, unknown>[] };
  return sites.find((site) => site.name === name);
}

test('a report is accepted once and a duplicate from then on', async (t) => {
  const site = await controller.enrol('once');
  const first = await site.reports([report('once', 0)]);
  t.is(first.status, 200);
  t.deepEqual(acceptedSchema.parse(first.json), { accepted: 1, duplicates: 0 });
  for (let i = 0; i < 3; i++) {
    const again = await site.reports([report('once', 0)]);
    t.deepEqual(again.json, { accepted: 0, duplicates: 1 });
  }
  t.like(await totalsOf('once'), { video: classCount(3), other: classCount(2) });
});

test('a duplicate changes nothing, also when it says something else', async (t) => {
  const site = await controller.enrol('changed');
  await site.reports([report('changed', 0)]);
  const classes = { games: classCount(9) };
  const { json } = await site.reports([report('changed', 0, { classes })]);
  t.deepEqual(json, { accepted: 0, duplicates: 1 });
  t.false('games' in ((await totalsOf('changed')) as object));
  t.like(await siteOf('changed'), { reports: 1, flows: 6 });
});

test('the same report twice in one request counts once, whatever the case of its boot', async (t) => {
  const site = await controller.enrol('twice');
  const { json } = await site.reports([
    report('twice', 0),
    report('twice', 0, { boot: BOOT.toUpperCase() }),
    report('twice', 1),
  ]);
  t.deepEqual(json, { accepted: 2, duplicates: 1 });
});

test('the same sequence number of another boot, or of another site, is another report', async (t) => {
  const site = await controller.enrol('boots');
  const other = await controller.enrol('boots-2');
  const boot = '5f0c2b46-0d1c-4f6b-8a53-0c9c0e4d3c11';
  await site.reports([report('boots', 0)]);
  t.like(await site.reports([report('boots', 0, { boot })]), {
    json: { accepted: 1, duplicates: 0 },
  });
  t.like(await other.reports([report('boots-2', 0)]), {
    json: { accepted: 1, duplicates: 0 },
  });
});

test('one bad report keeps all of its request out', async (t) => {
  const site = await controller.enrol('bad');
  const { status } = await site.reports([report('bad', 0), report('bad', -1)]);
  t.is(status, 422);
  t.like(await siteOf('bad'), { reports: 0, flows: 0, lastReportMs: null });
  t.deepEqual(await totalsOf('bad'), {});
});

test('a request takes as many reports as the schema says', async (t) => {
  const site = await controller.enrol('many');
  const reports = Array.from({ length: REPORTS_PER_REQUEST }, (_, i) =>
    report('many', i),
  );
  t.like(await site.reports(reports), {
    json: { accepted: REPORTS_PER_REQUEST, duplicates: 0 },
  });
  t.like(await totalsOf('many'), { video: classCount(3 * REPORTS_PER_REQUEST) });
  const { status } = await site.reports([
    ...reports,
    report('many', REPORTS_PER_REQUEST),
  ]);
  t.is(status, 422);
});

test('requests at once that overlap: each report counts once', async (t) => {
  const site = await controller.enrol('overlap');
  const reports = Array.from({ length: 20 }, (_, i) => report('overlap', i));
  const slices = [0, 4, 8, 12].map((from) => reports.slice(from, from + 8));
  const answers = await Promise.all(
    [...slices, ...slices].map((slice) => site.reports(slice)),
  );
  const sums = answers.map(({ json }) => acceptedSchema.parse(json));
  t.is(
    sums.reduce((sum, { accepted }) => sum + accepted, 0),
    20,
  );
  t.like(await siteOf('overlap'), { reports: 20, flows: 120 });
  t.like(await totalsOf('overlap'), { unknown: classCount(20) });
});

test('the list of sites tells of the latest window, whatever order reports come in', async (t) => {
  const site = await controller.enrol('order');
  const agent = { version: '0.2.0', model: 'next@0123456789ab' };
  await site.reports([report('order', 5, { agent })]);
  await site.reports([report('order', 2)]);
  t.like(await siteOf('order'), {
    enrolledAtMs: NOON_MS,
    revokedAtMs: null,
    lastReportMs: NOON_MS,
    lastEndMs: NOON_MS + 6 * MINUTE_MS,
    agentVersion: agent.version,
    model: agent.model,
    reports: 2,
    flows: 12,
  });
});

test('counters at the limit of the schema add up without a fault', async (t) => {
  const site = await controller.enrol('absurd');
  const most = 2 ** 50;
  const classes = Object.fromEntries(
    Array.from({ length: 256 }, (_, i) => [
      `class-${i}`,
      {
        flows: most,
        packetsUp: most,
        packetsDown: most,
        bytesUp: most,
        bytesDown: most,
      },
    ]),
  );
  for (let sequence = 0; sequence < 40; sequence++) {
    t.is((await site.reports([report('absurd', sequence, { classes })])).status, 200);
  }
  t.like(await siteOf('absurd'), { flows: 256 * 40 * most });
  t.like(await totalsOf('absurd'), { 'class-7': { bytesDown: 40 * most } });
});

test('a class may have a name that every object has', async (t) => {
  const site = await controller.enrol('names');
  const classes = { constructor: classCount(1), toString: classCount(2) };
  t.is((await site.reports([report('names', 0, { classes })])).status, 200);
  const totals = (await totalsOf('names')) as object;
  t.deepEqual({ ...totals }, classes);
});

test('a report without classes, drops and losses is one, too', async (t) => {
  const site = await controller.enrol('quiet');
  const { json } = await site.reports([
    report('quiet', 0, { classes: {}, drops: {}, lost: {} }),
  ]);
  t.deepEqual(json, { accepted: 1, duplicates: 0 });
  t.like(await siteOf('quiet'), { reports: 1, flows: 0 });
});
