// `sluice dataset info`: of captures how many flows labels reach, by name and by session; of a data set what it holds.

import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { Coverage, type CoverageSummary } from '../dataset/label-coverage.ts';
import { type SessionFlow, sessionFlow, sessionsOf } from '../dataset/sessions.ts';
import { InputError } from '../errors.ts';
import { factsOf } from '../handshake/facts.ts';
import { handshakeOf } from '../handshake/handshake.ts';
import { visitCaptures } from './captures.ts';
import { type DescribeOptions, describe } from './dataset-describe.ts';
import {
  type LabelSourceOptions,
  labelTable,
  withLabelOptions,
} from './label-options.ts';
import { type Column, emit, heading, row, say, thousands } from './terminal.ts';
import { type TunnelsOption, tunnelsOption } from './tunnels-option.ts';

const COLUMNS: readonly Column[] = [
  { title: 'service', width: 14, align: 'left' },
  { title: 'flows', width: 9, align: 'right' },
  { title: 'by name', width: 9, align: 'right' },
  { title: 'by session', width: 10, align: 'right' },
];

interface InfoOptions extends TunnelsOption, LabelSourceOptions, DescribeOptions {}

export function datasetInfoCommand(): Command {
  return withLabelOptions(
    new Command('info')
      .description(
        'tell what a data set holds, or how many flows of captures labels reach',
      )
      .argument(
        '<file...>',
        'a data set, or captures: pcap or pcapng, also gzip; - is standard input',
      )
      .option('--verify', 'read every shard of a data set and compare its hash')
      .option('--json', 'one JSON object'),
  )
    .addOption(tunnelsOption())
    .addHelpText(
      'after',
      '\nFlows of one session share a label: often only the first one bears the name of the server.\nSessions are looked for within a capture.',
    )
    .action(info);
}

async function info(files: readonly string[], options: InfoOptions): Promise<void> {
  const [first = ''] = files;
  if ((await stat(first).catch(() => undefined))?.isDirectory() === true) {
    await describeOnly(files, options);
    return;
  }
  if (options.verify === true) {
    throw new InputError(
      'ERR_DATASET',
      '--verify is for data sets: give the folder of one',
    );
  }
  const table = await labelTable(options);
  const coverage = new Coverage();
  let flows: SessionFlow[] = [];
  await visitCaptures(
    files,
    { tunnels: options.tunnels, seriesPackets: 1 },
    {
      batch: (_file, batch) => {
        for (const flow of batch) {
          const handshake = handshakeOf(flow);
          if (handshake.kind === undefined) continue;
          const { sni } = factsOf(handshake);
          const label = sni === null ? undefined : table.find(sni);
          flows.push(sessionFlow(flow, handshake, label));
        }
      },
      end: () => {
        coverage.add(sessionsOf(flows));
        flows = [];
      },
    },
  );
  const summary = coverage.summary();
  if (options.json === true) await emit(JSON.stringify(summary));
  else await print(summary);
}

async function describeOnly(
  files: readonly string[],
  options: DescribeOptions,
): Promise<void> {
  const [directory = '', ...others] = files;
  if (others.length > 0) {
    throw new InputError('ERR_DATASET', 'one data set at a time, or captures');
  }
  await describe(directory, options);
}

async function print(summary: CoverageSummary): Promise<void> {
  const { flows, labelled, byName, bySession, sessions, conflicts } = summary;
  await emit(heading(COLUMNS));
  for (const [service, count] of Object.entries(summary.services)) {
    const both = count.byName + count.bySession;
    const cells = [both, count.byName, count.bySession].map(thousands);
    await emit(row(COLUMNS, [service, ...cells]));
  }
  await emit(row(COLUMNS, ['(no label)', thousands(flows - labelled)]));
  say(
    `${thousands(flows)} flows with a handshake in ${thousands(sessions)} sessions; ${thousands(byName)} labelled by name, ${thousands(bySession)} more by session (${(100 * summary.gainedShare).toFixed(1)}%); ${thousands(conflicts)} sessions with names of several services`,
  );
}
