// What `sluice train` leaves behind in runs/NAME: run.json (everything that decided the weights, and what came of it),
// weights.json and weights.bin, curves as SVG (of a tree: tree.json); before it has finished, checkpoint.bin. `sluice evaluate` and export read it.

import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../src/errors.ts';
import type { StatisticsNormaliser } from '../../src/features/normalise.ts';
import { accuracyCurves, lossCurves } from '../report/training-curves.ts';
import type { Trained } from '../trained.ts';
import { C45 } from '../tree/c45-kind.ts';
import { loadTree, saveTree } from '../tree/tree-file.ts';
import { loadWeights, saveWeights } from '../weights.ts';
import { buildNetwork } from './configured-network.ts';
import type { EpochRecord, FitResult } from './fit.ts';
import { type TrainingConfig, trainingConfigSchema } from './training-config.ts';

const FILE = 'run.json';
const FORMAT = 'sluice-run';
const VERSION = 1;

interface RunData {
  /** contentSha256 of the data set. */
  readonly sha256: string;
  /** SHA-256 of the split's file. */
  readonly splitSha256: string;
  /** [K] of each part. */
  readonly counts: Readonly<Record<'train' | 'validation' | 'test', readonly number[]>>;
  readonly sources: readonly string[];
}

export interface Run {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Everything, defaults filled in; `network.options` as the network resolved them. */
  readonly config: TrainingConfig;
  /** In the order of the outputs. */
  readonly classes: readonly string[];
  readonly normaliser: StatisticsNormaliser;
  readonly data: RunData;
  /** Git commit of the program, `-dirty` behind it where the tree had changes. */
  readonly commit: string;
  readonly backend: string;
  readonly startedAt: string;
  /** Of a tree: its nodes. */
  readonly parameters: number;
  readonly bestEpoch: number;
  readonly stopped: FitResult['stopped'];
  /** Of all processes that worked on it. */
  readonly seconds: number;
  /** Median over the epochs, validation left out. */
  readonly secondsAnEpoch: number;
  readonly history: readonly EpochRecord[];
  /** On validation, not folded into the weights. */
  readonly temperature: number;
  /** By class, at that temperature; below it a prediction counts as unknown. */
  readonly thresholds: Readonly<Record<string, number>>;
}

export function isFinishedRun(directory: string): boolean {
  return existsSync(join(directory, FILE));
}

/** run.json comes last: with it the run is whole. */
export async function saveRun(
  directory: string,
  trained: Trained,
  run: Omit<Run, 'format' | 'version'>,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  if (trained.kind === 'tree') await saveTree(directory, trained.tree);
  else {
    await saveWeights(directory, trained.model);
    await saveCurves(directory, run.history, run.config.name);
  }
  const path = join(directory, FILE);
  const whole = { format: FORMAT, version: VERSION, ...run };
  await writeFile(`${path}.partial`, `${JSON.stringify(whole, null, 1)}\n`);
  await rename(`${path}.partial`, path);
}

export async function saveCurves(
  directory: string,
  history: readonly EpochRecord[],
  name: string,
): Promise<void> {
  await writeFile(join(directory, 'loss.svg'), lossCurves(history, name));
  await writeFile(join(directory, 'accuracy.svg'), accuracyCurves(history, name));
}

/** @throws InputError ERR_RUN: no finished run, or one of another version */
export async function readRun(directory: string): Promise<Run> {
  const path = join(directory, FILE);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new InputError(
      'ERR_RUN',
      `${path} cannot be read (${cause.code}); expected a run that \`sluice train\` has finished`,
      { cause },
    );
  });
  const fault = (what: string) => new InputError('ERR_RUN', `${path} ${what}`);
  let run: Partial<Run> | null;
  try {
    run = JSON.parse(text);
  } catch {
    throw fault('is no JSON; train it anew');
  }
  if (run?.format !== FORMAT || run.version !== VERSION) {
    throw fault(
      `is no run of version ${VERSION} of this program; train it anew (\`sluice train\`)`,
    );
  }
  const config = trainingConfigSchema.safeParse(run.config);
  if (!config.success) throw fault(`has another program's configuration; train it anew`);
  return { ...(run as Run), config: config.data };
}

/** The network or tree of a run. @throws InputError ERR_RUN: its files are lacking or damaged */
export async function loadTrained(directory: string, run: Run): Promise<Trained> {
  if (run.config.network.name === C45.name) {
    return { kind: 'tree', tree: await loadTree(directory, run.classes) };
  }
  const model = buildNetwork(run.config, run.classes.length);
  await loadWeights(directory, model);
  return { kind: 'network', model };
}
