// What learns from prepared data: a network, epoch by epoch with checkpoints, or a tree, at once.

import type { Backend } from '../backend.ts';
import type { OpenData } from '../data/open-data.ts';
import type { Trained } from '../trained.ts';
import { treeOptionsSchema } from '../tree/c45-kind.ts';
import { nodesOf } from '../tree/decision-tree.ts';
import { growTree } from '../tree/grow-tree.ts';
import {
  hasCheckpoint,
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
} from './checkpoint.ts';
import { buildNetwork } from './configured-network.ts';
import { type FitResult, fit } from './fit.ts';
import type { prepareTraining } from './preparation.ts';
import { Progress } from './progress.ts';
import { saveCurves } from './run.ts';
import type { TrainingConfig } from './training-config.ts';

export interface LearnOptions {
  readonly directory: string;
  readonly backend: Backend;
  /** Begins anew over a checkpoint. */
  readonly restart: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly say: (text: string) => void;
  /** Where progress goes; nowhere unless given. */
  readonly stream?: NodeJS.WriteStream | undefined;
  /** Of all that decides the curve: a checkpoint of another one is refused. */
  readonly digest: string;
}

export interface LearnInputs {
  readonly config: TrainingConfig;
  readonly data: OpenData;
  readonly prepared: Awaited<ReturnType<typeof prepareTraining>>;
}

export interface Learnt extends FitResult {
  readonly trained: Trained;
  /** Of a tree: its nodes. */
  readonly parameters: number;
  readonly seconds: number;
  /** Median over the epochs, validation left out. */
  readonly secondsAnEpoch: number;
}

/** @returns undefined when it was interrupted: a network's checkpoint stands */
export async function learnNetwork(
  { config, data, prepared }: LearnInputs,
  options: LearnOptions,
): Promise<Learnt | undefined> {
  const { directory, digest, restart, stream, say, signal, backend } = options;
  const model = buildNetwork(config, data.classes.length);
  const parameters = model.countParams();
  say(
    `network     ${config.network.name}, ${parameters} parameters; flows ${keptWords(prepared)}`,
  );
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
  const { history } = result;
  if (result.stopped === 'interrupted') {
    await saveCurves(directory, history, config.name);
    const done = history.length;
    say(
      `interrupted in epoch ${done + 1}; ${done === 0 ? 'nothing is kept yet' : `epoch ${done} is kept, the same command goes on from there`}`,
    );
    return undefined;
  }
  if (backend === 'native' && result.callByCall !== undefined) {
    say(`steps were computed call by call, which is slower: ${result.callByCall}`);
  }
  return {
    ...result,
    trained: { kind: 'network', model },
    parameters,
    seconds: history.reduce((sum, { seconds }) => sum + seconds, 0),
    secondsAnEpoch: median(history.map(({ trainSeconds }) => trainSeconds)),
  };
}

/** @returns undefined when it was interrupted */
export async function learnTree(
  { config, data, prepared }: LearnInputs,
  { say, signal }: LearnOptions,
): Promise<Learnt | undefined> {
  say(`tree        C4.5 on the statistics; flows ${keptWords(prepared)}`);
  const start = performance.now();
  const options = treeOptionsSchema.parse(config.network.options);
  const tree = await growTree(prepared.fit, data.classes, options, signal);
  if (tree === undefined || signal?.aborted) {
    say('interrupted; nothing is kept');
    return undefined;
  }
  const seconds = (performance.now() - start) / 1000;
  const nodes = nodesOf(tree);
  const leaves = nodes.filter(({ kind }) => kind === 'leaf').length;
  say(`            ${nodes.length} nodes, ${leaves} of them leaves`);
  return {
    trained: { kind: 'tree', tree },
    parameters: nodes.length,
    seconds,
    secondsAnEpoch: seconds,
    history: [],
    bestEpoch: 0,
    stopped: 'finished',
    callByCall: undefined,
  };
}

function keptWords({ kept }: LearnInputs['prepared']): string {
  return kept === 'memory' ? 'in memory' : 'streamed from files';
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
