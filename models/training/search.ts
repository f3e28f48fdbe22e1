// A search that is small and honest: trials are drawn at random from a declared space, judged by the validation part alone, and the
// test part judges nothing here. Trials are kept in trials.jsonl, so a search goes on where it stopped.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { InputError } from '../../src/errors.ts';
import { modelKindNamed } from '../networks/networks.ts';
import { percent } from '../report/markup.ts';
import { drawTrial, type SearchSpace, withValues } from './search-space.ts';
import { type TrainOptions, trainNetwork } from './train-network.ts';
import type { TrainingConfig } from './training-config.ts';

export interface Trial {
  /** From 1. */
  readonly number: number;
  readonly values: Readonly<Record<string, unknown>>;
  /** At the best epoch. */
  readonly validationLoss: number;
  readonly validationMacroF1: number;
  readonly bestEpoch: number;
  readonly seconds: number;
}

export interface SearchOptions extends Omit<TrainOptions, 'restart'> {
  readonly space: SearchSpace;
  /** Of this process; a trial that is under way then is given up, its checkpoint stays. */
  readonly minutes: number;
}

const TRIALS = 'trials.jsonl';
const BEST = 'best.yaml';
const FILE = 'search.json';

/**
 * Trains trials until the time is over.
 *
 * @returns all trials that were finished, the best one (by validation loss) first
 * @throws InputError ERR_SEARCH: the folder holds a search in another space; what trainNetwork throws
 */
export async function search(
  config: TrainingConfig,
  options: SearchOptions,
): Promise<Trial[]> {
  const { directory, space, say } = options;
  mkdirSync(directory, { recursive: true });
  checkSame(directory, config, space);
  // Wrong keys and values are told before anything is trained.
  for (let number = 1; number <= 20; number++) checkTrial(config, space, number);
  const trials = readTrials(directory);
  const deadline = AbortSignal.timeout(options.minutes * 60_000);
  const signal = AbortSignal.any([deadline, ...(options.signal ? [options.signal] : [])]);
  while (!signal.aborted) {
    const number = trials.length + 1;
    const values = drawTrial(space, config.training.seed, number);
    say(`\ntrial ${number}: ${JSON.stringify(values)}`);
    const place = join(directory, `trial-${number}`);
    const run = await trainNetwork(withValues(config, values), {
      ...options,
      directory: place,
      // A run that stands without its line was finished just before the end.
      restart: existsSync(join(place, 'run.json')),
      signal,
    });
    if (run === undefined) break;
    const best = run.history[run.bestEpoch - 1];
    const trial: Trial = {
      number,
      values,
      validationLoss: best?.validationLoss ?? Number.POSITIVE_INFINITY,
      validationMacroF1: best?.validationMacroF1 ?? 0,
      bestEpoch: run.bestEpoch,
      seconds: run.seconds,
    };
    trials.push(trial);
    appendFileSync(join(directory, TRIALS), `${JSON.stringify(trial)}\n`);
    writeBest(directory, config, trials);
  }
  const ranked = rank(trials);
  for (const trial of ranked.slice(0, 5)) {
    say(
      `  trial ${trial.number}: validation loss ${trial.validationLoss.toFixed(4)}, macro-F1 ${percent(trial.validationMacroF1)}  ${JSON.stringify(trial.values)}`,
    );
  }
  say(
    `${trials.length} trials are finished; ${trials.length === 0 ? 'none was finished in this time, the same command goes on' : `the best one's configuration is ${join(directory, BEST)}`}`,
  );
  return ranked;
}

function rank(trials: readonly Trial[]): Trial[] {
  return [...trials].sort((a, b) => a.validationLoss - b.validationLoss);
}

function checkTrial(config: TrainingConfig, space: SearchSpace, number: number): void {
  const { network } = withValues(config, drawTrial(space, config.training.seed, number));
  modelKindNamed(network.name).resolve(network.options);
}

function checkSame(directory: string, config: TrainingConfig, space: SearchSpace): void {
  const path = join(directory, FILE);
  const text = `${JSON.stringify({ config, space }, null, 1)}\n`;
  if (!existsSync(path)) writeFileSync(path, text);
  if (readFileSync(path, 'utf8') === text) return;
  throw new InputError(
    'ERR_SEARCH',
    `${directory} holds a search with another configuration or space; --out names another place`,
  );
}

function readTrials(directory: string): Trial[] {
  const path = join(directory, TRIALS);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  // A line that was cut off is a trial that has to be told again.
  return lines.flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Trial];
    } catch {
      return [];
    }
  });
}

function writeBest(
  directory: string,
  config: TrainingConfig,
  trials: readonly Trial[],
): void {
  const [best] = rank(trials);
  if (best === undefined) return;
  const { name, ...rest } = withValues(config, best.values);
  const text = stringify({ name: `${name}-best`, ...rest });
  const head = `# Trial ${best.number} of ${trials.length}, chosen by validation loss alone.\n`;
  writeFileSync(join(directory, BEST), head + text);
}
