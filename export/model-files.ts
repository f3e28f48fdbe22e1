// A trained run -> its model files: a network's in fp32 and int8, a tree's as it is. Axes: B flows.

import type { tf } from '../models/backend.ts';
import { agreement, likeliest } from '../models/metrics.ts';
import { TENSORS } from '../models/networks/network.ts';
import { predict } from '../models/predict.ts';
import type { Samples } from '../models/samples.ts';
import { nodesOf } from '../models/tree/decision-tree.ts';
import { InputError } from '../src/errors.ts';
import { limitsOf, limitsOnValidation } from './checks.ts';
import { foldTemperature, treeAtTemperature } from './fold-temperature.ts';
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
import { writeTree } from './write-tree.ts';

export interface BuiltModel {
  readonly fp32: Uint8Array;
  /** What routers run: int8, or of a tree the same file. */
  readonly served: Uint8Array;
  readonly precision: 'int8' | 'fp32';
  /** Of a tree: its nodes. */
  readonly parameters: number;
  readonly limits: Limits;
  /** How it came to be int8; undefined: it did not. */
  readonly int8: Int8Model | undefined;
  /** As training left it, before the temperature was folded in. -> probabilities [B, K] */
  readonly asTrained: (samples: Samples) => Float32Array;
}

export interface Int8Model {
  /** Its temperature folded in. */
  readonly network: Network;
  readonly quantized: Quantized;
}

/** Makes the model files. Ranges come from training flows, choices from validation flows. */
export async function buildModel(
  exported: Exported,
  options: QuantizationOptions,
): Promise<BuiltModel> {
  const { trained, temperature, name } = exported.trained;
  const asTrained = (samples: Samples) => predict(trained, samples);
  if (trained.kind === 'network') {
    return { ...(await buildNetwork(exported, trained.model, options)), asTrained };
  }
  if (Object.keys(options.layers).length > 0) {
    throw new InputError(
      'ERR_LAYERS',
      `--layers: ${name} is a tree and has no layers; leave the option out`,
    );
  }
  const file = writeTree([treeAtTemperature(trained.tree, temperature)], {
    name,
    input: TENSORS.statistics,
    output: TENSORS.probabilities,
  });
  return {
    fp32: file,
    served: file,
    precision: 'fp32',
    parameters: nodesOf(trained.tree).length,
    limits: limitsOf(),
    int8: undefined,
    asTrained,
  };
}

async function buildNetwork(
  { trained: { temperature }, flows }: Exported,
  model: tf.LayersModel,
  options: QuantizationOptions,
): Promise<Omit<BuiltModel, 'asTrained'>> {
  const network = foldTemperature(readNetwork(model), temperature);
  const fp32 = writeFp32(network);
  const limits = limitsOf(network);
  const quantized = await quantize(network, {
    sample: flows.calibration,
    options,
    judge: await judgeOn(network, { fp32, limits }, flows),
  });
  return {
    fp32,
    served: quantized.int8,
    precision: 'int8',
    parameters: parameterCount(network),
    limits,
    int8: { network, quantized },
  };
}

/**
 * Holds int8 models against the fp32 one and the labels. What is enough has to be so on whole flows, which the checks are made on, and on all
 * looks: they are several times as many, and choosing among layers is choosing among accidents.
 */
async function judgeOn(
  network: Network,
  { fp32, limits }: { readonly fp32: Uint8Array; readonly limits: Limits },
  { validation: { inputs, count, labels }, wholeOfValidation }: Exported['flows'],
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
    const among = (flows: number) => {
      const [own, theirs, truth] = [chosen, wanted.chosen, labels].map((of) =>
        of.subarray(0, flows),
      ) as [Int32Array, Int32Array, Int32Array];
      return {
        agreement: agreement(theirs, own),
        accuracyLoss: agreement(theirs, truth) - agreement(own, truth),
        limits: limitsOnValidation(limits, flows),
      };
    };
    const [whole, all] = [among(wholeOfValidation), among(count)];
    return {
      agreement: whole.agreement,
      accuracyLoss: whole.accuracyLoss,
      shift: meanDifference(wanted.probabilities, probabilities),
      enough: [whole, all].every(
        (found) =>
          found.agreement >= found.limits.agreement &&
          found.accuracyLoss <= found.limits.accuracyLoss,
      ),
    };
  };
}

function meanDifference(a: Float32Array, b: Float32Array): number {
  const sum = a.reduce((total, value, i) => total + Math.abs(value - (b[i] ?? 0)), 0);
  return sum / Math.max(a.length, 1);
}
