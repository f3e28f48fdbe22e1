// A configuration -> a run: opens the data, trains (or goes on where a checkpoint stands), calibrates on validation, writes.

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { fileSha256 } from '../../src/dataset/dataset-file.ts';
import { splitPath } from '../../src/dataset/split-file.ts';
import { InputError } from '../../src/errors.ts';
import type { Backend } from '../backend.ts';
import { atTemperature, fitTemperature, fitThresholds } from '../calibration.ts';
import { type OpenData, openData } from '../data/open-data.ts';
import { gitCommit } from '../git-commit.ts';
import { modelKindNamed } from '../networks/networks.ts';
import { answersOf, disposeTrained, type Trained } from '../trained.ts';
import { C45 } from '../tree/c45-kind.ts';
import { removeCheckpoint } from './checkpoint.ts';
import type { FitData } from './fit.ts';
import { type LearnOptions, learnNetwork, learnTree } from './learner.ts';
import { prepareTraining } from './preparation.ts';
import { duration } from './progress.ts';
import { isFinishedRun, type Run, saveRun } from './run.ts';
import type { TrainingConfig } from './training-config.ts';

/** `restart` begins anew over a finished run, too. */
export type TrainOptions = Omit<LearnOptions, 'digest'>;

/**
 * @returns the run; undefined when it was interrupted: the checkpoint stands.
 * @throws InputError: configuration, data and what stands in the directory do not fit together
 */
export async function trainNetwork(
  config: TrainingConfig,
  options: TrainOptions,
): Promise<Run | undefined> {
  const { directory, say } = options;
  const startedAt = new Date().toISOString();
  const start = performance.now();
  if (isFinishedRun(directory) && !options.restart) {
    throw new InputError(
      'ERR_RUN',
      `${directory} holds a finished run; --out for another place, --restart to train it anew`,
    );
  }
  const asked = withResolvedOptions(config);
  const data = await openData({ ...asked.data });
  describe(asked, data, say);
  const prepared = await prepareTraining(asked, data);
  const resolved = prepared.config;
  mkdirSync(directory, { recursive: true });
  const runData = await runDataOf(resolved, data);
  const digest = digestOf(resolved, runData, options.backend);
  const learn = resolved.network.name === C45.name ? learnTree : learnNetwork;
  const inputs = { config: resolved, data, prepared };
  const learnt = await learn(inputs, { ...options, digest });
  if (learnt === undefined) return undefined;
  const { trained, parameters, bestEpoch, stopped, history } = learnt;
  const { seconds, secondsAnEpoch } = learnt;
  const run: Omit<Run, 'format' | 'version'> = {
    config: resolved,
    classes: data.classes,
    normaliser: prepared.normaliser,
    data: runData,
    commit: gitCommit(),
    backend: options.backend,
    startedAt,
    parameters,
    bestEpoch,
    stopped,
    seconds,
    secondsAnEpoch,
    history,
    ...calibrate(trained, prepared.fit, data.classes, resolved),
  };
  await saveRun(directory, trained, run);
  removeCheckpoint(directory);
  disposeTrained(trained);
  const best = history.length === 0 ? '' : `best epoch ${bestEpoch} (${stopped}), `;
  say(
    `${best}${duration((performance.now() - start) / 1000)}; temperature ${run.temperature.toFixed(2)}; written to ${directory}`,
  );
  return { format: 'sluice-run', version: 1, ...run };
}

/** A run tells every option of its network, also those that were left out. */
function withResolvedOptions(config: TrainingConfig): TrainingConfig {
  const { network } = config;
  const known = modelKindNamed(network.name);
  const options = { ...known.resolve(network.options) };
  const seriesSteps = network.seriesSteps ?? known.seriesSteps;
  return { ...config, network: { ...network, seriesSteps, options } };
}

function describe(
  { data: { directory, split, level } }: TrainingConfig,
  data: OpenData,
  say: (text: string) => void,
): void {
  const { classes, counts, ofOtherClasses } = data;
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  say(`data set    ${directory}, split ${split}, ${classes.length} classes (${level})`);
  for (const part of ['train', 'validation', 'test'] as const) {
    const own =
      classes.length > 12
        ? ''
        : ` (${classes.map((name, k) => `${name} ${counts[part][k]}`).join(', ')})`;
    say(`${part.padEnd(11)} ${sum(counts[part])} flows${own}`);
  }
  if (ofOtherClasses > 0) {
    say(
      `            ${ofOtherClasses} flows of validation and test are of other classes`,
    );
  }
}

async function runDataOf({ data }: TrainingConfig, open: OpenData): Promise<Run['data']> {
  return {
    sha256: open.manifest.contentSha256,
    splitSha256: await fileSha256(splitPath(data.directory, data.split)),
    counts: open.counts,
    sources: Object.keys(open.manifest.sources),
  };
}

/** Of all that decides the curve. Where the data lies is not among it, nor how long training may last. */
function digestOf(config: TrainingConfig, data: Run['data'], backend: Backend): string {
  const { name: _name, data: own, training, ...rest } = config;
  const { directory: _directory, memoryMb: _memory, ...dataKeys } = own;
  const { epochs: _epochs, patienceEpochs: _patience, ...trainingKeys } = training;
  const parts = [rest, dataKeys, trainingKeys, data.sha256, data.splitSha256, backend];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** One temperature for all classes, then each class's threshold; on validation alone. */
function calibrate(
  trained: Trained,
  { validation }: FitData,
  classes: readonly string[],
  { calibration }: TrainingConfig,
): Pick<Run, 'temperature' | 'thresholds'> {
  const labels = Int32Array.from(validation.flatMap((batch) => [...batch.labels]));
  const probabilities = Float32Array.from(
    validation.flatMap((batch) => [...answersOf(trained, batch)]),
  );
  const temperature = fitTemperature(probabilities, labels, classes.length);
  const scaled = atTemperature(probabilities, classes.length, temperature);
  const { thresholdPrecision: precision, thresholdFloor: floor } = calibration;
  return {
    temperature,
    thresholds: fitThresholds(scaled, labels, classes, { precision, floor }),
  };
}
