// The training loop of `sluice train`: Adam, a rate that is halved, validation after each epoch, the best weights kept, a
// checkpoint an epoch. Ours rather than tfjs' `fit`, which shuffles with Math.random, cannot go on where it stopped and cannot
// give back the best weights. Axes: B examples, K classes.

import { setImmediate as breathe } from 'node:timers/promises';
import { Adam } from '../adam.ts';
import type { tf } from '../backend.ts';
import { batchOf, type Example, type InputSpec } from '../data/batch.ts';
import { StepRunner } from '../graph/step-runner.ts';
import { weightsOnGrid } from '../int8-grid.ts';
import { crossEntropy, figuresOf, likeliest } from '../metrics.ts';
import {
  type Batch,
  predictBatch,
  type StepFigures,
  type StepOptions,
  variablesOf,
} from '../training-step.ts';
import { copyWeights, setWeights } from '../weights.ts';
import type { Checkpoint } from './checkpoint.ts';
import { skipDraws } from './draws.ts';
import { meanOf } from './weight-mean.ts';

interface FitOptions extends StepOptions {
  readonly epochs: number;
  readonly learningRate: number;
  readonly halveEveryEpochs: number;
  /** Ends training when validation has not got better for so many epochs. */
  readonly patienceEpochs: number;
  /** Judges and keeps the mean of the weights after so many epochs, about; 1: the weights themselves. */
  readonly meanEpochs: number;
  /** Judges and keeps weights as int8 will hold them. */
  readonly int8Weights: boolean;
}

/** What is shown to the network. */
export interface FitData {
  readonly spec: InputSpec;
  /** The batches of an epoch (from 1), the same ones each time it is asked for. */
  readonly epoch: (epoch: number) => AsyncIterable<readonly Example[]>;
  /** As the network sees them: batches of any size. */
  readonly validation: readonly Batch[];
}

interface FitHooks {
  /** Ends training at the next step; that epoch counts as not begun. */
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: (live: LiveFigures) => void;
  readonly onEpoch?: (record: EpochRecord) => void;
  /** Told of all state after each epoch. */
  readonly onCheckpoint?: (checkpoint: Omit<Checkpoint, 'digest'>) => void;
}

/** Of the epoch so far. */
export interface LiveFigures {
  readonly epoch: number;
  readonly examples: number;
  readonly loss: number;
  readonly accuracy: number;
}

export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  readonly learningRate: number;
  readonly steps: number;
  readonly examples: number;
  /** Means over the epoch, with dropout, while the weights moved. */
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
  readonly validationMacroF1: number;
  /** Whether validation has never been better. */
  readonly best: boolean;
  /** The steps alone. */
  readonly trainSeconds: number;
  readonly seconds: number;
}

export interface FitResult {
  readonly history: readonly EpochRecord[];
  /** 0: none was finished, the weights are the initial ones. */
  readonly bestEpoch: number;
  readonly stopped: 'finished' | 'patience' | 'interrupted';
  /** Why the steps could be no graph, which costs time alone; undefined: they could. */
  readonly callByCall: string | undefined;
}

interface Best {
  readonly epoch: number;
  readonly loss: number;
  readonly weights: readonly Float32Array[];
}

