// Where labels come from, the same for all subcommands.

import type { Command } from 'commander';
import type { LabelTable } from '../dataset/label-table.ts';
import { readLabelTable, SHIPPED_LABELS } from '../dataset/shipped-labels.ts';
import { readUt1 } from '../dataset/ut1.ts';

export interface LabelSourceOptions {
  readonly labels: string;
  readonly ut1?: string;
}

export function withLabelOptions(command: Command): Command {
  return command
    .option('--labels <file>', 'the look-up table, YAML', SHIPPED_LABELS)
    .option(
      '--ut1 <directory>',
      'category lists in the layout of UT1, where no rule matches',
    );
}

/** @throws InputError ERR_LABELS */
export async function labelTable({
  labels,
  ut1,
}: LabelSourceOptions): Promise<LabelTable> {
  const categories = ut1 === undefined ? undefined : await readUt1(ut1);
  return readLabelTable(labels, categories);
}
