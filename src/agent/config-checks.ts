// What the keys of a configuration say together: each may be right, and both not.

import type { FileSettings } from './config-schema.ts';

export interface Contradiction {
  /** The key whose line is named. */
  readonly at: string;
  /** All keys that it is about: with one of them wrong, nothing can be said. */
  readonly about: readonly string[];
  readonly text: string;
}

export function contradictions(
  settings: FileSettings,
  hasToken: boolean,
): Contradiction[] {
  return [...reportContradictions(settings, hasToken), ...flowContradictions(settings)];
}

function reportContradictions(
  { site, report }: FileSettings,
  hasToken: boolean,
): Contradiction[] {
  const found: Contradiction[] = [];
  const { controller, token, tokenFile, tokenEnv, allowPlainHttp } = report;
  if (token !== undefined && tokenFile !== undefined) {
    found.push({
      at: 'report.token',
      about: ['report.token', 'report.tokenFile'],
      text: 'report.token and report.tokenFile are both given, expected one of them',
    });
  }
  if (controller === undefined) return found;
  const at = 'report.controller';
  if (site === undefined) {
    const text = 'report.controller needs a site: give it by the key site or by --site';
    found.push({ at, about: [at, 'site'], text });
  }
  if (!hasToken) {
    found.push({
      at,
      about: [at, 'report.token', 'report.tokenFile', 'report.tokenEnv'],
      text: `report.controller needs a token: name its file by report.tokenFile, or put it into the environment as ${tokenEnv}`,
    });
  }
  if (!allowPlainHttp && isPlainToElsewhere(controller)) {
    found.push({
      at,
      about: [at, 'report.allowPlainHttp'],
      text: `report.controller is "${controller}", which sends the token in clear, expected https (or report.allowPlainHttp: true)`,
    });
  }
  return found;
}

function flowContradictions({
  decision,
  flows,
  classify,
}: FileSettings): Contradiction[] {
  const found: Contradiction[] = [];
  if (decision.afterMs > flows.activeTimeoutMs) {
    found.push({
      at: 'decision.afterMs',
      about: ['decision.afterMs', 'flows.activeTimeoutMs'],
      text: `decision.afterMs is ${decision.afterMs}, expected at most flows.activeTimeoutMs, ${flows.activeTimeoutMs}: no flow lasts longer`,
    });
  }
  if (classify.queueFlows < classify.batchFlows) {
    found.push({
      at: 'classify.queueFlows',
      about: ['classify.queueFlows', 'classify.batchFlows'],
      text: `classify.queueFlows is ${classify.queueFlows}, expected at least classify.batchFlows, ${classify.batchFlows}`,
    });
  }
  return found;
}

/** By http to another machine. */
function isPlainToElsewhere(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:') return false;
  // 127.1 and the like have become four numbers by then.
  return !(
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}
