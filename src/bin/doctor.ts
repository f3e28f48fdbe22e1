// `sluice doctor`: what this machine lacks to capture and classify, and how to mend it.

import { Command } from 'commander';
import { SHIPPED_BUNDLE } from '../bundle/shipped-bundle.ts';
import { listInterfaces } from '../capture/interface-facts.ts';
import { examine } from '../doctor/doctor.ts';
import type { Finding, Status } from '../doctor/finding.ts';
import { type Column, EXIT_FAILED, emit, heading, row, say } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'status', width: 6, align: 'left' },
  { title: 'check', width: 18, align: 'left' },
  { title: 'found', width: 0, align: 'left' },
];

interface DoctorCommandOptions {
  readonly interface?: string;
  readonly bundle: string;
  readonly json?: true;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'say what this machine lacks to capture and classify, and how to mend it',
    )
    .option('-i, --interface <name>', 'look at this interface, too')
    .option('--bundle <path>', 'the model to load', SHIPPED_BUNDLE)
    .option('--json', 'one JSON object a check')
    .addHelpText(
      'after',
      '\nChanges nothing and needs no root: run it as the user that is to run the agent. The exit code is\n1 when a check fails, 0 also with warnings.',
    )
    .action(doctor);
}

async function doctor(options: DoctorCommandOptions): Promise<void> {
  const json = options.json === true;
  const counts: Record<Status, number> = { ok: 0, warn: 0, fail: 0 };
  const { interface: interfaceName, bundle } = options;
  for await (const finding of examine({ interfaceName, bundle })) {
    const isFirst = counts.ok + counts.warn + counts.fail === 0;
    counts[finding.status]++;
    if (json) await emit(JSON.stringify(finding));
    else {
      // Not before the first finding: a wrong interface leaves stdout empty.
      if (isFirst) await emit(heading(COLUMNS));
      for (const line of tableLines(finding)) await emit(line);
    }
  }
  if (counts.fail > 0) process.exitCode = EXIT_FAILED;
  say(summaryLine(counts));
  if (interfaceName === undefined) {
    say(
      `no interface was looked at: --interface with one of ${listInterfaces().join(', ')}`,
    );
  }
}

function tableLines({ status, check, found, expected, mend }: Finding): string[] {
  const lines = [row(COLUMNS, [status, check, found])];
  if (mend !== null) {
    lines.push(row(COLUMNS, ['', '  expected', expected]));
    lines.push(row(COLUMNS, ['', '  mend', mend]));
  }
  return lines;
}

function summaryLine(counts: Readonly<Record<Status, number>>): string {
  const { ok, warn, fail } = counts;
  const word = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;
  return `${word(ok + warn + fail, 'check')}: ${ok} ok, ${word(warn, 'warning')}, ${word(fail, 'failure')}`;
}
