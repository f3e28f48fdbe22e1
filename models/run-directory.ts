// What a training leaves behind in runs/<name>/, and export reads: config.json, metrics.json, weights.json, weights.bin.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../src/errors.ts';
import type { PacketSpec } from '../src/features/features.ts';
import type { StatisticsNormaliser } from '../src/features/normalise.ts';
import type { CanaryField } from '../src/handshake/canary.ts';
import type { tf } from './backend.ts';
import type { Evaluation } from './evaluation.ts';
import type { NetworkOptions } from './networks/network.ts';
import type { EpochReport } from './trainer.ts';
import { copyWeights, setWeights } from './trainer.ts';

/** Everything that decided the weights. */
export interface RunConfig {
  /** Its name in models/networks/networks.ts. */
  readonly network: string;
  /** Its options where they are not the defaults. */
  readonly networkOptions?: NetworkOptions;
  readonly classes: readonly string[];
  readonly seed: number;
  readonly seriesSteps: number;
  readonly packets: PacketSpec;
  readonly shownCanaries: readonly CanaryField[];
  readonly cuts: readonly number[];
  readonly normaliser: StatisticsNormaliser;
  readonly hyperParameters: Readonly<Record<string, number | string | boolean>>;
  readonly data: {
    readonly sha256: string;
    readonly train: readonly string[];
    readonly validation: readonly string[];
    readonly test: readonly string[];
    readonly trainFlows: number;
    readonly validationFlows: number;
  };
  /** Git commit of the program, `-dirty` behind it where the tree had changes. */
  readonly commit: string;
  readonly backend: string;
  /** When training began. */
  readonly startedAt: string;
}

/** What came of it. */
export interface RunMetrics {
  readonly bestEpoch: number;
  readonly stopped: string;
  readonly seconds: number;
  readonly history: readonly EpochReport[];
  /** Fitted on validation, not yet folded into the weights. */
  readonly temperature: number;
  /** On the test captures, in float32 by tfjs. */
  readonly test: Evaluation;
  /** Accuracy of simpler ways on the same flows. */
  readonly baselines: Readonly<Record<string, number>>;
}

interface WeightsIndex {
  /** In the model's order; weights.bin holds their float32 values back to back, little endian. */
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
  }[];
}

export async function saveRun(
  directory: string,
  model: tf.LayersModel,
  config: RunConfig,
  metrics: RunMetrics,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await saveWeights(directory, model);
  await writeJson(directory, 'metrics.json', metrics);
  // Written last: a run with a config is complete.
  await writeJson(directory, 'config.json', config);
}

/** weights.json and weights.bin. */
export async function saveWeights(
  directory: string,
  model: tf.LayersModel,
): Promise<void> {
  const index: WeightsIndex = {
    weights: model.weights.map(({ originalName, shape }) => ({
      name: originalName,
      shape: shape.map((d) => d ?? 0),
    })),
  };
  const values = copyWeights(model).map((v) => Buffer.from(v.buffer));
  await writeFile(join(directory, 'weights.bin'), Buffer.concat(values));
  await writeJson(directory, 'weights.json', index);
}

export interface SavedRun {
  readonly config: RunConfig;
  readonly metrics: RunMetrics;
}

/** Throws where there is no complete run. */
export async function readRun(directory: string): Promise<SavedRun> {
  const config = await readJson<RunConfig>(directory, 'config.json');
  const metrics = await readJson<RunMetrics>(directory, 'metrics.json');
  return { config, metrics };
}

/** Gives `model` the run's weights. */
export async function loadWeights(
  directory: string,
  model: tf.LayersModel,
): Promise<void> {
  const { weights } = await readJson<WeightsIndex>(directory, 'weights.json');
  const path = join(directory, 'weights.bin');
  const fault = (words: string, cause?: unknown) =>
    new InputError('ERR_RUN', `${path} ${words}; train it anew`, { cause });
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw fault(`cannot be read (${cause.code})`, cause);
  });
  const count = weights.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
  if (bytes.length !== 4 * count) {
    throw fault(`has ${bytes.length} bytes, weights.json wants ${4 * count}`);
  }
  const floats = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
  );
  let at = 0;
  const values = weights.map(({ shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    at += size;
    return floats.subarray(at - size, at);
  });
  setWeights(model, values);
}

async function writeJson(directory: string, name: string, value: unknown): Promise<void> {
  await writeFile(join(directory, name), `${JSON.stringify(value, null, 2)}\n`);
}

async function readJson<T>(directory: string, name: string): Promise<T> {
  const path = join(directory, name);
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new InputError(
      'ERR_RUN',
      `${path} cannot be read; expected a finished run, see npm run train`,
      { cause },
    );
  });
  return JSON.parse(text);
}
