// Whatever comes in, the controller answers, goes on, and keeps nothing that is no report.

import test from 'ava';
import fc from 'fast-check';
import { reportsRequestSchema } from '../../src/report/report.ts';
import {
  type Client,
  classCount,
  NOON_MS,
  report,
  startController,
  type TestController,
} from '../helpers/controller.ts';

let controller: TestController;
let site: Client;
test.before(async () => {
  controller = await startController();
  site = await controller.enrol('edge-1');
});
test.after.always(() => controller.close());

const RUNS = 300;

/** Anything but the controller's own fault. */
const isAnswered = (status: number) => status >= 200 && status < 500;

async function isWell(): Promise<boolean> {
  const { status } = await controller.nobody.get('/healthz');
  return status === 200;
}

test('no bytes as a body are a fault of the controller', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
      const { status } = await site.postText('/v1/reports', bytes);
      return status === 400 || status === 422;
    }),
    { numRuns: RUNS },
  );
  t.true(await isWell());
});

test('no JSON as a body is a fault of the controller', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 6 }), async (value) => {
      const answers = [
        await site.post('/v1/reports', value),
        await site.reports([value]),
        await controller.admin.post('/v1/sites', value),
      ];
      return answers.every(({ status }) => isAnswered(status));
    }),
    { numRuns: RUNS },
  );
  t.true(await isWell());
});

const FIELDS = Object.keys(report('edge-1', 0));

test('a report with one field replaced is kept when the schema takes it, refused else', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...FIELDS),
      fc.oneof(
        fc.jsonValue(),
        fc.double(),
        fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.constant(classCount(1)))),
      ),
      async (field, value) => {
        const body = { reports: [{ ...report('edge-1', 0), [field]: value }] };
        const { status } = await site.post('/v1/reports', body);
        // As it is on the wire: NaN is null there.
        const sent: unknown = JSON.parse(JSON.stringify(body));
        const isReport = reportsRequestSchema.safeParse(sent).success;
        return isReport ? status === 200 : status === 422 || status === 400;
      },
    ),
    { numRuns: RUNS },
  );
  t.true(await isWell());
});

test('no query is a fault of the controller', async (t) => {
  const value = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.maxSafeNat().map(String),
    fc.constantFrom(String(NOON_MS), '0', '1', '-1', '1e9', ' 1', '0x10', 'NaN'),
  );
  const pairs = fc.array(
    fc.tuple(fc.oneof(fc.constantFrom('from', 'to', 'step'), fc.string()), value),
    { maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(pairs, async (list) => {
      const query = list
        .map((pair) => pair.map((text) => encodeURIComponent(text)))
        .map((pair) => pair.join('='))
        .join('&');
      const { status } = await controller.admin.get(`/v1/sites/edge-1/classes?${query}`);
      return status === 200 || status === 400;
    }),
    { numRuns: RUNS },
  );
  t.true(await isWell());
});

test('no raw query string is a fault of the controller', async (t) => {
  const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(ascii, async (text) => {
      const query = text.replaceAll('#', '');
      const { status } = await controller.admin.get(`/v1/sites/edge-1/classes?${query}`);
      return status === 200 || status === 400;
    }),
    { numRuns: RUNS },
  );
  t.true(await isWell());
});

test('no path is a fault of the controller', async (t) => {
  const part = fc.oneof(
    fc.string().map((text) => encodeURIComponent(text)),
    fc.constantFrom('..', '.', '%2e%2e', '%00', '%', 'v1', 'sites', 'page', 'page.js'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
      const { status } = await controller.admin.get(`/${parts.join('/')}`);
      return isAnswered(status);
    }),
    { numRuns: RUNS },
  );
  t.true(await isWell());
});

test('JSON as deep as the body may be long is refused', async (t) => {
  const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
  for (const text of [deep, `{"reports":${deep}}`, `{"reports":[{"version":${deep}}]}`]) {
    const { status } = await site.postText('/v1/reports', text);
    t.is(status, 422);
  }
  t.true(await isWell());
});
