// Captures named on the command line, one after the other: what every subcommand that reads captures shares.

import type { FlowTableCounters } from '../capture/native.ts';
import { InputError } from '../errors.ts';
import type { FlowBatch, FlowTableOptions } from '../flow/flow-table.ts';
import { type CaptureSummary, emptySummary, readFlows } from '../flow/read-flows.ts';
import {
  EXIT_INTERRUPTED,
  EXIT_WRONG_INPUT,
  interruption,
  say,
  thousands,
} from './terminal.ts';

export interface CaptureVisitor {
  /** Records are valid until the returned promise is settled. */
  readonly batch: (file: string, batch: FlowBatch) => void | Promise<void>;
  /** After the last batch of a capture that could be read. */
  readonly end?: (file: string, summary: CaptureSummary) => void | Promise<void>;
}

/**
 * Reads the captures in turn. A capture that cannot be read gets its line on stderr, the others go on, and the exit code
 * is 2; SIGINT and SIGTERM stop reading, not what the caller still has to print.
 */
export async function visitCaptures(
  files: readonly string[],
  options: Partial<FlowTableOptions>,
  visitor: CaptureVisitor,
): Promise<void> {
  const signal = interruption();
  for (const file of files) {
    const summary = emptySummary();
    try {
      for await (const batch of readFlows(file, options, summary)) {
        await visitor.batch(file, batch);
        if (signal.aborted) break;
      }
      if (signal.aborted) {
        say(`${file}: stopped before its end, figures are of what was read`);
        process.exitCode = EXIT_INTERRUPTED;
        return;
      }
      if (summary.truncated !== undefined) {
        say(`${file}: warning: ${summary.truncated}; read to the last whole frame`);
      }
      await visitor.end?.(file, summary);
    } catch (fault) {
      if (!(fault instanceof InputError)) throw fault;
      say(`${file}: ${fault.message}`);
      process.exitCode = EXIT_WRONG_INPUT;
    }
  }
}

/** What flow tables counted together; drops by reason only where there are any. */
export function countersLine(tables: readonly FlowTableCounters[]): string {
  const sum = (of: (counters: FlowTableCounters) => number): string =>
    thousands(tables.reduce((total, counters) => total + of(counters), 0));
  const reasons = Object.keys(tables[0]?.drops ?? {});
  const drops = reasons
    .map((reason) => [reason, sum(({ drops }) => drops[reason] ?? 0)] as const)
    .filter(([, count]) => count !== '0')
    .map(([reason, count]) => `${reason} ${count}`);
  const parts = [
    `${sum((c) => c.frames)} frames`,
    `${sum((c) => c.packets)} packets`,
    `${sum((c) => c.flowsCreated)} flows`,
    `${sum((c) => c.flowsWithoutPayload)} of them without payload`,
  ];
  const joined = sum((c) => c.joined);
  if (joined !== '0') parts.push(`${joined} packets joined by offloads`);
  return `${parts.join(', ')}; drops: ${drops.length === 0 ? 'none' : drops.join(', ')}`;
}
