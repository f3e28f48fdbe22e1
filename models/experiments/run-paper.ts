// The paper's table again: every network and baseline trained on the same part of one data set, judged on its test part, and on
// labelled real flows that none of them ever saw; and each network exported to int8.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readManifest } from '../../src/dataset/dataset-manifest.ts';
import { splitPath } from '../../src/dataset/split-file.ts';
import type { Backend } from '../backend.ts';
import { BASELINE_MODELS } from '../baselines/baseline-models.ts';
import { say } from '../command-line.ts';
import type { LabelledRow } from '../data/flow-source.ts';
import { openData } from '../data/open-data.ts';
import { Judge } from '../evaluate/judge.ts';
import { judgingFlows } from '../evaluate/judging-flows.ts';
import { networkNamed } from '../networks/networks.ts';
import { percent } from '../report/markup.ts';
import { featureSpecOf } from '../training/configured-network.ts';
import { labelledRows } from '../training/preparation.ts';
import { isFinishedRun, loadTrained, type Run, readRun } from '../training/run.ts';
import { trainNetwork } from '../training/train-network.ts';
import {
  type TrainingConfig,
  trainingConfigSchema,
} from '../training/training-config.ts';
import { PAPER_NETWORKS, type PaperNetwork } from './paper-networks.ts';
import { judged, type ResultKey, type Results } from './results.ts';
import { runSluice } from './series-data.ts';

export interface PaperOptions {
  /** A data set, or a folder of labelled captures of which one is made. */
  readonly lab: string;
  /** Name of its split; one by capture is made where there is none. */
  readonly split: string;
  /** Folders of captures whose flows are labelled by their servers' names. */
  readonly real: readonly string[];
  readonly out: string;
  readonly results: Results;
  readonly backend: Backend;
  readonly seeds: number;
  readonly epochs: number;
  readonly models: readonly string[];
  readonly signal: AbortSignal;
}

interface Tables {
  readonly lab: string;
  readonly real: string;
  readonly bundles: string;
}

/** Names of the tables; runs of other lengths and splits are not mixed. */
function tablesOf({ epochs, split }: PaperOptions): Tables {
  const after = `split ${split}, networks trained for ${epochs} epochs at most`;
  return {
    lab: `p: the paper's table, tested on the same data set, ${after}`,
    real: `p: the paper's table, tested on labelled real flows never trained on, ${after}`,
    bundles: `p: the paper's table, what \`sluice export\` makes of its networks, ${after}`,
  };
}

export async function runPaper(options: PaperOptions): Promise<void> {
  const { out, real } = options;
  const lab = datasetOf([options.lab], join(out, 'data', 'lab'));
  if (!existsSync(splitPath(lab, options.split))) {
    runSluice(['dataset', 'split', lab, '--by', 'capture', '--name', options.split]);
  }
  const found = real.filter((path) => existsSync(path));
  for (const path of real) {
    if (!existsSync(path)) say(`skipped     real flows: ${path} is not there`);
  }
  const apart =
    found.length === 0 ? undefined : datasetOf(found, join(out, 'data', 'real'));
  for (let seed = 1; seed <= options.seeds; seed++) {
    for (const network of PAPER_NETWORKS) {
      if (options.signal.aborted) return;
      if (options.models.length > 0 && !options.models.includes(network.name)) continue;
      await runNetwork(network, { ...options, lab, apart, seed });
    }
    await runBaselines({ ...options, lab, apart, seed });
  }
}

/** The data set itself, or one that is built of captures. */
function datasetOf(paths: readonly string[], directory: string): string {
  const [first = ''] = paths;
  if (existsSync(join(first, 'dataset.json'))) return first;
  if (!existsSync(join(directory, 'dataset.json'))) {
    say(`building    ${directory} of ${paths.join(', ')}`);
    // A flow of fewer packets has nothing that could be told.
    runSluice(['dataset', 'build', ...paths, '--out', directory, '--min-packets', '3']);
  }
  return directory;
}

interface SeedOptions extends PaperOptions {
  readonly apart: string | undefined;
  readonly seed: number;
}

function configOf(
  { name, options, seriesSteps, training }: PaperNetwork,
  { lab, split, seed, epochs }: SeedOptions,
): TrainingConfig {
  return trainingConfigSchema.parse({
    name: `${name}-seed-${seed}`,
    data: { directory: lab, split },
    network: { name, options, ...(seriesSteps !== undefined && { seriesSteps }) },
    // Paper 4: 40 epochs, small classes shown more often. The best validation decides, so none ends before.
    training: {
      seed,
      epochs,
      patienceEpochs: epochs,
      balancePower: 0.5,
      ...training,
    },
  });
}

