// What a client is told when a request is refused: RFC 9457, application/problem+json.

import { STATUS_CODES } from 'node:http';
import { STORAGE_FULL, StorageError } from './storage.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Why requests are refused, for the metrics. */
export const REFUSALS = [
  'token',
  'site',
  'request',
  'too-large',
  'version',
  'content',
  'storage',
  'fault',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Thrown by handlers; `detail` tells the client what is wrong and how to mend it. */
export class Problem extends Error {
  readonly status: number;
  readonly reason: Refusal;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    reason: Refusal,
    detail: string,
    options: ErrorOptions & { readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail, options);
    this.status = status;
    this.reason = reason;
    this.headers = options.headers ?? {};
  }
}

export interface ProblemBody {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

export function problemBody(status: number, detail: string): ProblemBody {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail };
}

/** Codes of Fastify (`FST_ERR_...`) whose own words do not say enough. */
const DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the body has to be application/json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'the body is empty, JSON was expected',
  FST_ERR_CTP_INVALID_JSON_BODY: 'the body is not valid JSON',
};

/** Anything that was thrown -> what the client is told. Faults of our own are told without their words. */
export function problemOf(fault: unknown, bodyLimit: number): Problem {
  if (fault instanceof Problem) return fault;
  if (fault instanceof StorageError) return storageProblem(fault);
  const { statusCode, code, message } = facts(fault);
  if (statusCode === 413) {
    const detail = `the body is longer than ${bodyLimit} bytes: send fewer reports a request`;
    return new Problem(413, 'too-large', detail);
  }
  if (statusCode >= 400 && statusCode < 500) {
    return new Problem(statusCode, 'request', DETAILS[code] ?? message);
  }
  const options = { cause: fault };
  return new Problem(
    500,
    'fault',
    'a fault of the controller: its log says more',
    options,
  );
}

function storageProblem(fault: StorageError): Problem {
  const options = { cause: fault, headers: { 'retry-after': '30' } };
  return fault.code === STORAGE_FULL
    ? new Problem(507, 'storage', 'no room for reports; nothing was kept', options)
    : new Problem(
        503,
        'storage',
        'the database cannot be used; nothing was kept, try again later',
        options,
      );
}

interface Facts {
  readonly statusCode: number;
  readonly code: string;
  readonly message: string;
}

function facts(fault: unknown): Facts {
  if (!(fault instanceof Error)) return { statusCode: 500, code: '', message: '' };
  const statusCode =
    'statusCode' in fault && typeof fault.statusCode === 'number'
      ? fault.statusCode
      : 500;
  const code = 'code' in fault ? String(fault.code) : '';
  return { statusCode, code, message: fault.message };
}
