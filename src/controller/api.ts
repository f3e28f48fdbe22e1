// Every address of the controller, once: the server takes methods, access and schemas from here, and so does /openapi.json.

import { z } from 'zod';
import { reportsRequestSchema, siteNameSchema } from '../report/report.ts';
import { classesSchema, windowQuerySchema } from './class-points.ts';
import { METRICS_TYPE } from './metrics.ts';

/** Whose token it takes. `metrics` is `admin` unless the controller was started with --open-metrics. */
export type Access = 'open' | 'site' | 'admin' | 'metrics';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** As in OpenAPI: `{name}` is a parameter. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly status: 200 | 201;
  /** JSON of this schema, or another type. */
  readonly answer: z.ZodType | string;
  /** Statuses beyond those of the access, each with when. */
  readonly problems: Readonly<Record<number, string>>;
}

const whole = z.number().int().min(0);

export const acceptedSchema = z.strictObject({
  accepted: whole,
  duplicates: whole.describe('were there already'),
});

export const enrolRequestSchema = z.strictObject({ name: siteNameSchema });

export const enrolledSchema = z.strictObject({
  name: siteNameSchema,
  token: z.string().describe('told this once, kept as a hash only'),
});

export const sitesSchema = z.strictObject({
  sites: z.array(
    z.strictObject({
      name: siteNameSchema,
      enrolledAtMs: whole,
      revokedAtMs: whole.nullable(),
      lastReportMs: whole.nullable().describe('when the last report came in'),
      lastEndMs: whole
        .nullable()
        .describe("end of the latest window, by the site's clock"),
      agentVersion: z.string().nullable(),
      model: z.string().nullable(),
      reports: whole,
      flows: z.number().min(0),
    }),
  ),
});

const STORAGE_PROBLEMS = { 503: 'the database cannot be used', 507: 'no room' } as const;
const BODY_PROBLEMS = {
  400: 'not JSON',
  413: 'longer than 1 MiB',
  415: 'not application/json',
} as const;

export const ROUTES = {
  addReports: {
    method: 'POST',
    path: '/v1/reports',
    summary:
      'keep reports of the site whose token it is; answers when they are on the disk; a report may be sent again',
    access: 'site',
    body: reportsRequestSchema,
    status: 200,
    answer: acceptedSchema,
    problems: {
      ...BODY_PROBLEMS,
      403: "a report of a site that is not the token's",
      422: 'a report of a newer version, or one that makes no sense; nothing was kept',
      ...STORAGE_PROBLEMS,
    },
  },
  addSite: {
    method: 'POST',
    path: '/v1/sites',
    summary: 'enrol a site; one whose token was revoked gets a new one',
    access: 'admin',
    body: enrolRequestSchema,
    status: 201,
    answer: enrolledSchema,
    problems: {
      ...BODY_PROBLEMS,
      409: 'the site is enrolled',
      422: 'not a name for a site',
      ...STORAGE_PROBLEMS,
    },
  },
  listSites: {
    method: 'GET',
    path: '/v1/sites',
    summary: 'the sites by name, and when each was heard of',
    access: 'admin',
    status: 200,
    answer: sitesSchema,
    problems: { 503: STORAGE_PROBLEMS[503] },
  },
  listClasses: {
    method: 'GET',
    path: '/v1/sites/{site}/classes',
    summary: 'what a site reported, by class, at regular points',
    access: 'admin',
    query: windowQuerySchema,
    status: 200,
    answer: classesSchema,
    problems: {
      400: 'the window makes no sense',
      404: 'no such site',
      503: STORAGE_PROBLEMS[503],
    },
  },
  health: {
    method: 'GET',
    path: '/healthz',
    summary: 'whether the database can be read',
    access: 'open',
    status: 200,
    answer: z.strictObject({ status: z.literal('ok') }),
    problems: { 503: STORAGE_PROBLEMS[503] },
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'counters in the text format of Prometheus',
    access: 'metrics',
    status: 200,
    answer: METRICS_TYPE,
    problems: { 503: STORAGE_PROBLEMS[503] },
  },
  openApi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'this description',
    access: 'open',
    status: 200,
    answer: z.looseObject({ openapi: z.string() }),
    problems: {},
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof ROUTES;