async function runNetwork(network: PaperNetwork, options: SeedOptions): Promise<void> {
  const { name } = network;
  const { seed, results, out, backend, signal, apart } = options;
  const key = { model: name, seed, packets: 0 };
  const tables = tablesOf(options);
  const done = (experiment: string) => results.has({ ...key, experiment });
  const exported =
    networkNamed(name).row === 'session' ||
    results.hasBundle({ ...key, experiment: tables.bundles });
  if (done(tables.lab) && (apart === undefined || done(tables.real)) && exported) return;
  const place = join(
    out,
    'runs',
    `paper-${name}-${options.split}-${options.epochs}-${seed}`,
  );
  say(`\n${name}, seed ${seed}`);
  if (!isFinishedRun(place)) {
    const run = await trainNetwork(configOf(network, options), {
      directory: place,
      backend,
      restart: false,
      signal,
      say,
      stream: process.stderr,
    });
    if (run === undefined) return;
  }
  const run = await readRun(place);
  const judge = new Judge(run, await loadTrained(place, run));
  const cost = { secondsAnEpoch: run.secondsAnEpoch, seconds: run.seconds };
  const trained = run.data.counts.train.reduce((a, b) => a + b, 0);
  const tell = (experiment: string, flows: readonly LabelledRow[]) => {
    const labels = Int32Array.from(flows, ({ label }) => label);
    const figures = judged(judge.probabilities(flows), labels, run.classes);
    results.add({ ...key, experiment, trained, ...cost, ...figures });
  };
  if (!done(tables.lab)) tell(tables.lab, (await judgingFlows(run, {})).known);
  if (apart !== undefined && !done(tables.real)) {
    tell(tables.real, (await judgingFlows(run, { data: apart, allRows: true })).known);
  }
  if (!exported) exportRun(place, { ...key, experiment: tables.bundles }, results);
}

/** What an export said, `sluice export --json`. */
const exportSchema = z.object({
  accuracy: z.number(),
  parity: z.number(),
  int8Agreement: z.number(),
  accuracyLoss: z.number(),
  sizeBytes: z.number(),
  fp32Bytes: z.number(),
  failed: z.array(z.string()),
  fallbacks: z.array(z.object({ layer: z.string() })),
});

/** As a user exports it; a check that fails is part of what is told. */
function exportRun(place: string, key: ResultKey, results: Results): void {
  const asked = ['export', '--run', place, '--json', '--force'];
  const told = exportSchema.parse(JSON.parse(runSluice(asked)));
  const { failed, fallbacks, ...figures } = told;
  results.addBundle({
    ...key,
    ...figures,
    failed,
    floatLayers: fallbacks.map(({ layer }) => layer),
  });
  say(
    `  exported: int8 agrees on ${percent(figures.int8Agreement)}, ${failed.length} checks failed`,
  );
}

/** Packets whose statistics baselines read. */
const BASELINE_PACKETS = 100;

async function runBaselines(options: SeedOptions): Promise<void> {
  const { lab, apart, seed, results } = options;
  const tables = tablesOf(options);
  const [network] = PAPER_NETWORKS;
  if (network === undefined) return;
  const config = configOf(network, options);
  const data = await openData(config.data);
  const spec = featureSpecOf(config);
  const part = (name: 'train' | 'validation' | 'test') =>
    labelledRows(data, name, spec.packets);
  const train = [...(await part('train')), ...(await part('validation'))];
  const { contentSha256 } = await readManifest(lab);
  const like = { config, classes: data.classes, data: { sha256: contentSha256 } } as Run;
  const tests: [string, readonly LabelledRow[]][] = [[tables.lab, await part('test')]];
  if (apart !== undefined) {
    const { known } = await judgingFlows(like, { data: apart, allRows: true });
    tests.push([tables.real, known]);
  }
  const labels = Int32Array.from(train, ({ label }) => label);
  for (const [experiment, test] of tests) {
    const tested = Int32Array.from(test, ({ label }) => label);
    const flows = { train, test, classes: data.classes };
    for (const model of BASELINE_MODELS.filter(({ peer }) => !peer)) {
      const key = { experiment, model: model.name, seed, packets: 0 };
      if (results.has(key) || options.signal.aborted) continue;
      const start = performance.now();
      const asked = { flows, labels, packets: BASELINE_PACKETS, spec, seed };
      const figures = judged(model.run(asked), tested, data.classes);
      const seconds = (performance.now() - start) / 1000;
      results.add({ ...key, trained: labels.length, seconds, ...figures });
    }
  }
}