/** Trains `model` in place, from a checkpoint where there is one, and leaves it with the weights that validated best. */
export async function fit(
  model: tf.LayersModel,
  data: FitData,
  options: FitOptions,
  hooks: FitHooks & { readonly from?: Omit<Checkpoint, 'digest'> | undefined } = {},
): Promise<FitResult> {
  const { from } = hooks;
  const optimizer = new Adam(options.learningRate);
  if (from !== undefined) {
    setWeights(model, from.weights);
    optimizer.restore(from.adam);
    skipDraws(model, from.adam.steps);
  }
  const history = [...(from?.history ?? [])];
  let best = bestOf(from);
  let mean = from?.mean ?? [];
  let stopped = hasGivenUp(history, best, options) ? 'patience' : undefined;
  const runner = new StepRunner(model, optimizer, options);
  const step = (batch: readonly Example[]) => runner.step(batchOf(batch, data.spec));
  while (stopped === undefined) {
    const epoch = history.length + 1;
    if (epoch > options.epochs) break;
    const halvings = Math.floor((epoch - 1) / options.halveEveryEpochs);
    const learningRate = options.learningRate / 2 ** halvings;
    optimizer.setLearningRate(learningRate);
    const start = performance.now();
    const trained = await trainEpoch(step, data, epoch, hooks);
    if (trained === undefined) {
      stopped = 'interrupted';
      break;
    }
    runner.settle();
    const own = copyWeights(model);
    if (options.meanEpochs > 1)
      mean = meanOf(mean, own, Math.min(epoch, options.meanEpochs));
    const judged = judge(model, data, options, { own, mean });
    const better = judged.validationLoss < best.loss;
    if (better) best = { epoch, loss: judged.validationLoss, weights: judged.weights };
    const { weights: _, ...figures } = judged;
    const seconds = (performance.now() - start) / 1000;
    const record = { epoch, learningRate, ...trained, ...figures, best: better, seconds };
    history.push(record);
    hooks.onEpoch?.(record);
    hooks.onCheckpoint?.({
      history,
      bestEpoch: best.epoch,
      weights: own,
      best: best.weights,
      mean,
      adam: optimizer.state(variablesOf(model)),
    });
    if (hasGivenUp(history, best, options)) stopped = 'patience';
  }
  runner.dispose();
  if (best.weights.length > 0) setWeights(model, best.weights);
  optimizer.dispose();
  return {
    history,
    bestEpoch: best.epoch,
    stopped: (stopped ?? 'finished') as FitResult['stopped'],
    callByCall: runner.refused,
  };
}

function bestOf(from: Omit<Checkpoint, 'digest'> | undefined): Best {
  const epoch = from?.bestEpoch ?? 0;
  return {
    epoch,
    loss: from?.history[epoch - 1]?.validationLoss ?? Number.POSITIVE_INFINITY,
    weights: from?.best ?? [],
  };
}

function hasGivenUp(
  history: readonly EpochRecord[],
  best: Best,
  { patienceEpochs }: FitOptions,
): boolean {
  return history.length - best.epoch >= patienceEpochs;
}

/** One pass over the training flows; undefined when it was broken off. */
async function trainEpoch(
  step: (batch: readonly Example[]) => StepFigures,
  data: FitData,
  epoch: number,
  { signal, onStep }: FitHooks,
) {
  const start = performance.now();
  let [examples, steps, loss, right] = [0, 0, 0, 0];
  for await (const batch of data.epoch(epoch)) {
    const figures = step(batch);
    if (!Number.isFinite(figures.loss)) {
      throw new Error(
        `the loss is ${figures.loss} in step ${steps + 1} of epoch ${epoch}: a smaller learningRate may help`,
      );
    }
    steps++;
    examples += batch.length;
    loss += figures.loss * batch.length;
    right += figures.right;
    onStep?.({ epoch, examples, loss: loss / examples, accuracy: right / examples });
    // Lets signals through.
    await breathe();
    if (signal?.aborted) return undefined;
  }
  if (examples === 0) throw new Error(`epoch ${epoch} has no flows to train with`);
  return {
    steps,
    examples,
    trainLoss: loss / examples,
    trainAccuracy: right / examples,
    trainSeconds: (performance.now() - start) / 1000,
  };
}

interface Weights {
  readonly own: readonly Float32Array[];
  /** Empty where none is kept. */
  readonly mean: readonly Float32Array[];
}

/** Figures on validation, and the weights that they are of; the model goes on with its own. */
function judge(
  model: tf.LayersModel,
  data: FitData,
  options: FitOptions,
  { own, mean }: Weights,
) {
  const kept = mean.length > 0 ? mean : own;
  const weights = options.int8Weights ? weightsOnGrid(model, kept) : kept;
  if (weights !== own) setWeights(model, weights);
  const figures = validate(model, data, options.classes);
  if (weights !== own) setWeights(model, own);
  return { ...figures, weights };
}

function validate(model: tf.LayersModel, data: FitData, classes: readonly string[]) {
  const labels = Int32Array.from(data.validation.flatMap((batch) => [...batch.labels]));
  const probabilities = new Float32Array(labels.length * classes.length);
  let at = 0;
  for (const batch of data.validation) {
    const rows = predictBatch(model, batch);
    probabilities.set(rows, at);
    at += rows.length;
  }
  const figures = figuresOf(likeliest(probabilities, classes.length), labels, classes);
  return {
    validationLoss: crossEntropy(probabilities, labels, classes.length),
    validationAccuracy: figures.accuracy,
    validationMacroF1: figures.macroF1,
  };
}
