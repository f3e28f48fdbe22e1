// GET /v1/sites/{site}/classes: which report is in which point, and which windows are refused.

import test from 'ava';
import type { z } from 'zod';
import { classesSchema, POINTS_MOST } from '../../src/controller/class-points.ts';
import {
  type Client,
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

async function classesOf(
  site: string,
  query: string,
): Promise<z.infer<typeof classesSchema>> {
  const { json } = await controller.admin.get(`/v1/sites/${site}/classes?${query}`);
  return classesSchema.parse(json);
}

/** A site with a report in each of three minutes from noon on. */
async function threeMinutes(name: string): Promise<Client> {
  const site = await controller.enrol(name);
  await site.reports([0, 1, 2].map((minute) => report(name, minute)));
  return site;
}

test('a report is in the point in which it ends, its end included', async (t) => {
  await threeMinutes('ends');
  const { points } = await classesOf(
    'ends',
    `from=${NOON_MS - MINUTE_MS}&to=${NOON_MS + 3 * MINUTE_MS}`,
  );
  t.deepEqual(
    points.map(({ startMs, flows }) => [(startMs - NOON_MS) / MINUTE_MS, flows]),
    [
      [-1, 0],
      [0, 6],
      [1, 6],
      [2, 6],
    ],
  );
});

test('a point holds the sums of its reports', async (t) => {
  const site = await threeMinutes('sums');
  await site.reports([report('sums', 3, { classes: { games: classCount(100) } })]);
  const { points, classes, totals, stepMs } = await classesOf(
    'sums',
    `from=${NOON_MS}&to=${NOON_MS + 4 * MINUTE_MS}&step=${2 * MINUTE_MS}`,
  );
  t.is(stepMs, 2 * MINUTE_MS);
  t.deepEqual(points, [
    {
      startMs: NOON_MS,
      flows: 12,
      bytes: 12 * 6000,
      unknownFlows: 2,
      classes: { video: classCount(6), unknown: classCount(2), other: classCount(4) },
      drops: 14,
      lost: 8,
    },
    {
      startMs: NOON_MS + 2 * MINUTE_MS,
      flows: 106,
      bytes: 106 * 6000,
      unknownFlows: 1,
      classes: {
        games: classCount(100),
        video: classCount(3),
        unknown: classCount(1),
        other: classCount(2),
      },
      drops: 14,
      lost: 8,
    },
  ]);
  t.deepEqual(classes, ['games', 'video', 'other', 'unknown']);
  t.deepEqual(totals, {
    games: classCount(100),
    video: classCount(9),
    other: classCount(6),
    unknown: classCount(3),
  });
});

test('points without reports are there with zeros', async (t) => {
  await threeMinutes('zeros');
  const { points } = await classesOf(
    'zeros',
    `from=${NOON_MS - 3_600_000}&to=${NOON_MS}`,
  );
  t.is(points.length, 60);
  t.true(
    points.every(({ flows, bytes, drops, lost }) => flows + bytes + drops + lost === 0),
  );
  t.deepEqual(
    points.map(({ startMs }) => startMs),
    Array.from({ length: 60 }, (_, i) => NOON_MS - 3_600_000 + i * MINUTE_MS),
  );
});

test('the sites do not see each other', async (t) => {
  await threeMinutes('left');
  await controller.enrol('right');
  const { totals } = await classesOf(
    'right',
    `from=${NOON_MS}&to=${NOON_MS + 3_600_000}`,
  );
  t.deepEqual(totals, {});
});

test('the sum over points is the total, whatever the step', async (t) => {
  const site = await controller.enrol('steps');
  await site.reports(Array.from({ length: 90 }, (_, i) => report('steps', i)));
  for (const step of [3000, 60_000, 61_007, 5_400_000, 99_000_000]) {
    const query = `from=${NOON_MS}&to=${NOON_MS + 90 * MINUTE_MS}&step=${step}`;
    const { points, totals } = await classesOf('steps', query);
    const flows = points.reduce((sum, point) => sum + point.flows, 0);
    t.is(flows, 540, `step ${step}`);
    t.deepEqual(totals.video, classCount(270), `step ${step}`);
  }
});

test.serial('without a query it is the last hour by minutes, up to now', async (t) => {
  await threeMinutes('hour');
  controller.clock.nowMs = NOON_MS + 3 * MINUTE_MS - 1;
  const { fromMs, toMs, stepMs, points } = await classesOf('hour', '');
  controller.clock.nowMs = NOON_MS;
  t.deepEqual([stepMs, points.length], [60_000, 60]);
  t.deepEqual([fromMs, toMs], [NOON_MS - 57 * MINUTE_MS, NOON_MS + 3 * MINUTE_MS]);
  t.deepEqual(
    points.slice(-4).map(({ flows }) => flows),
    [0, 6, 6, 6],
  );
});

test.serial('what a query leaves out follows from the rest', async (t) => {
  await controller.enrol('partial');
  const day = 86_400_000;
  const spans: [string, number, number][] = [
    [`to=${NOON_MS - day}`, NOON_MS - day - 3_600_000, NOON_MS - day],
    [`from=${NOON_MS - MINUTE_MS}`, NOON_MS - MINUTE_MS, NOON_MS],
    [`from=${NOON_MS + day}`, NOON_MS + day, NOON_MS + day + MINUTE_MS],
    [`step=${day}`, NOON_MS - day / 2, NOON_MS + day / 2],
    ['step=7000', NOON_MS + 2000 - 3_600_000, NOON_MS + 2000],
  ];
  for (const [query, from, to] of spans) {
    const { fromMs, toMs } = await classesOf('partial', query);
    t.deepEqual([fromMs, toMs], [from, to], query);
  }
});

const refused = test.macro({
  exec: async (t, query: string, detail: RegExp) => {
    await controller.enrol('refused');
    const { status, json } = await controller.admin.get(
      `/v1/sites/refused/classes?${query}`,
    );
    t.is(status, 400);
    t.regex((json as { readonly detail: string }).detail, detail);
  },
  title: (_, query) => `a query is refused: ${query}`,
});

test(refused, 'from=2000&to=1000', /^from is 2000, to is 1000: from has to be earlier$/);
test(refused, 'from=1000&to=1000', /earlier/);
test(
  refused,
  'from=0&to=120060000&step=60000',
  /makes 2001 points, at most 2000 are given: ask for a step of 60030 or more$/,
);
test(refused, 'from=0', /points/);
test(refused, 'step=0', /^step is "0": /);
test(refused, 'step=-5', /^step is "-5": expected milliseconds, a whole number$/);
test(refused, 'from=1e3', /^from is "1e3": /);
test(refused, 'from=', /^from is "": /);
test(refused, 'from=1&from=2', /^from is a list of 2: /);
test(refused, 'to=9999999999999', /^to is "9999999999999": /);
test(refused, 'frm=1', /frm/);

test('as many points as the limit says are given', async (t) => {
  await controller.enrol('most');
  const { points } = await classesOf('most', `from=0&to=${POINTS_MOST * 1000}&step=1000`);
  t.is(points.length, POINTS_MOST);
});
