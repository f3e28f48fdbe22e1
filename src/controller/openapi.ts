// The table of routes -> an OpenAPI 3.1 document.

import { z } from 'zod';
import { type Access, ROUTES, type Route } from './api.ts';

/** Of the addresses under /v1, not of the program. */
const API_VERSION = '1';
const ACCESS_PROBLEM = { 401: 'no token, or not one that opens this' };

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components: object;
}

export function openApiDocument(options: {
  readonly openMetrics: boolean;
}): OpenApiDocument {
  const paths: Record<string, Record<string, object>> = {};
  for (const [operationId, route] of Object.entries<Route>(ROUTES)) {
    const isOpen =
      route.access === 'open' || (route.access === 'metrics' && options.openMetrics);
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operation(operationId, route, isOpen);
    paths[route.path] = operations;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sluice controller', version: API_VERSION },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      securitySchemes: {
        site: { type: 'http', scheme: 'bearer', description: "a site's token" },
        admin: {
          type: 'http',
          scheme: 'bearer',
          description: 'the token in admin-token',
        },
      },
    },
  };
}

const problemSchema = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().describe('what is wrong and how to mend it'),
});

function operation(operationId: string, route: Route, isOpen: boolean): object {
  const problems: Readonly<Record<number, string>> = isOpen
    ? route.problems
    : { ...route.problems, ...ACCESS_PROBLEM };
  return {
    operationId,
    summary: route.summary,
    security: isOpen ? [] : [{ [tokenOf(route.access)]: [] }],
    parameters: [...pathParameters(route.path), ...queryParameters(route.query)],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: jsonSchema(route.body, 'input') } },
          },
        }),
    responses: {
      [route.status]: {
        description: route.summary,
        content: answerContent(route.answer),
      },
      ...Object.fromEntries(
        Object.entries(problems).map(([status, description]) => [
          status,
          {
            description,
            content: {
              'application/problem+json': {
                schema: { $ref: '#/components/schemas/Problem' },
              },
            },
          },
        ]),
      ),
    },
  };
}

function tokenOf(access: Access): 'site' | 'admin' {
  return access === 'site' ? 'site' : 'admin';
}

function answerContent(answer: Route['answer']): object {
  return typeof answer === 'string'
    ? { [answer]: { schema: { type: 'string' } } }
    : { 'application/json': { schema: jsonSchema(answer, 'output') } };
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: z.ZodObject | undefined): object[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    // Of the output: they are text on the wire and whole numbers in meaning.
    schema: jsonSchema(schema, 'output'),
  }));
}

function jsonSchema(schema: z.core.$ZodType, io: 'input' | 'output'): object {
  // OpenAPI 3.1 has one dialect for the whole document, the one that zod writes.
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
