// The training loop. Ours rather than `fit`, because tfjs shuffles with Math.random, ignores class weights in
// trainOnBatch and cannot give back the best weights. Axes: B flows, K classes.

import { setImmediate as breathe } from 'node:timers/promises';
import { Adam } from './adam.ts';
import { tf } from './backend.ts';
import { weightsOnGrid } from './int8-grid.ts';
import { crossEntropy, figuresOf, likeliest } from './metrics.ts';
import { type Random, seededRandom, shuffledIndices } from './random.ts';
import { pick, type Samples } from './samples.ts';
import { predictBatch, type StepOptions, trainStep } from './training-step.ts';

export interface TrainingOptions extends StepOptions {
  readonly seed: number;
  readonly epochs: number;
  readonly batchFlows: number;
  readonly learningRate: number;
  readonly halveEveryEpochs: number;
  /** Ends training when validation has not got better for so many epochs. */
  readonly patienceEpochs: number;
  /** Share of the looks at flows that are at way 0, the whole flow; the rest is drawn among all ways. */
  readonly wholeShare: number;
  /** Ends training early; the best weights so far are kept. */
  readonly signal?: AbortSignal | undefined;
  readonly onEpoch?: ((report: EpochReport) => void) | undefined;
}

export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  readonly trainLoss: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
  readonly validationMacroF1: number;
  /** Whether validation has never been better. */
  readonly best: boolean;
  readonly seconds: number;
}

export interface TrainingResult {
  readonly history: readonly EpochReport[];
  /** 0: none was finished, the weights are the initial ones. */
  readonly bestEpoch: number;
  readonly stopped: 'finished' | 'patience' | 'interrupted';
}

/** Training flows, each seen in several ways: row v·flows + i is way v of flow i. */
export interface Looks {
  readonly samples: Samples;
  readonly flows: number;
}

/**
 * Trains `model` in place and leaves it with the weights of the epoch that validated best, rounded as int8 holds them. An epoch sees each flow once,
 * in a way drawn anew: early decisions are learnt at no cost.
 */
export async function train(
  model: tf.LayersModel,
  looks: Looks,
  validation: Samples,
  options: TrainingOptions,
): Promise<TrainingResult> {
  const { epochs, signal, learningRate, halveEveryEpochs, patienceEpochs } = options;
  const optimizer = new Adam(learningRate);
  const random = seededRandom(options.seed);
  const history: EpochReport[] = [];
  let best = { epoch: 0, loss: Number.POSITIVE_INFINITY, weights: copyWeights(model) };
  let stopped: TrainingResult['stopped'] = 'finished';
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const start = performance.now();
    optimizer.setLearningRate(
      learningRate / 2 ** Math.floor((epoch - 1) / halveEveryEpochs),
    );
    const trainLoss = await trainEpoch(model, optimizer, looks, random, options);
    if (signal?.aborted) {
      stopped = 'interrupted';
      break;
    }
    // What is judged and kept is what int8 can hold; training goes on from what it had.
    const trained = copyWeights(model);
    setWeights(model, weightsOnGrid(model, trained));
    const validated = validate(model, validation, options.classes);
    const better = validated.validationLoss < best.loss;
    if (better) {
      best = { epoch, loss: validated.validationLoss, weights: copyWeights(model) };
    }
    setWeights(model, trained);
    const seconds = (performance.now() - start) / 1000;
    const report = { epoch, trainLoss, ...validated, best: better, seconds };
    history.push(report);
    options.onEpoch?.(report);
    if (epoch - best.epoch >= patienceEpochs) {
      stopped = 'patience';
      break;
    }
  }
  setWeights(model, best.weights);
  optimizer.dispose();
  return { history, bestEpoch: best.epoch, stopped };
}

/** One pass over the training flows; breaks off when told to. Returns the mean loss. */
async function trainEpoch(
  model: tf.LayersModel,
  optimizer: Adam,
  { samples, flows }: Looks,
  random: Random,
  options: TrainingOptions,
): Promise<number> {
  const ways = samples.count / flows;
  const order = shuffledIndices(flows, random).map(
    (flow) => drawWay(ways, options.wholeShare, random) * flows + flow,
  );
  let sum = 0;
  let steps = 0;
  for (let at = 0; at < order.length; at += options.batchFlows) {
    const batch = pick(samples, order.subarray(at, at + options.batchFlows));
    sum += trainStep(model, optimizer, batch, options).loss;
    steps++;
    // Lets SIGINT through.
    await breathe();
    if (options.signal?.aborted) break;
  }
  return sum / Math.max(steps, 1);
}

function drawWay(ways: number, wholeShare: number, random: Random): number {
  return random() < wholeShare ? 0 : Math.floor(random() * ways);
}

function validate(model: tf.LayersModel, samples: Samples, classes: readonly string[]) {
  const probabilities = predict(model, samples);
  const predicted = likeliest(probabilities, classes.length);
  const figures = figuresOf(predicted, samples.labels, classes);
  return {
    validationLoss: crossEntropy(probabilities, samples.labels, classes.length),
    validationAccuracy: figures.accuracy,
    validationMacroF1: figures.macroF1,
  };
}

/** Flows of one run: more would only cost memory. */
const PREDICT_FLOWS = 256;

/** -> probabilities [B, K] */
export function predict(model: tf.LayersModel, samples: Samples): Float32Array {
  const classes = model.outputs[0]?.shape[1] ?? 0;
  const probabilities = new Float32Array(samples.count * classes);
  for (let from = 0; from < samples.count; from += PREDICT_FLOWS) {
    const length = Math.min(PREDICT_FLOWS, samples.count - from);
    const part = pick(
      samples,
      Int32Array.from({ length }, (_, i) => from + i),
    );
    const rows = predictBatch(model, part);
    probabilities.set(rows, from * classes);
  }
  return probabilities;
}

/** Weights by variable, in the model's order. */
export function copyWeights(model: tf.LayersModel): Float32Array[] {
  return model.getWeights().map((weight) => Float32Array.from(weight.dataSync()));
}

export function setWeights(model: tf.LayersModel, values: readonly Float32Array[]): void {
  tf.tidy(() => {
    const tensors = model.getWeights().map((weight, i) => {
      const data = values[i];
      if (data?.length !== weight.size) {
        throw new Error(
          `weight ${i} of "${model.name}" has ${data?.length ?? 'no'} values, expected ${weight.size}`,
        );
      }
      return tf.tensor(data, weight.shape);
    });
    model.setWeights(tensors);
  });
}
