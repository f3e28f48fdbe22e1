// What each route does: a checked request -> storage -> the answer of api.ts.

import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { siteNameSchema } from '../report/report.ts';
import {
  type acceptedSchema,
  type enrolledSchema,
  enrolRequestSchema,
  type RouteName,
  type sitesSchema,
} from './api.ts';
import { checkBody, checkQuery, checkReports } from './check-input.ts';
import {
  type classesSchema,
  classPoints,
  windowOf,
  windowQuerySchema,
} from './class-points.ts';
import type { Counters } from './metrics.ts';
import { openApiDocument } from './openapi.ts';
import { Problem } from './problem.ts';
import type { Storage } from './storage.ts';
import { newToken, tokenHash } from './tokens.ts';

export type Handler = (request: FastifyRequest) => Promise<unknown>;

interface Means {
  readonly storage: Storage;
  readonly nowMs: () => number;
  readonly openMetrics: boolean;
  readonly counters: Counters;
}

/** One for each route of the table: the type sees to it. */
export function handlersOf(means: Means): Readonly<Record<RouteName, Handler>> {
  const { storage, nowMs, counters } = means;
  const document = openApiDocument(means);
  return {
    addReports: (request) => addReports(means, request),
    addSite: (request) => addSite(means, request),
    listSites: async (): Promise<z.infer<typeof sitesSchema>> => ({
      sites: await storage.sites(),
    }),
    listClasses: (request) => listClasses(means, request),
    health: async () => {
      await storage.adminTokenHash();
      return { status: 'ok' };
    },
    metrics: async () => {
      const [sites, databaseBytes] = [await storage.sites(), await storage.bytes()];
      return counters.text({ sites, databaseBytes, nowMs: nowMs() });
    },
    openApi: async () => document,
  };
}

async function addReports(
  { storage, nowMs, counters }: Means,
  { body, site, log }: FastifyRequest,
): Promise<z.infer<typeof acceptedSchema>> {
  const result = await storage.addReports(site, checkReports(body, site), nowMs());
  counters.reports(result);
  log.debug({ site, ...result }, 'reports kept');
  return result;
}

async function addSite(
  { storage, nowMs }: Means,
  { body, log }: FastifyRequest,
): Promise<z.infer<typeof enrolledSchema>> {
  const { name } = checkBody(enrolRequestSchema, body);
  const token = newToken();
  if (!(await storage.addSite(name, tokenHash(token), nowMs()))) {
    throw new Problem(
      409,
      'request',
      `site "${name}" is enrolled: revoke it first if it needs a new token`,
    );
  }
  log.info({ site: name }, 'site enrolled');
  return { name, token };
}

async function listClasses(
  { storage, nowMs }: Means,
  { params, query }: FastifyRequest,
): Promise<z.infer<typeof classesSchema>> {
  const { site } = params as { readonly site: string };
  const window = windowOf(checkQuery(windowQuerySchema, query), nowMs());
  // By the schema, too: the driver ends text at a NUL.
  if (!siteNameSchema.safeParse(site).success || !(await storage.hasSite(site))) {
    throw new Problem(
      404,
      'request',
      `no site is called ${JSON.stringify(site.slice(0, 80))}; GET /v1/sites lists all`,
    );
  }
  const classes = await storage.classRows(site, window);
  const losses = await storage.lossRows(site, window);
  return classPoints(site, window, { classes, losses });
}
