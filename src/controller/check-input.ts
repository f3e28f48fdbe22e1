// A request's parts against their schemas; what is wrong is named by path and value, in one sentence.

import type { z } from 'zod';
import { REPORT_VERSION, type Report, reportsRequestSchema } from '../report/report.ts';
import { Problem } from './problem.ts';

/** Longer values are cut: they come from anywhere. */
const SHOWN_CHARACTERS = 80;

/** Returns what the schema makes of the body; throws a Problem 422. */
export function checkBody<T>(schema: z.ZodType<T>, body: unknown): T {
  return check(schema, body, { status: 422, name: 'the body' });
}

/** Returns what the schema makes of the query string; throws a Problem 400. */
export function checkQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  return check(schema, query, { status: 400, name: 'the query' });
}

/** Reports of one request, all of `site`. Throws a Problem: 422 for what they hold, 403 for another site's. */
export function checkReports(body: unknown, site: string): readonly Report[] {
  refuseNewer(body);
  const { reports } = checkBody(reportsRequestSchema, body);
  const foreign = reports.findIndex((report) => report.site !== site);
  if (foreign >= 0) {
    throw new Problem(
      403,
      'site',
      `reports[${foreign}].site is ${shown(reports[foreign]?.site)}, the token is of site "${site}"`,
    );
  }
  return reports;
}

/** Before the rest: a newer report may differ in everything else. */
function refuseNewer(body: unknown): void {
  const reports: unknown = valueAt(body, ['reports']);
  if (!Array.isArray(reports)) return;
  for (const [i, report] of reports.entries()) {
    const version = valueAt(report, ['version']);
    if (typeof version === 'number' && version > REPORT_VERSION) {
      throw new Problem(
        422,
        'version',
        `reports[${i}] has version ${version}, this controller knows ${REPORT_VERSION}: update the controller first`,
      );
    }
  }
}

function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  { status, name }: { readonly status: number; readonly name: string },
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue, ...others] = result.error.issues;
  const path = issue?.path ?? [];
  const where = path.length === 0 ? name : pathText(path);
  const more = others.length === 0 ? '' : `; and ${others.length} more`;
  throw new Problem(
    status,
    status === 422 ? 'content' : 'request',
    `${where} is ${shown(valueAt(value, path))}: ${issue?.message ?? 'invalid'}${more}`,
  );
}

function pathText(path: readonly PropertyKey[]): string {
  const parts = path.map((key) =>
    typeof key === 'number' ? `[${key}]` : `.${cut(String(key))}`,
  );
  return parts.join('').replace(/^\./, '');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key))
      return undefined;
    at = Object.getOwnPropertyDescriptor(at, key)?.value;
  }
  return at;
}

/** Containers by kind only: they may be deep. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return cut(JSON.stringify(value) ?? typeof value);
}

function cut(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`;
}
