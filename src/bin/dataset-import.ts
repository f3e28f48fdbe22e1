// `sluice dataset import FORMAT FILES... --out DIR`: public sets of flows, and what `sluice collect` wrote, into a data set.

import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { readAppTable, SHIPPED_APPS } from '../dataset/import/apps.ts';
import { DEFINITION_NAMES, type DefinitionName } from '../dataset/import/definition.ts';
import { IMPORT_FORMATS, type ImportFormatName } from '../dataset/import/formats.ts';
import { importDataset, type UnitReport } from '../dataset/import/import-dataset.ts';
import { findSet } from '../dataset/import/sets.ts';
import { InputError } from '../errors.ts';
import { SERIES_STEPS_MAX } from '../features/shapes.ts';
import {
  type LabelSourceOptions,
  labelTable,
  withLabelOptions,
} from './label-options.ts';
import { numberListOption, numberOption } from './options.ts';
import { EXIT_INTERRUPTED, emit, interruption, say, thousands } from './terminal.ts';

interface ImportCommandOptions extends LabelSourceOptions {
  readonly out: string;
  readonly set?: string;
  readonly sets?: string;
  readonly as?: DefinitionName;
  readonly apps: string;
  readonly storedPackets: number;
  readonly looks: readonly number[];
  readonly maxBad: number;
  readonly json?: true;
}

const FORMATS = Object.keys(IMPORT_FORMATS) as ImportFormatName[];
const FORMATS_HELP = FORMATS.map(
  (name) => `  ${name.padEnd(14)} ${IMPORT_FORMATS[name].description}`,
).join('\n');
/** Bad lines that get a line of their own; all are counted. */
const BAD_TOLD = 10;

export function datasetImportCommand(): Command {
  const packets = numberOption(1, SERIES_STEPS_MAX);
  return withLabelOptions(
    new Command('import')
      .description('make a data set of flows that others published, or join them to one')
      .addArgument(new Argument('<format>', 'of the files').argParser(formatArgument))
      .argument('<path...>', 'files, or folders of files')
      .requiredOption('-o, --out <directory>', 'the data set; what stands in it stays')
      .option(
        '--set <name>',
        "the set that the files are of (default: the format's, or the file's name)",
      )
      .option('--sets <file>', 'describes sets that are not known, YAML')
      .addOption(
        new Option(
          '--as <definition>',
          'packets and sizes of the data set (default: what costs the set least)',
        ).choices(DEFINITION_NAMES),
      )
      .option('--apps <file>', 'applications and their services, YAML', SHIPPED_APPS)
      .option('--stored-packets <N>', 'packets kept of a flow', packets, 1_024)
      .option(
        '--looks <list>',
        'statistics after so many packets',
        numberListOption(1, SERIES_STEPS_MAX),
        [3, 5, 10, 30, 100],
      )
      .option(
        '--max-bad <N>',
        'flows of a unit that may be unreadable',
        numberOption(0, 1e9),
        100,
      )
      .option('--json', 'a JSON object a unit, then one of the data set'),
  )
    .addHelpText(
      'after',
      `\nFormats:\n${FORMATS_HELP}\n\nIt goes on where it was stopped: what stands is not read again. docs/import.md tells what each set is good for.`,
    )
    .action(importFiles);
}

function formatArgument(name: string): ImportFormatName {
  const format = FORMATS.find((known) => known === name);
  if (format !== undefined) return format;
  throw new InvalidArgumentError(`Expected one of ${FORMATS.join(', ')}.`);
}

async function importFiles(
  format: ImportFormatName,
  paths: readonly string[],
  options: ImportCommandOptions,
): Promise<void> {
  const json = options.json === true;
  const faults = new BadLines();
  const progress = new Progress();
  const manifest = await importDataset({
    ...options,
    format,
    paths,
    as: options.as,
    set: (told) => {
      const name = options.set ?? told;
      if (name !== undefined) return findSet(name, options.sets);
      throw new InputError(
        'ERR_IMPORT',
        `${format} files do not tell which set they are of: give --set, as --set cesnet-quic22`,
      );
    },
    apps: await readAppTable(options.apps),
    labels: await labelTable(options),
    signal: interruption(),
    bad: (place, fault) => faults.tell(place, fault),
    progress: ({ name }, flows) => progress.show(`${name}: ${thousands(flows)} flows`),
    done: async (unit) => {
      progress.clear();
      faults.sum(unit.name);
      if (json) await emit(JSON.stringify({ unit }));
      else say(unitLine(unit));
    },
  });
  progress.clear();
  if (manifest === undefined) {
    say(`${options.out}: stopped; the same command goes on where it was`);
    process.exitCode = EXIT_INTERRUPTED;
    return;
  }
  const { rows, captures, sources, contentSha256 } = manifest;
  if (json) {
    await emit(
      JSON.stringify({
        dataset: { rows, captures: captures.length, sources, contentSha256 },
      }),
    );
    return;
  }
  await emit(`${options.out}: ${thousands(rows)} flows of ${captures.length} captures`);
  for (const [name, { size, kinds, repeats, conversion }] of Object.entries(sources)) {
    await emit(
      `  ${name}: packets ${kinds}${repeats ? '' : ' once'}, size ${size}, conversion ${conversion}`,
    );
  }
}

function unitLine({ name, source, rows, counters, stood }: UnitReport): string {
  const { bad, withoutPackets, withoutService, exact, estimated } = counters;
  const parts = [`${thousands(rows)} flows of ${source}${stood ? ' stood already' : ''}`];
  if (exact > 0) parts.push(`${thousands(exact)} converted exactly`);
  if (estimated > 0) parts.push(`${thousands(estimated)} by an estimate`);
  if (withoutService > 0) parts.push(`${thousands(withoutService)} without a service`);
  if (withoutPackets > 0)
    parts.push(`${thousands(withoutPackets)} without packets left out`);
  if (bad > 0) parts.push(`${thousands(bad)} could not be read`);
  return `${name}: ${parts.join(', ')}`;
}

/** Names the first few. */
class BadLines {
  #count = 0;

  tell(place: string, fault: string): void {
    if (this.#count++ < BAD_TOLD) say(`${place}: left out: ${fault}`);
  }

  sum(unit: string): void {
    if (this.#count > BAD_TOLD)
      say(`${unit}: and ${thousands(this.#count - BAD_TOLD)} more left out`);
    this.#count = 0;
  }
}

const PROGRESS_MS = 250;

/** One line that is written over; only where somebody watches. */
class Progress {
  #shownMs = 0;

  show(text: string): void {
    const now = performance.now();
    if (process.stderr.isTTY !== true || now - this.#shownMs < PROGRESS_MS) return;
    this.#shownMs = now;
    process.stderr.write(`\r\u001b[Ksluice: ${text}`);
  }

  clear(): void {
    if (this.#shownMs === 0) return;
    this.#shownMs = 0;
    process.stderr.write('\r\u001b[K');
  }
}
