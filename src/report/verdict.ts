// What an answer means for the reports that were sent, and the one line that tells a person why.

import type { Answer, PlainResponse } from './post.ts';
import { parseRetryAfter } from './retry.ts';

export type Verdict =
  | { readonly kind: 'taken' }
  /** It mends itself: out of reach, overloaded. */
  | {
      readonly kind: 'later';
      readonly reason: string;
      readonly retryAfterMs: number | undefined;
    }
  /** A person has to mend it: token, address. */
  | { readonly kind: 'denied'; readonly reason: string }
  | { readonly kind: 'too-large'; readonly status: number; readonly reason: string }
  /** Of one report at least the controller says that it makes no sense. */
  | { readonly kind: 'invalid'; readonly status: number; readonly reason: string };

const DETAIL_LENGTH_MAX = 500;

export function verdictOf(answer: Answer, url: URL, nowMs: number): Verdict {
  if (answer.kind === 'failed') {
    return { kind: 'later', reason: failure(answer.fault, url), retryAfterMs: undefined };
  }
  const { response } = answer;
  const { status, headers } = response;
  const detail = detailOf(response);
  const said = detail === undefined ? String(status) : `${status}: ${detail}`;
  const where = `controller ${url.origin}`;
  if (status >= 200 && status < 300) return { kind: 'taken' };
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    const retryAfterMs = parseRetryAfter(headers['retry-after'], nowMs);
    return { kind: 'later', reason: `${where} answers ${said}`, retryAfterMs };
  }
  if (status === 413) return { kind: 'too-large', status, reason: detail ?? said };
  // Without a problem it is not the controller that judges, such as a web server that was asked for HTTP where it speaks TLS.
  if ((status === 400 || status === 422) && detail !== undefined) {
    return { kind: 'invalid', status, reason: detail };
  }
  return { kind: 'denied', reason: `${where} ${denial(response, said)}` };
}

function denial({ status, headers }: PlainResponse, said: string): string {
  if (status === 401 || status === 403) {
    return `refuses the token (${said}): expected the one that it gave for this site`;
  }
  if (status >= 300 && status < 400) {
    return `answers ${status} and points to ${clean(headers.location ?? 'nowhere')}: give the address where reports are taken`;
  }
  return `answers ${said}: expected a Sluice controller at this address`;
}

/** `detail` of a problem (RFC 9457); undefined where the answer is none. */
function detailOf({ headers, body }: PlainResponse): string | undefined {
  if (!headers['content-type']?.startsWith('application/problem+json')) return undefined;
  try {
    const { detail, title } = JSON.parse(body) as { detail?: unknown; title?: unknown };
    return clean(String(detail ?? title ?? 'no detail'));
  } catch {
    return 'no detail';
  }
}

/** What others wrote, as one line of a log. */
function clean(text: string): string {
  return text.replace(/\p{C}+/gu, ' ').slice(0, DETAIL_LENGTH_MAX);
}

function failure(fault: NodeJS.ErrnoException, { origin, hostname, host }: URL): string {
  const { code = '', message } = fault;
  const where = `controller ${origin}`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `${where}: the name ${hostname} does not resolve (${code}): check the address and the name server`;
  }
  if (code === 'ECONNREFUSED')
    return `${where}: nothing listens at ${host} (ECONNREFUSED)`;
  if (/CERT|ERR_TLS|UNABLE_TO_/.test(code)) {
    return `${where}: its certificate is not trusted (${code}: ${clean(message)}): give the authority that signed it`;
  }
  return `${where} cannot be reached: ${clean(message)}`;
}
