// What is refused, and with which words: RFC 9457 problems for people who run routers.

import { connect } from 'node:net';
import test from 'ava';
import { BODY_BYTES_MOST } from '../../src/controller/server.ts';
import {
  type Answer,
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

/** The detail; fails the test when the answer is no problem of this status. */
function detailOf(
  t: { readonly is: (a: unknown, b: unknown) => void },
  answer: Answer,
  status: number,
): string {
  const { headers, json } = answer;
  t.is(answer.status, status);
  t.is(headers.get('content-type'), 'application/problem+json; charset=utf-8');
  const problem = json as Record<string, unknown>;
  t.is(Object.keys(problem).join(), 'type,title,status,detail');
  t.is(problem.type, 'about:blank');
  t.is(problem.status, status);
  return String(problem.detail);
}

const wrongReport = test.macro({
  exec: async (t, change: object, detail: RegExp) => {
    const answer = await site.reports([
      report('edge-1', 0),
      { ...report('edge-1', 1), ...change },
    ]);
    t.regex(detailOf(t, answer, 422), detail);
  },
  title: (name) => `a report is refused: ${name}`,
});

test(
  'negative counter',
  wrongReport,
  { classes: { video: { ...classCount(1), bytesUp: -5 } } },
  /^reports\[1\]\.classes\.video\.bytesUp is -5: Too small/,
);
test(
  'absurd counter',
  wrongReport,
  { classes: { video: { ...classCount(1), flows: 2 ** 51 } } },
  /^reports\[1\]\.classes\.video\.flows is 2251799813685248: Too big/,
);
test(
  'half a packet',
  wrongReport,
  { drops: { kernel: 0.5 } },
  /^reports\[1\]\.drops\.kernel is 0\.5: .*int/,
);
test('counter as text', wrongReport, { lost: { classifier: '7' } }, /is "7": .*number/);
test(
  'missing field',
  wrongReport,
  { agent: { version: '1' } },
  /agent\.model is missing/,
);
test('unknown field', wrongReport, { extra: 1 }, /^reports\[1\] is an object: .*"extra"/);
test('boot that is no UUID', wrongReport, { boot: 'x' }, /^reports\[1\]\.boot is "x": /);
test('name of no site', wrongReport, { site: '../x' }, /site is "\.\.\/x": lower case/);
test(
  'window that ends before it starts',
  wrongReport,
  { endMs: NOON_MS - 1 },
  /^reports\[1\] is an object: a window ends after its start, within a day/,
);
test(
  'clock of 1970',
  wrongReport,
  { startMs: 5, endMs: 65_000 },
  /startMs is 5: Too small/,
);
test('older version', wrongReport, { version: 0 }, /^reports\[1\]\.version is 0: /);
test(
  'newer version',
  wrongReport,
  { version: 2 },
  /^reports\[1\] has version 2, this controller knows 1: update the controller first$/,
);
test(
  'newer version that looks quite different',
  wrongReport,
  { version: 7, classes: 'elsewhere', more: [] },
  /has version 7, this controller knows 1/,
);
test('long values are cut', wrongReport, { boot: 'x'.repeat(5000) }, /^.{80,200}$/);

test('a body that is not the request at all is refused', async (t) => {
  for (const body of [{}, [], null, 7, 'text', { reports: {} }, { reports: [] }, [[]]]) {
    const answer = await site.post('/v1/reports', body);
    t.regex(detailOf(t, answer, 422), /^(the body|reports) is /);
  }
});

test('text that is not JSON is refused', async (t) => {
  for (const text of ['{', 'reports', '{"reports":[1,]}', '\ud800', '{"__proto__":{}}']) {
    const answer = await site.postText('/v1/reports', text);
    t.is(detailOf(t, answer, 400), 'the body is not valid JSON');
  }
});

test('an empty body is refused', async (t) => {
  const answer = await site.postText('/v1/reports', '');
  t.is(detailOf(t, answer, 400), 'the body is empty, JSON was expected');
});

test('a body of another type is refused', async (t) => {
  const type = 'application/x-www-form-urlencoded';
  const answer = await controller.admin.postText('/v1/sites', 'name=x', type);
  t.is(detailOf(t, answer, 415), 'the body has to be application/json');
});

test('who has no token may not send a body, whatever it is', async (t) => {
  const answer = await controller.nobody.postText('/v1/reports', '{', 'text/xml');
  detailOf(t, answer, 401);
});

test('a body is taken up to 1 MiB and refused beyond', async (t) => {
  const text = JSON.stringify({ reports: [report('edge-1', 0)] });
  const most = text.padEnd(BODY_BYTES_MOST);
  t.is((await site.postText('/v1/reports', most)).status, 200);
  const answer = await site.postText('/v1/reports', `${most} `);
  t.regex(detailOf(t, answer, 413), /longer than 1048576 bytes: send fewer reports/);
});

test("reports of another site than the token's are refused", async (t) => {
  const other = await controller.enrol('edge-2');
  const answer = await other.reports([report('edge-2', 0), report('edge-1', 9)]);
  t.is(
    detailOf(t, answer, 403),
    'reports[1].site is "edge-1", the token is of site "edge-2"',
  );
  const { json } = await controller.admin.get('/v1/sites');
  const { sites } = json as { readonly sites: { name: string; reports: number }[] };
  t.is(sites.find(({ name }) => name === 'edge-2')?.reports, 0);
});

const ADMIN_PATHS = ['/v1/sites', '/v1/sites/edge-1/classes', '/metrics'];

test('without a token nothing is told', async (t) => {
  const answers = [
    ...(await Promise.all(ADMIN_PATHS.map((path) => controller.nobody.get(path)))),
    await controller.nobody.reports([report('edge-1', 0)]),
    await controller.nobody.post('/v1/sites', { name: 'mine' }),
  ];
  for (const answer of answers) {
    t.regex(
      detailOf(t, answer, 401),
      /^no token: send "Authorization: Bearer TOKEN" with/,
    );
    t.is(answer.headers.get('www-authenticate'), 'Bearer realm="sluice"');
  }
});

test('a token opens only what it is for', async (t) => {
  const answers = [
    ...(await Promise.all(ADMIN_PATHS.map((path) => site.get(path)))),
    await site.post('/v1/sites', { name: 'mine' }),
    await controller.admin.reports([report('edge-1', 0)]),
  ];
  for (const answer of answers) {
    t.regex(detailOf(t, answer, 401), /^this is (not the admin|the) token/);
    t.regex(answer.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
  }
});

test('a header that holds no bearer token is as good as none', async (t) => {
  for (const authorization of ['', 'Bearer', 'Basic eDp5', 'Bearer a b', 'Bearer é']) {
    const answer = await controller.nobody.get('/v1/sites', { authorization });
    t.regex(detailOf(t, answer, 401), /^no token/, authorization);
  }
});

test('an unknown site is 404, whatever it is called', async (t) => {
  for (const name of [
    'nobody',
    'EDGE-1',
    'edge-1%00',
    '..%2f..',
    '%F0%9F%8C%8D',
    '%20',
  ]) {
    const answer = await controller.admin.get(`/v1/sites/${name}/classes`);
    t.regex(detailOf(t, answer, 404), /^no site is called "/, name);
  }
});

test('an address that is not there is 404', async (t) => {
  for (const path of ['/v1', '/v2/reports', '/v1/reports', '//', '/page', '/v1/sites/']) {
    const answer = await controller.admin.get(path);
    t.regex(
      detailOf(t, answer, 404),
      /no such address; \/openapi\.json lists all$/,
      path,
    );
  }
});

test('addresses that cannot be decoded, or are too long, are refused', async (t) => {
  detailOf(t, await controller.admin.get('/v1/sites/%zz/classes'), 400);
  const long = `/v1/sites/${'x'.repeat(500)}/classes`;
  detailOf(t, await controller.admin.get(long), 414);
  const answer = await controller.admin.get(`/${'x'.repeat(40_000)}`);
  t.is(detailOf(t, answer, 431), 'the headers are too long');
});

test('bytes that are no HTTP get a problem, too', async (t) => {
  const { hostname, port } = new URL(controller.url);
  const socket = connect(Number(port), hostname);
  socket.end('\x16\x03\x01 this is no request\r\n\r\n');
  let text = '';
  for await (const part of socket) text += String(part);
  t.regex(text, /^HTTP\/1\.1 400 Bad Request\r\n/);
  t.regex(text, /\r\n\r\n\{"type":"about:blank".*"this is not an HTTP request"\}$/);
});

test('a site is enrolled once', async (t) => {
  const first = await controller.admin.post('/v1/sites', { name: 'new-1' });
  t.is(first.status, 201);
  const { name, token } = first.json as { readonly name: string; readonly token: string };
  t.is(name, 'new-1');
  t.regex(token, /^[\w-]{43}$/);
  const answer = await controller.admin.post('/v1/sites', { name: 'new-1' });
  t.regex(detailOf(t, answer, 409), /^site "new-1" is enrolled: revoke it first/);
  for (const wrong of [
    {},
    { name: 'A B' },
    { name: 7 },
    { name: 'a', x: 1 },
    'a',
    null,
  ]) {
    detailOf(t, await controller.admin.post('/v1/sites', wrong), 422);
  }
});

test('a revoked token is refused, and the site can be enrolled anew', async (t) => {
  const old = await controller.enrol('gone');
  await old.reports([report('gone', 0)]);
  t.true(await controller.storage.revokeSite('gone', NOON_MS));
  t.false(await controller.storage.revokeSite('gone', NOON_MS));
  const refused = await old.reports([report('gone', 1)]);
  t.regex(detailOf(t, refused, 401), /^the token of site "gone" was revoked: enrol/);
  const anew = await controller.enrol('gone');
  t.deepEqual((await anew.reports([report('gone', 0)])).json, {
    accepted: 0,
    duplicates: 1,
  });
  t.regex(detailOf(t, await old.reports([report('gone', 1)]), 401), /token of no site/);
});

test('a database that does not answer is 503, and says when to come again', async (t) => {
  const broken = await startController();
  const sender = await broken.enrol('edge-1');
  await broken.storage.close();
  const answers = [
    await broken.nobody.get('/healthz'),
    await broken.admin.get('/v1/sites'),
    await sender.reports([report('edge-1', 0)]),
  ];
  for (const answer of answers) {
    t.regex(detailOf(t, answer, 503), /^the database cannot be used; nothing was kept/);
    t.is(answer.headers.get('retry-after'), '30');
  }
  await broken.close();
});
