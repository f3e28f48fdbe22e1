// `sluice dataset ...`: what turns captures into data sets.

import { createInterface } from 'node:readline';
import { Command } from 'commander';
import type { LabelMatch, LabelTable } from '../dataset/label-table.ts';
import { InputError } from '../errors.ts';
import { datasetBuildCommand } from './dataset-build.ts';
import { datasetFinishCommand } from './dataset-finish.ts';
import { datasetImportCommand } from './dataset-import.ts';
import { datasetInfoCommand } from './dataset-info.ts';
import { datasetReportCommand } from './dataset-report.ts';
import { datasetSplitCommand } from './dataset-split.ts';
import {
  type LabelSourceOptions,
  labelTable,
  withLabelOptions,
} from './label-options.ts';
import { type Column, emit, heading, row } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'host', width: 40, align: 'left' },
  { title: 'service', width: 14, align: 'left' },
  { title: 'application', width: 18, align: 'left' },
  { title: 'by', width: 0, align: 'left' },
];

export function datasetCommand(): Command {
  const dataset = new Command('dataset')
    .description('build, label, and look at, what models are trained on')
    .exitOverride();
  dataset.addCommand(datasetBuildCommand().exitOverride());
  dataset.addCommand(datasetFinishCommand().exitOverride());
  dataset.addCommand(labelCommand().exitOverride());
  dataset.addCommand(datasetInfoCommand().exitOverride());
  dataset.addCommand(datasetImportCommand().exitOverride());
  dataset.addCommand(datasetSplitCommand().exitOverride());
  dataset.addCommand(datasetReportCommand().exitOverride());
  return dataset;
}

interface LabelOptions extends LabelSourceOptions {
  readonly explain?: true;
  readonly json?: true;
}

function labelCommand(): Command {
  return withLabelOptions(
    new Command('label')
      .description('say which service and application server names stand for')
      .argument(
        '<host...>',
        'server names; - reads them from standard input, a line each',
      )
      .option('--explain', 'every rule that matches, the first one decides')
      .option('--json', 'one JSON object a name'),
  )
    .addHelpText(
      'after',
      '\nA name that is in no list has no label: that is not wrong input.',
    )
    .action(label);
}

async function label(hosts: readonly string[], options: LabelOptions): Promise<void> {
  const table = await labelTable(options);
  if (hosts.includes('-') && hosts.length > 1) {
    throw new InputError(
      'ERR_LABELS',
      'names are given, or read from standard input with -',
    );
  }
  const json = options.json === true;
  if (!json && options.explain !== true) await emit(heading(COLUMNS));
  for await (const host of hosts[0] === '-' ? standardInput() : hosts) {
    if (options.explain === true) await explain(table, host, json);
    else await tell(table.find(host), host, json);
  }
}

async function* standardInput(): AsyncGenerator<string> {
  for await (const line of createInterface({ input: process.stdin })) {
    const host = line.trim();
    if (host !== '') yield host;
  }
}

const by = ({ by, matched, place }: LabelMatch): string => `${by} ${matched} (${place})`;

async function tell(
  found: LabelMatch | undefined,
  host: string,
  json: boolean,
): Promise<void> {
  if (json) {
    await emit(
      JSON.stringify({
        host,
        service: found?.service ?? null,
        application: found?.application ?? null,
        by: found?.by ?? null,
        matched: found?.matched ?? null,
        place: found?.place ?? null,
      }),
    );
    return;
  }
  const { service = '-', application = '-' } = found ?? {};
  const why = found === undefined ? '-' : by(found);
  await emit(row(COLUMNS, [host, service, application, why]));
}

async function explain(table: LabelTable, host: string, json: boolean): Promise<void> {
  const matches = table.explain(host);
  if (json) {
    await emit(JSON.stringify({ host, matches }));
    return;
  }
  const [first] = matches;
  await emit(`${host}: ${first === undefined ? 'no label' : nameOf(first)}`);
  for (const [i, found] of matches.entries()) {
    await emit(`  ${i === 0 ? 'decides' : 'behind '}  ${nameOf(found)}, ${by(found)}`);
  }
  if (first === undefined) {
    await emit(
      `  none of the rules matches; services there are: ${table.services.join(', ')}`,
    );
  }
}

function nameOf({ service, application }: LabelMatch): string {
  return application === undefined ? service : `${service}/${application}`;
}
