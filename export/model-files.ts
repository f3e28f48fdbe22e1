// A trained run -> its network, and the network's two model files. Axes: B flows.

import { HYPER_PARAMETERS } from '../models/hyper-parameters.ts';
import { networkNamed } from '../models/networks/networks.ts';
import { seededRandom, shuffledIndices } from '../models/random.ts';
import { loadWeights, type SavedRun } from '../models/run-directory.ts';
import { pick, type Samples } from '../models/samples.ts';
import { predict } from '../models/trainer.ts';
import { calibrate } from './calibrate.ts';
import { foldTemperature } from './fold-temperature.ts';
import { type Network, parameterCount } from './network.ts';
import { readNetwork } from './read-network.ts';
import { writeFp32 } from './write-fp32.ts';
import { writeInt8 } from './write-int8.ts';

export interface BuiltModel {
  readonly fp32: Uint8Array;
  readonly int8: Uint8Array;
  readonly parameters: number;
  /** The trained network in tfjs, before the temperature was folded in. -> probabilities [B, K] */
  readonly tfjs: (samples: Samples) => Float32Array;
}

/**
 * Makes the model files of a run.
 *
 * @param train looks at training flows, from which int8's ranges are found.
 */
export async function buildModel(
  runDirectory: string,
  { config, metrics }: SavedRun,
  train: Samples,
): Promise<BuiltModel> {
  const shape = {
    seriesSteps: config.seriesSteps,
    statistics: config.normaliser.mean.length,
    classes: config.classes.length,
    seed: config.seed,
  };
  const model = networkNamed(config.network).build(shape, config.networkOptions);
  await loadWeights(runDirectory, model);
  const network = foldTemperature(readNetwork(model), metrics.temperature);
  return {
    fp32: writeFp32(network),
    int8: await quantize(network, train, config.seed),
    parameters: parameterCount(network),
    tfjs: (samples) => predict(model, samples),
  };
}

/** int8 with ranges from a drawn sample; the same seed draws the same one. */
async function quantize(
  network: Network,
  train: Samples,
  seed: number,
): Promise<Uint8Array> {
  const count = Math.min(HYPER_PARAMETERS.calibrationFlows, train.count);
  const drawn = shuffledIndices(train.count, seededRandom(seed)).subarray(0, count);
  const sample = pick(train, drawn);
  return writeInt8(network, await calibrate(network, sample.inputs, sample.count));
}
