// Reports as an agent makes them, and what a spool holds of them.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { REPORT_VERSION, type Report, reportSchema } from '../../src/report/report.ts';
import type { Spool } from '../../src/report/spool.ts';

const START_MS = 1_790_000_000_000;
const WINDOW_MS = 1_000;

/** The next report of this spool's boot; `classes` make it longer, some 75 bytes each. */
export function nextReport(
  spool: Pick<Spool, 'boot' | 'next'>,
  { classes = 1 } = {},
): Report {
  const sequence = spool.next();
  const count = { flows: 1, packetsUp: 2, packetsDown: 3, bytesUp: 4, bytesDown: 5 };
  const startMs = START_MS + sequence * WINDOW_MS;
  return {
    version: REPORT_VERSION,
    site: 'branch-1',
    boot: spool.boot,
    sequence,
    startMs,
    endMs: startMs + WINDOW_MS,
    agent: { version: '0.1.0', model: 'router-cnn@0123456789ab' },
    classes: Object.fromEntries(
      Array.from({ length: classes }, (_, k) => [`class-${k}`, count]),
    ),
    drops: {},
    lost: {},
  };
}

/** What a spool holds, without acknowledging it. */
export async function waitingIn(spool: Spool): Promise<Report[]> {
  const all = { reports: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  const spooled = await spool.peek(all);
  return spooled.map(({ json }) => reportSchema.parse(JSON.parse(json)));
}

export function sequencesOf(reports: readonly Report[]): number[] {
  return reports.map(({ sequence }) => sequence);
}

/** Bytes of all files below a folder. */
export function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(directory, name)))
    .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0);
}
