// `sluice dataset import FORMAT FILES... --out DIR`: public sets of flows, and what `sluice collect` wrote, into a data set.

import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { labelsSha256 } from '../dataset/build-options.ts';
import type { DatasetManifest } from '../dataset/dataset-manifest.ts';
import { readAppTable, SHIPPED_APPS } from '../dataset/import/apps.ts';
import { importCollected } from '../dataset/import/collected.ts';
import { DEFINITION_NAMES, type DefinitionName } from '../dataset/import/definition.ts';
import { IMPORT_FORMATS, type ImportFormatName } from '../dataset/import/formats.ts';
import { importDataset } from '../dataset/import/import-dataset.ts';
import { findSet, type SetDescription } from '../dataset/import/sets.ts';
import type { JoinedShard } from '../dataset/join-dataset.ts';
import { InputError } from '../errors.ts';
import { EARLY_PACKETS, SERIES_STEPS_MAX } from '../features/shapes.ts';
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
  readonly packets: number;
  readonly looks: readonly number[];
  readonly maxBad: number;
  readonly json?: true;
}

/** What `sluice collect` writes has rows already. */
const COLLECTED = 'collected';
type Format = ImportFormatName | typeof COLLECTED;

const FLOW_FORMATS = Object.keys(IMPORT_FORMATS) as ImportFormatName[];
const FORMATS: readonly Format[] = [...FLOW_FORMATS, COLLECTED];
const FORMATS_HELP = [
  ...FLOW_FORMATS.map((name) => [name, IMPORT_FORMATS[name].description] as const),
  [COLLECTED, 'files of `sluice collect`'] as const,
]
  .map(([name, description]) => `  ${name.padEnd(14)} ${description}`)
  .join('\n');
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
      .option(
        '--packets <N>',
        'packets that are stored of a flow',
        packets,
        SERIES_STEPS_MAX,
      )
      .option(
        '--looks <list>',
        'packet numbers of ready-made statistics',
        numberListOption(1, SERIES_STEPS_MAX),
        [...EARLY_PACKETS],
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

function formatArgument(name: string): Format {
  const format = FORMATS.find((known) => known === name);
  if (format !== undefined) return format;
  throw new InvalidArgumentError(`Expected one of ${FORMATS.join(', ')}.`);
}

async function importFiles(
  format: Format,
  paths: readonly string[],
  options: ImportCommandOptions,
): Promise<void> {
  if (format === COLLECTED) refuseForCollected(options);
  const words = new ImportWords(options.json === true);
  const { out, packets, looks } = options;
  const signal = interruption();
  const done = (shard: JoinedShard): Promise<void> => words.done(shard);
  const manifest =
    format === COLLECTED
      ? await importCollected({ paths, out, packets, looks, signal, done })
      : await importDataset({
          ...options,
          format,
          paths,
          as: options.as,
          set: (told) => setOf(format, told, options),
          apps: await readAppTable(options.apps),
          labels: await labelTable(options),
          labelsSha256: await labelsSha256(options),
          signal,
          done,
          bad: (place, fault) => words.bad(place, fault),
          progress: ({ name }, flows) => words.progress(name, flows),
        });
  words.clear();
  if (manifest === undefined) {
    say(`${out}: stopped; the same command goes on where it was`);
    process.exitCode = EXIT_INTERRUPTED;
  } else await words.dataset(out, manifest);
}

/** @throws InputError what was given would have no effect */
function refuseForCollected({ as, set, sets }: ImportCommandOptions): void {
  if (as === undefined && set === undefined && sets === undefined) return;
  throw new InputError(
    'ERR_IMPORT',
    'collected files hold every packet with both lengths: leave out --as, --set and --sets',
  );
}

/** @throws InputError nobody says which set it is, or nobody knows it */
async function setOf(
  format: ImportFormatName,
  told: string | undefined,
  { set = told, sets }: ImportCommandOptions,
): Promise<SetDescription> {
  if (set !== undefined) return findSet(set, sets);
  throw new InputError(
    'ERR_IMPORT',
    `${format} files do not tell which set they are of: give --set, as --set cesnet-quic22`,
  );
}

const PROGRESS_MS = 250;

/** What an import says on its way and at its end. */
class ImportWords {
  readonly #json: boolean;
  /** Bad flows of the unit at work. */
  #bad = 0;
  #shownMs = 0;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** The first few by name. */
  bad(place: string, fault: string): void {
    if (this.#bad++ < BAD_TOLD) say(`${place}: left out: ${fault}`);
  }

  /** One line that is written over; only where somebody watches. */
  progress(name: string, flows: number): void {
    const now = performance.now();
    if (process.stderr.isTTY !== true || now - this.#shownMs < PROGRESS_MS) return;
    this.#shownMs = now;
    process.stderr.write(`\r\u001b[Ksluice: ${name}: ${thousands(flows)} flows`);
  }

  clear(): void {
    if (this.#shownMs > 0) process.stderr.write('\r\u001b[K');
    this.#shownMs = 0;
  }

  async done(unit: JoinedShard): Promise<void> {
    this.clear();
    if (this.#bad > BAD_TOLD) {
      say(`${unit.name}: and ${thousands(this.#bad - BAD_TOLD)} more left out`);
    }
    this.#bad = 0;
    if (this.#json) await emit(JSON.stringify({ unit }));
    else say(unitLine(unit));
  }

  async dataset(out: string, manifest: DatasetManifest): Promise<void> {
    const { rows, captures, sources, contentSha256 } = manifest;
    if (this.#json) {
      const dataset = { rows, captures: captures.length, sources, contentSha256 };
      await emit(JSON.stringify({ dataset }));
      return;
    }
    await emit(`${out}: ${thousands(rows)} flows of ${captures.length} captures`);
    for (const [name, { size, kinds, repeats, conversion }] of Object.entries(sources)) {
      await emit(
        `  ${name}: packets ${kinds}${repeats ? '' : ' once'}, size ${size}, conversion ${conversion}`,
      );
    }
  }
}

function unitLine({ name, source, rows, counters, stood }: JoinedShard): string {
  const { bad = 0, withoutPackets = 0, withoutService = 0 } = counters;
  const { exact = 0, estimated = 0 } = counters;
  const parts = [`${thousands(rows)} flows of ${source}${stood ? ' stood already' : ''}`];
  if (exact > 0) parts.push(`${thousands(exact)} converted exactly`);
  if (estimated > 0) parts.push(`${thousands(estimated)} by an estimate`);
  if (withoutService > 0) parts.push(`${thousands(withoutService)} without a service`);
  if (withoutPackets > 0)
    parts.push(`${thousands(withoutPackets)} without packets left out`);
  if (bad > 0) parts.push(`${thousands(bad)} could not be read`);
  return `${name}: ${parts.join(', ')}`;
}
