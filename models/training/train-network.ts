// A configuration -> a run: opens the data, trains (or goes on where a checkpoint stands), calibrates on validation, writes.

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { fileSha256 } from '../../src/dataset/dataset-file.ts';
import { splitPath } from '../../src/dataset/split-file.ts';
import { InputError } from '../../src/errors.ts';
import type { Backend, tf } from '../backend.ts';
import { atTemperature, fitTemperature, fitThresholds } from '../calibration.ts';
import { type OpenData, openData } from '../data/open-data.ts';
import { gitCommit } from '../git-commit.ts';
import { networkNamed } from '../networks/networks.ts';
import { predictBatch } from '../training-step.ts';
import {
  hasCheckpoint,
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
} from './checkpoint.ts';
import { buildNetwork } from './configured-network.ts';
import { type FitData, type FitResult, fit } from './fit.ts';
import { prepareTraining } from './preparation.ts';
import { duration, Progress } from './progress.ts';
import { isFinishedRun, type Run, saveCurves, saveRun } from './run.ts';
import type { TrainingConfig } from './training-config.ts';

export interface TrainOptions {
  readonly directory: string;
  readonly backend: Backend;
  /** Begins anew over a finished run or a checkpoint. */
  readonly restart: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly say: (text: string) => void;
  /** Where progress goes; nowhere unless given. */
  readonly stream?: NodeJS.WriteStream | undefined;
}

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
  const model = buildNetwork(resolved, data.classes.length);
  const parameters = model.countParams();
  say(
    `network     ${resolved.network.name}, ${parameters} parameters; flows ${prepared.kept === 'memory' ? 'in memory' : 'streamed from files'}`,
  );
  mkdirSync(directory, { recursive: true });
  const runData = await runDataOf(resolved, data);
  const digest = digestOf(resolved, runData, options.backend);
  const result = await fitWithCheckpoints(
    model,
    { config: resolved, data, prepared },
    {
      ...options,
      digest,
    },
  );
  if (result.stopped === 'interrupted') return undefined;
  if (options.backend === 'native' && result.callByCall !== undefined) {
    say(`steps were computed call by call, which is slower: ${result.callByCall}`);
  }
  const calibrated = calibrate(model, prepared.fit, data.classes, resolved);
  const run: Omit<Run, 'format' | 'version'> = {
    config: resolved,
    classes: data.classes,
    normaliser: prepared.normaliser,
    data: runData,
    commit: gitCommit(),
    backend: options.backend,
    startedAt,
    parameters,
    bestEpoch: result.bestEpoch,
    stopped: result.stopped,
    seconds: result.history.reduce((sum, { seconds }) => sum + seconds, 0),
    secondsAnEpoch: median(result.history.map(({ trainSeconds }) => trainSeconds)),
    history: result.history,
    ...calibrated,
  };
  await saveRun(directory, model, run);
  removeCheckpoint(directory);
  model.dispose();
  say(
    `best epoch ${run.bestEpoch} (${run.stopped}), ${duration((performance.now() - start) / 1000)}; temperature ${run.temperature.toFixed(2)}; written to ${directory}`,
  );
  return { format: 'sluice-run', version: 1, ...run };
}

/** A run tells every option of its network, also those that were left out. */
function withResolvedOptions(config: TrainingConfig): TrainingConfig {
  const { network } = config;
  const known = networkNamed(network.name);
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

interface Parts {
  readonly config: TrainingConfig;
  readonly data: OpenData;
  readonly prepared: Awaited<ReturnType<typeof prepareTraining>>;
}

async function fitWithCheckpoints(
  model: tf.LayersModel,
  { config, data, prepared }: Parts,
  options: TrainOptions & { readonly digest: string },
): Promise<FitResult> {
  const { directory, digest, restart, stream, say, signal } = options;
  if (restart) removeCheckpoint(directory);
  const from = hasCheckpoint(directory) ? readCheckpoint(directory, digest) : undefined;
  if (from !== undefined) say(`going on after epoch ${from.history.length}`);
  const progress =
    stream === undefined
      ? undefined
      : new Progress({
          epochs: config.training.epochs,
          examples: prepared.examplesAnEpoch,
          done: from?.history.length ?? 0,
          stream,
        });
  const result = await fit(
    model,
    prepared.fit,
    { ...config.training, classes: data.classes, classWeights: prepared.classWeights },
    {
      from,
      signal,
      onStep: (live) => progress?.step(live),
      onEpoch: (record) => progress?.epoch(record),
      onCheckpoint: (state) => writeCheckpoint(directory, { digest, ...state }),
    },
  );
  progress?.end();
  if (result.stopped === 'interrupted') {
    await saveCurves(directory, result.history, config.name);
    const done = result.history.length;
    say(
      `interrupted in epoch ${done + 1}; ${done === 0 ? 'nothing is kept yet' : `epoch ${done} is kept, the same command goes on from there`}`,
    );
  }
  return result;
}

/** One temperature for all classes, then each class's threshold; on validation alone. */
function calibrate(
  model: tf.LayersModel,
  { validation }: FitData,
  classes: readonly string[],
  { calibration }: TrainingConfig,
): Pick<Run, 'temperature' | 'thresholds'> {
  const labels = Int32Array.from(validation.flatMap((batch) => [...batch.labels]));
  const probabilities = Float32Array.from(
    validation.flatMap((batch) => [...predictBatch(model, batch)]),
  );
  const temperature = fitTemperature(probabilities, labels, classes.length);
  const scaled = atTemperature(probabilities, classes.length, temperature);
  const { thresholdPrecision: precision, thresholdFloor: floor } = calibration;
  return {
    temperature,
    thresholds: fitThresholds(scaled, labels, classes, { precision, floor }),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
