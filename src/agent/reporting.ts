// Windows of counts -> reports in the spool, and from there to the controller.

import { readFileSync } from 'node:fs';
import { ConfigError, SpoolError } from '../errors.ts';
import { REPORT_VERSION, type Report } from '../report/report.ts';
import { Sender, type SenderState } from '../report/sender.ts';
import { Spool, type SpoolCounters } from '../report/spool.ts';
import type { WindowCounts } from '../report/window-tally.ts';
import type { AgentConfig } from './config.ts';

/** What every report of an agent says of it. */
export type ReportedAgent = Report['agent'];

/** Words for people, a line each. */
export interface ReportingLog {
  readonly info: (text: string) => void;
  readonly warn: (text: string) => void;
}

/** Nothing to report to: windows end, and are forgotten. */
const NO_REPORTING: Reporting = {
  add: async () => {},
  close: async () => {},
  counters: () => undefined,
};

export interface Reporting {
  /** Spools the window's report; a spool that cannot take it is told of, once until it can. */
  add(window: WindowCounts): Promise<void>;
  /** Sends what waits for at most `graceMs`; the rest stays in the spool. */
  close(graceMs: number): Promise<void>;
  counters(): SpoolCounters | undefined;
}

/**
 * Reports by the configuration; NO_REPORTING where it names no controller.
 *
 * @throws SpoolError, ConfigError what keeps it from starting
 */
export async function openReporting(
  { site, report }: AgentConfig,
  agent: ReportedAgent,
  log: ReportingLog,
): Promise<Reporting> {
  if (report.controller === undefined || site === undefined) return NO_REPORTING;
  const spool = await Spool.open({
    directory: report.spoolDirectory,
    maxBytes: report.spoolMaxBytes,
  });
  const stop = new AbortController();
  const sender = new Sender({
    spool,
    controller: report.controller,
    token: report.token?.reveal() ?? '',
    ...(report.caFile !== undefined && { ca: certificatesOf(report.caFile) }),
    onState: (state) => tell(state, log),
    onRefused: ({ sequence, status, detail }) =>
      log.warn(`the controller refuses report ${sequence} (${status}): ${detail}`),
  });
  const sending = sender.run(stop.signal);
  let failing = false;
  return {
    async add(window) {
      const sequence = spool.next();
      const { boot } = spool;
      try {
        await spool.append({
          version: REPORT_VERSION,
          site,
          boot,
          sequence,
          agent,
          ...window,
        });
        if (failing) log.info('reports are spooled again');
        failing = false;
      } catch (fault) {
        if (!(fault instanceof SpoolError)) throw fault;
        if (!failing) log.warn(`a report is lost: ${fault.message}`);
        failing = true;
      }
    },
    async close(graceMs) {
      const end = Date.now() + graceMs;
      while (spool.counters().waiting > 0 && Date.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { waiting } = spool.counters();
      if (waiting > 0) {
        log.warn(
          `${waiting === 1 ? '1 report waits' : `${waiting} reports wait`} in ${report.spoolDirectory} for the next start`,
        );
      }
      stop.abort();
      await sending;
      await spool.close();
    },
    counters: () => spool.counters(),
  };
}

function tell(state: SenderState, log: ReportingLog): void {
  if (state.state === 'connected') log.info('the controller takes the reports');
  else log.warn(`the controller does not take the reports: ${state.reason}`);
}

function certificatesOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError(
      'ERR_CONFIG',
      `report.caFile is ${file}, which cannot be read (${code}), expected certificates (PEM)`,
      { cause },
    );
  }
}
