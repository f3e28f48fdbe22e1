// A trained run -> its network, and the network's two model files. Axes: B flows.

import { HYPER_PARAMETERS } from '../models/hyper-parameters.ts';
import { agreement, likeliest } from '../models/metrics.ts';
import { networkNamed } from '../models/networks/networks.ts';
import type { PreparedData } from '../models/prepared-data.ts';
import { seededRandom, shuffledIndices } from '../models/random.ts';
import { loadWeights, type SavedRun } from '../models/run-directory.ts';
import { pick, type Samples } from '../models/samples.ts';
import { predict } from '../models/trainer.ts';
import { limitsOf } from './checks.ts';
import { foldTemperature } from './fold-temperature.ts';
import { type Network, outputOf, parameterCount } from './network.ts';
import { OnnxModel, runAll } from './onnx-model.ts';
import {
  type Judgement,
  type Limits,
  type QuantizationOptions,
  type Quantized,
  quantize,
} from './quantization.ts';
import { readNetwork } from './read-network.ts';
import { writeFp32 } from './write-fp32.ts';

export interface BuiltModel {
  readonly fp32: Uint8Array;
  readonly int8: Uint8Array;
  readonly parameters: number;
  readonly quantized: Quantized;
  readonly limits: Limits;
  /** The trained network in tfjs, before the temperature was folded in. -> probabilities [B, K] */
  readonly tfjs: (samples: Samples) => Float32Array;
}

export interface BuildInputs {
  readonly runDirectory: string;
  readonly run: SavedRun;
  readonly data: PreparedData;
  readonly options: QuantizationOptions;
}

/** Makes the model files of a run. Ranges come from training flows, choices from validation flows. */
export async function buildModel(inputs: BuildInputs): Promise<BuiltModel> {
  const { runDirectory, run, data, options } = inputs;
  const { config, metrics } = run;
  const shape = {
    seriesSteps: config.seriesSteps,
    statistics: config.normaliser.mean.length,
    classes: config.classes.length,
    seed: config.seed,
  };
  const model = networkNamed(config.network).build(shape, config.networkOptions);
  await loadWeights(runDirectory, model);
  const network = foldTemperature(readNetwork(model), metrics.temperature);
  const fp32 = writeFp32(network);
  const limits = limitsOf(network);
  const quantized = await quantize(network, {
    sample: drawnSample(data.train.samples, config.seed),
    options,
    limits,
    judge: await judgeOn(network, fp32, wholeFlows(data.validation, config.cuts.length)),
  });
  return {
    fp32,
    int8: quantized.int8,
    parameters: parameterCount(network),
    quantized,
    limits,
    tfjs: (samples) => predict(model, samples),
  };
}

/** The same seed draws the same flows. */
function drawnSample(train: Samples, seed: number): Samples {
  const count = Math.min(HYPER_PARAMETERS.calibrationFlows, train.count);
  const drawn = shuffledIndices(train.count, seededRandom(seed)).subarray(0, count);
  return pick(train, drawn);
}

/** Whole flows stand first, then the same after so many packets: early looks are undecided, and rounding may decide them. */
function wholeFlows(looks: Samples, cuts: number): Samples {
  const count = looks.count / (1 + cuts);
  return pick(
    looks,
    Int32Array.from({ length: count }, (_, b) => b),
  );
}

/** Holds int8 models against the fp32 one and the labels. */
async function judgeOn(
  network: Network,
  fp32: Uint8Array,
  { inputs, count, labels }: Samples,
): Promise<(int8: Uint8Array) => Promise<Judgement>> {
  const { name, shape } = outputOf(network);
  const chosenBy = async (file: Uint8Array) => {
    const model = await OnnxModel.open(file);
    const probabilities = await runAll(model, inputs, count, name);
    await model.close();
    return likeliest(probabilities, shape[0] ?? 0);
  };
  const wanted = await chosenBy(fp32);
  return async (int8) => {
    const chosen = await chosenBy(int8);
    return {
      agreement: agreement(wanted, chosen),
      accuracyLoss: agreement(wanted, labels) - agreement(chosen, labels),
    };
  };
}
