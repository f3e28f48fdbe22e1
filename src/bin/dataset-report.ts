// `sluice dataset report DIR`: what a data set holds, and what gives its classes away, as JSON and as a page.

import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { type DatasetReport, reportOn } from '../dataset/report.ts';
import { percent } from '../dataset/report-checks.ts';
import { reportHtml } from '../dataset/report-html.ts';
import { InputError } from '../errors.ts';
import { watchRows } from './dataset-watch.ts';
import { type Column, emit, heading, row, say, thousands } from './terminal.ts';

interface ReportOptions {
  readonly split?: string;
  readonly json?: true;
}

const COLUMNS: readonly Column[] = [
  { title: 'field alone', width: 18, align: 'left' },
  { title: 'by', width: 6, align: 'left' },
  { title: 'balanced', width: 9, align: 'right' },
  { title: '95% interval', width: 16, align: 'right' },
  { title: 'accuracy', width: 9, align: 'right' },
  { title: 'verdict', width: 0, align: 'left' },
];

export function datasetReportCommand(): Command {
  return new Command('report')
    .description(
      'tell what a data set holds, its ceiling, and what gives its classes away',
    )
    .argument('<dir>', 'the data set')
    .option('--split <name>', 'judge by this split of it; without one, by folds')
    .option('--json', 'the report as one JSON object, instead of the table')
    .addHelpText(
      'after',
      '\nWrites DIR/report.json and DIR/report.html. How to read them: docs/dataset-splits.md.',
    )
    .action(report);
}

async function report(directory: string, options: ReportOptions): Promise<void> {
  const watch = watchRows();
  const made = await watch.run(() => reportOn(directory, options.split, watch));
  if (made === undefined) return;
  await write(join(directory, 'report.json'), `${JSON.stringify(made, null, 1)}\n`);
  await write(join(directory, 'report.html'), reportHtml(made));
  if (options.json === true) await emit(JSON.stringify(made));
  else await print(made);
  for (const { ok, words } of made.checks) say(ok === false ? `look: ${words}` : words);
  say(`${join(directory, 'report.html')} and report.json written`);
}

/** Whole or not at all. */
async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(`${path}.partial`, text);
    await rename(`${path}.partial`, path);
  } catch (cause) {
    throw new InputError(
      'ERR_OUTPUT',
      `${path} cannot be written: ${(cause as Error).message}`,
      { cause },
    );
  }
}

async function print({ audit, ceiling, nearest, rows }: DatasetReport): Promise<void> {
  await emit(heading(COLUMNS));
  for (const { packets, balancedAccuracy, accuracy } of nearest) {
    await emit(
      line(`(sizes of ${packets})`, '1-NN', { balancedAccuracy, accuracy, verdict: '' }),
    );
  }
  for (const found of audit.fields) await emit(line(found.field, found.fitted, found));
  const ceilings = ceiling.map((c) => `${percent(c.accuracy)} at ${c.packets}`);
  say(
    `${thousands(rows.labelled)} of ${thousands(rows.all)} flows are for training; chance ${percent(audit.chance)}, the commonest class ${percent(audit.majority)}`,
  );
  say(`ceiling of sizes and directions: ${ceilings.join(', ')} packets`);
  say(`${audit.by}; intervals by ${audit.intervalBy}`);
}

type Figures = Pick<
  DatasetReport['audit']['fields'][number],
  'balancedAccuracy' | 'accuracy'
> & { readonly verdict: string };

function line(name: string, by: string, figures: Figures): string {
  const { value, interval } = figures.balancedAccuracy;
  return row(COLUMNS, [
    name,
    by,
    percent(value),
    interval === undefined ? '-' : interval.map(percent).join(' - '),
    percent(figures.accuracy.value),
    figures.verdict,
  ]);
}
