// One experiment: every model for every seed and number of packets, results kept as they come.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { FeatureSpec } from '../../src/features/features.ts';
import { PAPER_PACKETS } from '../../src/features/features.ts';
import type { Backend } from '../backend.ts';
import { BASELINE_MODELS } from '../baselines/baseline-models.ts';
import { PEERS_PYTHON, PEERS_SETUP } from '../baselines/peers.ts';
import { say } from '../command-line.ts';
import { flowExamples } from '../data/examples.ts';
import { predictExamples } from '../evaluate/predict.ts';
import { percent } from '../report/markup.ts';
import { disposeTrained, type Trained } from '../trained.ts';
import { inputSpecOf } from '../training/configured-network.ts';
import { isFinishedRun, loadTrained, type Run, readRun } from '../training/run.ts';
import { trainNetwork } from '../training/train-network.ts';
import type { TrainingConfig } from '../training/training-config.ts';
import { judged, type Result, type Results } from './results.ts';
import type { OpenedExperiment, Places, SeriesExperiment } from './series-experiments.ts';
import { SERIES_NETWORKS, type SeriesNetwork, seriesConfig } from './series-networks.ts';

export interface RunOptions {
  readonly places: Places;
  readonly out: string;
  readonly results: Results;
  readonly backend: Backend;
  readonly seeds: number;
  /** Words that a model's name has to hold one of; none: all. */
  readonly models: readonly string[];
  /** Of the experiment's numbers of packets; none: all. */
  readonly looks: readonly number[];
  readonly signal: AbortSignal;
}

export async function runExperiment(
  experiment: SeriesExperiment,
  options: RunOptions,
): Promise<void> {
  const wanted = ({ name }: { readonly name: string }) =>
    options.models.length === 0 || options.models.some((word) => name.includes(word));
  for (let seed = 1; seed <= options.seeds; seed++) {
    if (options.signal.aborted) return;
    say(`\n${experiment.name}, seed ${seed}`);
    const opened = await experiment.open(options.places, seed);
    await runBaselines(experiment, opened, { ...options, seed, wanted });
    for (const network of SERIES_NETWORKS.filter(wanted)) {
      if (network.networks.length > 1 + opened.folds.length) continue;
      if (options.signal.aborted) return;
      await runNetwork(experiment, opened, network, { ...options, seed });
    }
  }
}

type SeedOptions = RunOptions & { readonly seed: number };

async function runBaselines(
  experiment: SeriesExperiment,
  { flows }: OpenedExperiment,
  options: SeedOptions & { readonly wanted: (model: { name: string }) => boolean },
): Promise<void> {
  const { seed, results, looks } = options;
  const labels = Int32Array.from(flows.train, ({ label }) => label);
  const tested = Int32Array.from(flows.test, ({ label }) => label);
  for (const model of BASELINE_MODELS.filter(options.wanted)) {
    if (model.peer && !existsSync(PEERS_PYTHON)) {
      say(`  skipped ${model.name}: not in place, ${PEERS_SETUP} gets it`);
      continue;
    }
    for (const packets of experiment.looks) {
      const key = { experiment: experiment.name, model: model.name, seed, packets };
      if (looks.length > 0 && !looks.includes(packets)) continue;
      if (results.has(key)) continue;
      // Lets signals through: trees are grown in one go.
      await breathe();
      if (options.signal.aborted) return;
      const start = performance.now();
      const spec = specOf(experiment);
      const probabilities = model.run({ flows, labels, packets, spec, seed });
      const seconds = (performance.now() - start) / 1000;
      const figures = judged(probabilities, tested, flows.classes);
      tell(results, { ...key, trained: labels.length, seconds, ...figures });
    }
  }
}

/** Of the rows' own numbers; T is not asked for. */
function specOf({ packets, looks }: SeriesExperiment): FeatureSpec {
  const most = Math.max(...looks);
  return {
    ...PAPER_PACKETS,
    counted: packets,
    seriesSteps: most,
    packets: most,
    occlusion: { shown: [] },
  };
}

/** One network, or several averaged, for all numbers of packets: more of them must not make its answer worse. */
async function runNetwork(
  experiment: SeriesExperiment,
  opened: OpenedExperiment,
  network: SeriesNetwork,
  options: SeedOptions,
): Promise<void> {
  const { seed, results } = options;
  const keyOf = (packets: number) => ({
    experiment: experiment.name,
    model: network.name,
    seed,
    packets,
  });
  if (experiment.looks.every((packets) => results.has(keyOf(packets)))) return;
  say(`  ${network.name}`);
  const { directory, flows } = opened;
  const splits = [opened.split, ...opened.folds];
  const members: Member[] = [];
  for (const [n, own] of network.networks.entries()) {
    const split = splits[n] ?? opened.split;
    const config = seriesConfig(own, network.training, {
      ...experiment,
      directory,
      split,
      seed,
    });
    const name = [experiment.name, network.name, seed, ...(n === 0 ? [] : [split])];
    const place = join(options.out, 'runs', slug(name.join(' ')));
    const member = await trainedMember(config, place, options);
    if (member === undefined) return;
    members.push(member);
  }
  const tested = Int32Array.from(flows.test, ({ label }) => label);
  for (const packets of experiment.looks) {
    if (results.has(keyOf(packets))) continue;
    const examples = flowExamples(flows.test, packets);
    const answers = members.map(({ run, trained }) =>
      predictExamples(trained, examples, inputSpecOf(run.config, run.normaliser)),
    );
    const sum = (of: (run: Run) => number) =>
      members.reduce((total, { run }) => total + of(run), 0);
    tell(results, {
      ...keyOf(packets),
      trained: flows.train.length,
      seconds: sum(({ seconds }) => seconds),
      secondsAnEpoch: sum(({ secondsAnEpoch }) => secondsAnEpoch),
      ...judged(meanOf(answers), tested, flows.classes),
    });
  }
  for (const { trained } of members) disposeTrained(trained);
}

interface Member {
  readonly run: Run;
  readonly trained: Trained;
}

/** Trains one network, unless that is done; undefined when it was interrupted. */
async function trainedMember(
  config: TrainingConfig,
  directory: string,
  { backend, signal }: SeedOptions,
): Promise<Member | undefined> {
  if (!isFinishedRun(directory)) {
    const run = await trainNetwork(config, {
      directory,
      backend,
      restart: false,
      signal,
      say: (text) => say(`    ${text}`),
      stream: process.stderr,
    });
    if (run === undefined) return undefined;
  }
  const run = await readRun(directory);
  return { run, trained: await loadTrained(directory, run) };
}

/** Of several answers of the same shape. */
function meanOf(answers: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(0)] = answers;
  return first.map(
    (_, i) => answers.reduce((sum, own) => sum + (own[i] ?? 0), 0) / answers.length,
  );
}

function tell(results: Results, result: Result): void {
  results.add(result);
  const { model, packets, accuracy, macroF1, seconds } = result;
  say(
    `  ${model}, ${packets} packets: accuracy ${percent(accuracy)}, macro-F1 ${percent(macroF1)}, ${seconds.toFixed(1)} s`,
  );
}

function slug(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}
