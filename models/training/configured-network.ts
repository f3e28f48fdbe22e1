// A configuration -> the network that it asks for, and the features that the network wants.

import { featuresOfRow } from '../../src/dataset/row-tensors.ts';
import type { FeatureSpec } from '../../src/features/features.ts';
import type { StatisticsNormaliser } from '../../src/features/normalise.ts';
import { recordPackets } from '../../src/features/packet-rule.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import type { tf } from '../backend.ts';
import type { InputSpec } from '../data/batch.ts';
import { epochRandom, type FlowSource } from '../data/flow-source.ts';
import { SizeCounts } from '../layers/size-rows.ts';
import { modelKindNamed, networkNamed } from '../networks/networks.ts';
import type { TrainingConfig } from './training-config.ts';

/** Features as the network of a configuration wants them. @throws InputError: no such network or option */
export function featureSpecOf({ data, network }: TrainingConfig): FeatureSpec {
  const known = modelKindNamed(network.name);
  const seriesSteps = network.seriesSteps ?? known.seriesSteps;
  return {
    counted: data.packets,
    iat: data.iat,
    size: known.sizes(network.options),
    seriesSteps,
    packets: recordPackets(seriesSteps, data.packets),
    occlusion: { shown: data.shownCanaries },
  };
}

/** The network's inputs; a normaliser that was fitted has to be given. */
export function inputSpecOf(
  config: TrainingConfig,
  normaliser: StatisticsNormaliser,
): InputSpec {
  const { name, options, sessionFlows } = config.network;
  const known = modelKindNamed(name);
  return {
    features: featureSpecOf(config),
    normaliser,
    inputs: known.inputs(options),
    ...(known.row === 'session' && { sessionFlows }),
  };
}

/** The network with its initial weights. */
export function buildNetwork(config: TrainingConfig, classes: number): tf.LayersModel {
  const { name, options, sessionFlows } = config.network;
  const { seriesSteps } = featureSpecOf(config);
  const { seed } = config.training;
  const shape = {
    seriesSteps,
    statistics: STATISTICS.length,
    classes,
    seed,
    sessionFlows,
  };
  return networkNamed(name).build(shape, options);
}

/** A row that training saw a few times holds chance: only sizes that it saw often get one. */
export async function withOwnRows(
  config: TrainingConfig,
  source: FlowSource,
  spec: FeatureSpec,
): Promise<TrainingConfig> {
  const { network, training } = config;
  if (network.frequentSizes === undefined) return config;
  const counts = new SizeCounts();
  for await (const { row } of source.epoch({ random: epochRandom(training.seed, 0) })) {
    counts.add(featuresOfRow(row, spec).series);
  }
  const given = network.options.sizes;
  const sizes = {
    ...(typeof given === 'object' ? given : {}),
    ownRows: counts.atLeast(network.frequentSizes),
  };
  const known = modelKindNamed(network.name);
  const options = { ...known.resolve({ ...network.options, sizes }) };
  return { ...config, network: { ...network, options } };
}
