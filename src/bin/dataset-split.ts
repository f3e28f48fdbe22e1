// `sluice dataset split DIR --by FIELD`: which flows of a data set train, and which judge.

import { Command, InvalidArgumentError, Option } from 'commander';
import { type SplitSummary, splitDataset } from '../dataset/split-dataset.ts';
import { SPLIT_NAME, writeSplit } from '../dataset/split-file.ts';
import { SPLIT_FIELDS, type SplitField } from '../dataset/split-groups.ts';
import { STRATIFY_FIELDS, type StratifyField } from '../dataset/split-plan.ts';
import { InputError } from '../errors.ts';
import { watchRows } from './dataset-watch.ts';
import { numberOption } from './options.ts';
import { type Column, emit, heading, row, say, thousands } from './terminal.ts';

interface SplitCommandOptions {
  readonly by: SplitField;
  readonly name?: string;
  readonly parts?: Shares;
  readonly folds?: number;
  readonly test?: readonly string[];
  readonly seed: number;
  readonly stratify: readonly StratifyField[];
  readonly keepDuplicates?: true;
  readonly cutSessions?: true;
  readonly json?: true;
}

type Shares = readonly [train: number, validation: number, test: number];
const DEFAULT_PARTS = '70/15/15';

export function datasetSplitCommand(): Command {
  return new Command('split')
    .description('divide a data set into what trains and what judges, by whole groups')
    .argument('<dir>', 'the data set')
    .addOption(
      new Option('--by <field>', 'what never stands on two sides')
        .choices(SPLIT_FIELDS)
        .makeOptionMandatory(),
    )
    .option('--name <name>', 'of the split; the field unless given', nameOption)
    .option(
      '--parts <a/b/c>',
      `per cent of flows for train, validation and test (default: ${DEFAULT_PARTS})`,
      partsOption,
    )
    .option('--folds <K>', 'folds instead of parts', numberOption(2, 100))
    .option(
      '--test <values>',
      'these groups judge, no others; commas between, \\, for a comma',
      listOption,
    )
    .option('--seed <S>', 'of all that is drawn', numberOption(0, 2 ** 32 - 1), 1)
    .option(
      '--stratify <fields>',
      `every part gets its share of each value of these: ${STRATIFY_FIELDS.join(', ')}`,
      stratifyOption,
      ['service'] as const,
    )
    .option(
      '--cut-sessions',
      'groups that a session spans may part; its flows stay where most of them are, the others are in no part',
    )
    .option('--keep-duplicates', 'tell near copies across parts, and leave them in')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      '\nWrites DIR/splits/NAME.json. Flows without a label, and infrastructure, are in no part.\nWhat each split guards against: docs/dataset-splits.md.',
    )
    .action(split);
}

function nameOption(text: string): string {
  if (!SPLIT_NAME.test(text)) {
    throw new InvalidArgumentError(
      'Expected up to 64 letters, digits, dots, hyphens and underscores.',
    );
  }
  return text;
}

function partsOption(text: string): Shares {
  const [train = 0, validation = 0, test = 0, ...more] = /^\d+(\/\d+)*$/.test(text)
    ? text.split('/').map(Number)
    : [];
  if (more.length > 0 || train + validation + test !== 100 || train === 0 || test === 0) {
    throw new InvalidArgumentError(
      `Expected three per cents that add up to 100, as ${DEFAULT_PARTS}; only the middle one may be 0.`,
    );
  }
  return [train / 100, validation / 100, test / 100];
}

function listOption(text: string): string[] {
  const values = text
    .split(/(?<!\\),/)
    .map((value) => value.replaceAll('\\,', ',').trim())
    .filter((value) => value !== '');
  if (values.length === 0) throw new InvalidArgumentError('Expected values.');
  return values;
}

function stratifyOption(text: string): StratifyField[] {
  return text.split(',').map((part) => {
    const field = STRATIFY_FIELDS.find((name) => name === part.trim());
    if (field === undefined) {
      throw new InvalidArgumentError(`Expected some of ${STRATIFY_FIELDS.join(', ')}.`);
    }
    return field;
  });
}

async function split(directory: string, options: SplitCommandOptions): Promise<void> {
  const { by, folds, test, seed, stratify } = options;
  checkTogether(options);
  const watch = watchRows();
  const made = await watch.run(() =>
    splitDataset(
      directory,
      {
        by,
        name: options.name ?? nameOf(options),
        seed,
        stratify,
        shares: options.parts ?? partsOption(DEFAULT_PARTS),
        keepDuplicates: options.keepDuplicates === true,
        cutSessions: options.cutSessions === true,
        ...(folds !== undefined && { folds }),
        ...(test !== undefined && { test }),
      },
      watch,
    ),
  );
  if (made === undefined) return;
  const path = await writeSplit(directory, made.file);
  if (options.json === true) await emit(JSON.stringify(made.summary));
  else await print(made.summary);
  tell(made.summary, path);
}

function nameOf({ by, folds, test }: SplitCommandOptions): string {
  if (folds !== undefined) return `${by}-${folds}-folds`;
  return test === undefined ? by : `${by}-held-out`;
}

function checkTogether({ by, folds, parts, test }: SplitCommandOptions): void {
  const fault = (words: string): InputError => new InputError('ERR_SPLIT', words);
  if (folds !== undefined && (parts !== undefined || test !== undefined)) {
    throw fault('--folds makes each group judge in turn: without --parts and --test');
  }
  if (by === 'time' && (folds !== undefined || test !== undefined)) {
    throw fault(
      '--by time trains on what was first: with --parts, without --folds and --test',
    );
  }
}

async function print({ parts, rows, duplicates }: SplitSummary): Promise<void> {
  const services = [...new Set(parts.flatMap(({ classes }) => Object.keys(classes)))];
  const columns: Column[] = [
    { title: 'service', width: 14, align: 'left' },
    ...parts.map(({ part }): Column => ({ title: part, width: 10, align: 'right' })),
    { title: 'all', width: 10, align: 'right' },
    { title: duplicates.kept ? 'copies' : 'dropped', width: 10, align: 'right' },
  ];
  const line = (
    name: string,
    counts: readonly number[],
    copies?: number,
  ): Promise<void> =>
    emit(
      row(columns, [
        name,
        ...[...counts, sum(counts), ...(copies === undefined ? [] : [copies])].map(
          thousands,
        ),
      ]),
    );
  await emit(heading(columns));
  for (const service of services.sort()) {
    await line(
      service,
      parts.map(({ classes }) => classes[service] ?? 0),
      duplicates.classes[service] ?? 0,
    );
  }
  await line(
    '(flows)',
    parts.map(({ classes }) => sum(Object.values(classes))),
    duplicates.rows,
  );
  await line(
    '(groups)',
    parts.map(({ groups }) => groups),
  );
  say(
    `${thousands(rows.all)} flows; in no part are ${thousands(rows.unlabelled)} without a label, ${thousands(rows.infrastructure)} of infrastructure`,
  );
}

function tell({ duplicates, words }: SplitSummary, path: string): void {
  const { rows, contradicting, kept } = duplicates;
  if (rows > 0) {
    const what = kept ? 'kept' : 'dropped, they judge nothing';
    say(`${thousands(rows)} flows have a near copy in another part: ${what}`);
  }
  if (contradicting > 0) {
    say(
      `${thousands(contradicting)} flows have near copies in another part with other labels only: they judge`,
    );
  }
  for (const line of words) say(line);
  say(`${path} written`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
