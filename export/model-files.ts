// A trained run -> its network, and the network's two model files. Axes: B flows.

import { agreement, likeliest } from '../models/metrics.ts';
import { predict } from '../models/predict.ts';
import type { Samples } from '../models/samples.ts';
import { limitsOf, limitsOnValidation } from './checks.ts';
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
import type { Exported } from './trained-model.ts';
import { writeFp32 } from './write-fp32.ts';

export interface BuiltModel {
  /** Its temperature folded in. */
  readonly network: Network;
  readonly fp32: Uint8Array;
  readonly int8: Uint8Array;
  readonly parameters: number;
  readonly quantized: Quantized;
  readonly limits: Limits;
  /** The trained network in tfjs, before the temperature was folded in. -> probabilities [B, K] */
  readonly tfjs: (samples: Samples) => Float32Array;
}

/** Makes the model files. Ranges come from training flows, choices from validation flows. */
export async function buildModel(
  { trained, flows }: Exported,
  options: QuantizationOptions,
): Promise<BuiltModel> {
  const { model, temperature } = trained;
  const network = foldTemperature(readNetwork(model), temperature);
  const fp32 = writeFp32(network);
  const limits = limitsOf(network);
  const quantized = await quantize(network, {
    sample: flows.calibration,
    options,
    limits: limitsOnValidation(limits, flows.validation.count),
    judge: await judgeOn(network, fp32, flows.validation),
  });
  return {
    network,
    fp32,
    int8: quantized.int8,
    parameters: parameterCount(network),
    quantized,
    limits,
    tfjs: (samples) => predict(model, samples),
  };
}

/** Holds int8 models against the fp32 one and the labels. */
async function judgeOn(
  network: Network,
  fp32: Uint8Array,
  { inputs, count, labels }: Samples,
): Promise<(int8: Uint8Array) => Promise<Judgement>> {
  const { name, shape } = outputOf(network);
  const answersOf = async (file: Uint8Array) => {
    const model = await OnnxModel.open(file);
    const probabilities = await runAll(model, inputs, count, name);
    await model.close();
    return { probabilities, chosen: likeliest(probabilities, shape[0] ?? 0) };
  };
  const wanted = await answersOf(fp32);
  return async (int8) => {
    const { probabilities, chosen } = await answersOf(int8);
    return {
      agreement: agreement(wanted.chosen, chosen),
      accuracyLoss: agreement(wanted.chosen, labels) - agreement(chosen, labels),
      shift: meanDifference(wanted.probabilities, probabilities),
    };
  };
}

function meanDifference(a: Float32Array, b: Float32Array): number {
  const sum = a.reduce((total, value, i) => total + Math.abs(value - (b[i] ?? 0)), 0);
  return sum / Math.max(a.length, 1);
}
