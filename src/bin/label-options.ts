// Where labels come from, the same for all subcommands.

import type { Command } from 'commander';
import { type LabelFiles, readLabels } from '../dataset/build-options.ts';
import type { LabelTable } from '../dataset/label-table.ts';
import { SHIPPED_LABELS } from '../dataset/shipped-labels.ts';

export type LabelSourceOptions = LabelFiles;

export function withLabelOptions(command: Command): Command {
  return command
    .option('--labels <file>', 'the look-up table, YAML', SHIPPED_LABELS)
    .option(
      '--ut1 <directory>',
      'category lists in the layout of UT1, where no rule matches',
    );
}

/** @throws InputError ERR_LABELS */
export function labelTable(options: LabelSourceOptions): Promise<LabelTable> {
  return readLabels(options);
}
