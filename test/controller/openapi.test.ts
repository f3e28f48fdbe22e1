// The description, the metrics and the page: what is open to everybody who may reach the port.

import { readdir } from 'node:fs/promises';
import test from 'ava';
import type { z } from 'zod';
import { ROUTES, type Route } from '../../src/controller/api.ts';
import type { OpenApiDocument } from '../../src/controller/openapi.ts';
import { PAGE_FOLDER } from '../../src/controller/page.ts';
import { report, startController, type TestController } from '../helpers/controller.ts';

let controller: TestController;
test.before(async () => {
  controller = await startController();
  const site = await controller.enrol('edge-1');
  await site.reports([report('edge-1', 0)]);
  await site.reports([report('edge-1', 0), report('edge-1', 1)]);
  await site.reports([{ ...report('edge-1', 2), version: 2 }]);
  await site.reports([report('edge-2', 2)]);
});
test.after.always(() => controller.close());

async function documentOf(at: TestController): Promise<OpenApiDocument> {
  const { json } = await at.nobody.get('/openapi.json');
  return json as OpenApiDocument;
}

test('the description names every route, and no other', async (t) => {
  const { openapi, paths } = await documentOf(controller);
  t.is(openapi, '3.1.0');
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const routes = Object.values<Route>(ROUTES).map(
    ({ method, path }) => `${method} ${path}`,
  );
  t.deepEqual(described.sort(), routes.sort());
});

test('every route of the table answers', async (t) => {
  for (const { method, path } of Object.values<Route>(ROUTES)) {
    const at = path.replace('{site}', 'edge-1');
    const answer =
      method === 'GET'
        ? await controller.admin.get(at)
        : await controller.admin.post(at, { name: 'edge-1' });
    t.not(answer.status, 404, path);
  }
});

test('answers are what the table says', async (t) => {
  for (const { method, path, answer } of Object.values<Route>(ROUTES)) {
    if (method !== 'GET') continue;
    const { status, json, headers } = await controller.admin.get(
      path.replace('{site}', 'edge-1'),
    );
    t.is(status, 200, path);
    if (typeof answer === 'string') t.is(headers.get('content-type'), answer, path);
    else t.notThrows(() => (answer as z.ZodType).parse(json), path);
  }
});

test('the description says what a report is, and where its path has parameters', async (t) => {
  const { paths } = await documentOf(controller);
  const text = JSON.stringify(paths['/v1/reports']);
  for (const name of ['boot', 'sequence', 'packetsUp', 'drops', 'lost', 'maxItems']) {
    t.true(text.includes(`"${name}"`), name);
  }
  const classes = paths['/v1/sites/{site}/classes']?.get as {
    readonly parameters: readonly {
      name: string;
      in: string;
      schema: { type: string };
    }[];
  };
  t.deepEqual(
    classes.parameters.map(({ name, in: where, schema }) => [name, where, schema.type]),
    [
      ['site', 'path', 'string'],
      ['from', 'query', 'integer'],
      ['to', 'query', 'integer'],
      ['step', 'query', 'integer'],
    ],
  );
});

test('the metrics count reports, refusals and requests', async (t) => {
  controller.clock.nowMs += 90_000;
  const { text, headers } = await controller.admin.get('/metrics');
  controller.clock.nowMs -= 90_000;
  t.regex(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  for (const line of [
    'sluice_controller_reports_accepted_total 2',
    'sluice_controller_reports_duplicate_total 1',
    'sluice_controller_report_requests_refused_total{reason="version"} 1',
    'sluice_controller_report_requests_refused_total{reason="site"} 1',
    'sluice_controller_http_requests_total{route="/v1/reports",method="POST",status="200"} 2',
    'sluice_controller_sites 1',
    'sluice_controller_site_last_report_age_seconds{site="edge-1"} 90',
  ]) {
    t.true(text.split('\n').includes(line), `${line}\n${text}`);
  }
  t.regex(text, /^sluice_controller_database_bytes [1-9]\d{4,}$/m);
  for (const line of text.trimEnd().split('\n')) {
    t.regex(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+]+)$/);
  }
});

test('the metrics are open when they were opened', async (t) => {
  const open = await startController({ openMetrics: true });
  t.is((await open.nobody.get('/metrics')).status, 200);
  t.is((await controller.nobody.get('/metrics')).status, 401);
  const operation = (await documentOf(open)).paths['/metrics']?.get;
  t.like(operation, { security: [] });
  await open.close();
});

test('the page is served with its types and a strict policy, from memory', async (t) => {
  const index = await controller.nobody.get('/');
  t.is(index.status, 200);
  t.is(index.headers.get('content-type'), 'text/html; charset=utf-8');
  t.regex(index.headers.get('content-security-policy') ?? '', /^default-src 'self';/);
  t.is(index.headers.get('x-content-type-options'), 'nosniff');
  const types: Readonly<Record<string, RegExp>> = {
    html: /^text\/html/,
    js: /^text\/javascript/,
    css: /^text\/css/,
  };
  for (const name of await readdir(PAGE_FOLDER)) {
    const { status, headers } = await controller.nobody.get(`/page/${name}`);
    t.is(status, 200, name);
    const type = types[name.split('.').at(-1) ?? ''];
    if (type !== undefined) t.regex(headers.get('content-type') ?? '', type);
  }
});

test('a page that is known already is not sent again', async (t) => {
  const { headers } = await controller.nobody.get('/');
  const etag = headers.get('etag') ?? '';
  t.is((await controller.nobody.get('/', { 'if-none-match': etag })).status, 304);
});

test('nothing outside of the page can be asked for', async (t) => {
  for (const path of [
    '/page/..%2fserver.ts',
    '/page/%2e%2e/server.ts',
    '/page/%2e%2e%2f%2e%2e%2f%2e%2e%2fpackage.json',
    '/page/..%5cserver.ts',
    '/page//etc/passwd',
    '/page/%2fetc%2fpasswd',
    '/page/index.html%00.js',
    '/page/',
  ]) {
    t.is((await controller.nobody.get(path)).status, 404, path);
  }
});
