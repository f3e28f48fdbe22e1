// `npm run reproduce`: experiments of issue 10 again, every row of every table trained and judged by this one command. What has
// been found already is kept in OUT/results.jsonl and not computed again.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { InputError } from '../../src/errors.ts';
import { chooseBackend, describeBackend } from '../backend.ts';
import { setUpPeers } from '../baselines/peers.ts';
import { EXIT, endWith, interruption, say } from '../command-line.ts';
import { PAPER_SCALE } from './paper-networks.ts';
import { Results } from './results.ts';
import { runPaper } from './run-paper.ts';
import { runExperiment } from './run-series.ts';
import {
  missing,
  SERIES_EXPERIMENTS,
  type SeriesExperiment,
} from './series-experiments.ts';

/** Paper 4. */
const PAPER_EPOCHS = 40;

const USAGE = `Runs the experiments on public series again and prints their tables.

usage: npm run reproduce -- [options]
  --series DIR      the corpus' folder of series (default ../shared/corpus/series); its parent holds ucdavis-quic/.
                    What is not there is skipped, with a reason
  --lab DIR         a data set, or labelled captures, for the paper's table (default lab/flows)
  --split NAME      split of that data set (default capture; made by capture where there is none)
  --real LIST       captures whose flows are labelled by their servers' names, to test that table's networks on
                    (default ../shared/corpus/captures,../shared/corpus/captures-mobile)
  --epochs N        of all networks, at most (default 40 for the paper's table; the series have their own)
  --out DIR         data sets, runs, results.jsonl, results.md (default runs/reproduce)
  --only LIST       experiments whose names begin so: p (the paper's table), a, b, c, d (default: all)
  --models LIST     models whose names hold one of these words: trees,flow-cnn; words of either list that hold
                    a comma are parted, and ended, by semicolons (default: all)
  --seeds N         seeds 1 to N (default 5)
  --looks LIST      of the numbers of packets, these only, for models that are trained anew for each
  --set-up-peers    get LightGBM and scikit-learn from PyPI (some 300 MB in the cache) and end; without them their rows are left out
  --tables          print the tables of what was found so far and end
`;

interface Options {
  readonly corpus: string;
  readonly lab: string;
  readonly split: string;
  readonly real: readonly string[];
  readonly epochs: number | undefined;
  readonly out: string;
  readonly only: readonly string[];
  readonly models: readonly string[];
  readonly looks: readonly number[];
  readonly seeds: number;
  readonly peers: boolean;
  readonly tables: boolean;
}

/** undefined: the usage was asked for. @throws InputError ERR_OPTION */
function readOptions(): Options | undefined {
  const values = parsed();
  if (values.help) return undefined;
  const list = (text: string | undefined) => (text === undefined ? [] : text.split(','));
  const names = (text: string | undefined) =>
    text?.includes(';') ? text.split(';').filter((word) => word !== '') : list(text);
  const series = resolve(values.series);
  if (!/^[1-9]\d?$/.test(values.seeds)) {
    throw new InputError('ERR_OPTION', `--seeds ${values.seeds}: expected 1 to 99`);
  }
  if (values.epochs !== undefined && !/^[1-9]\d{0,3}$/.test(values.epochs)) {
    throw new InputError('ERR_OPTION', `--epochs ${values.epochs}: expected 1 to 9999`);
  }
  return {
    corpus: basename(series) === 'series' ? dirname(series) : series,
    lab: values.lab,
    split: values.split,
    real: list(values.real),
    epochs: values.epochs === undefined ? undefined : Number(values.epochs),
    out: values.out,
    only: names(values.only),
    models: names(values.models),
    looks: list(values.looks).map(Number),
    seeds: Number(values.seeds),
    peers: values['set-up-peers'],
    tables: values.tables,
  };
}

function parsed() {
  try {
    return parseArgs({
      options: {
        series: { type: 'string', default: '../shared/corpus/series' },
        lab: { type: 'string', default: 'lab/flows' },
        split: { type: 'string', default: 'capture' },
        real: {
          type: 'string',
          default: '../shared/corpus/captures,../shared/corpus/captures-mobile',
        },
        epochs: { type: 'string' },
        out: { type: 'string', default: 'runs/reproduce' },
        only: { type: 'string' },
        models: { type: 'string' },
        looks: { type: 'string' },
        seeds: { type: 'string', default: '5' },
        'set-up-peers': { type: 'boolean', default: false },
        tables: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (fault) {
    throw new InputError('ERR_OPTION', `${(fault as Error).message}; --help lists all`);
  }
}

/** Fewer epochs stand in the name: their results are not mixed with whole ones. */
function shortened(
  experiment: SeriesExperiment,
  epochs: number | undefined,
): SeriesExperiment {
  if (epochs === undefined || epochs >= experiment.epochs) return experiment;
  const name = `${experiment.name}; networks after ${epochs} of ${experiment.epochs} epochs`;
  return { ...experiment, name, epochs };
}

/** Returns false when it was interrupted. */
async function runAll(options: Options, results: Results): Promise<boolean> {
  const signal = interruption();
  const backend = await chooseBackend();
  say(`backend     ${describeBackend(backend)}`);
  const work = join(options.out, 'data');
  const wanted = (name: string) =>
    options.only.length === 0 || options.only.some((own) => name.startsWith(own));
  if (wanted('p')) {
    const epochs = options.epochs ?? PAPER_EPOCHS;
    await runPaper({ ...options, epochs, results, backend, signal });
  }
  for (const experiment of SERIES_EXPERIMENTS.filter(({ name }) => wanted(name))) {
    if (signal.aborted) break;
    const lacking = missing(experiment, options.corpus);
    if (lacking !== undefined) {
      const path = join(options.corpus, lacking);
      say(`skipped     ${experiment.name}: ${path} is not there`);
      continue;
    }
    const places = { corpus: options.corpus, work };
    await runExperiment(shortened(experiment, options.epochs), {
      ...options,
      places,
      results,
      backend,
      signal,
    });
  }
  return !signal.aborted;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  if (options.peers) {
    const fault = setUpPeers();
    if (fault !== undefined) {
      throw new InputError(
        'ERR_PEERS',
        `LightGBM and scikit-learn were not got: ${fault}`,
      );
    }
    say('LightGBM and scikit-learn are in place');
    return EXIT.done;
  }
  mkdirSync(options.out, { recursive: true });
  const results = new Results(options.out);
  if (!options.tables && !(await runAll(options, results))) return EXIT.interrupted;
  const tables = `${results.tables()}\nThe paper's table: ${PAPER_SCALE}\n`;
  writeFileSync(join(options.out, 'results.md'), `${tables}\n`);
  process.stdout.write(`${tables}\n`);
  if (!existsSync(join(options.out, 'results.jsonl'))) say('nothing was found');
  return EXIT.done;
}

await endWith(main);
