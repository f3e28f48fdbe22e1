// What training and export know of a model -> the manifest that serving reads.

import { createHash } from 'node:crypto';
import { TENSORS } from '../models/networks/network.ts';
import { networkNamed } from '../models/networks/networks.ts';
import type { SavedRun } from '../models/run-directory.ts';
import {
  MANIFEST_VERSION,
  type Manifest,
  manifestSchema,
} from '../src/bundle/manifest.ts';
import { FEATURE_VERSION } from '../src/features/features.ts';
import {
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_CHANNELS,
} from '../src/features/shapes.ts';
import { STATISTICS } from '../src/features/statistics-table.ts';
import { OCCLUSION_VERSION } from '../src/handshake/occlusion.ts';
import type { Measured } from './measure.ts';
import type { BuiltModel } from './model-files.ts';

/**
 * int8 sums are exact on every machine; what differs is the rounding of scales and of the softmax, in the fourth
 * decimal (TOOLBOX). A runtime that computes something else is off by far more.
 */
const SELF_TEST_TOLERANCE = 0.005;

/** The manifest of an int8 bundle, valid by the schema that serving checks. */
export function manifestOf(
  { config, metrics }: SavedRun,
  built: BuiltModel,
  measured: Measured,
): Manifest {
  return manifestSchema.parse({
    format: 'sluice-bundle',
    manifestVersion: MANIFEST_VERSION,
    name: config.network,
    network: config.network,
    // When training began: the same run exported again gives the same bundle.
    createdAt: config.startedAt,
    model: {
      file: 'model.onnx',
      sha256: createHash('sha256').update(built.int8).digest('hex'),
      sizeBytes: built.int8.byteLength,
      precision: 'int8',
      parameters: built.parameters,
    },
    classes: [...config.classes],
    ...contractOf(config),
    calibration: {
      temperature: metrics.temperature,
      thresholds: measured.thresholds,
    },
    training: trainingOf(config),
    metrics: metricsOf(config, metrics, measured),
    selfTest: {
      handshakeBytes: Buffer.from(measured.selfTest.flow.inputs.handshake_bytes).toString(
        'base64',
      ),
      series: [...measured.selfTest.flow.inputs.series],
      statistics: [...measured.selfTest.flow.inputs.statistics],
      probabilities: [...measured.selfTest.probabilities],
      tolerance: SELF_TEST_TOLERANCE,
    },
  } satisfies Manifest);
}

/** What features the model wants and what its tensors are called. */
function contractOf(
  config: SavedRun['config'],
): Pick<Manifest, 'features' | 'occlusion' | 'inputs' | 'output'> {
  const { seriesSteps, packets, shownCanaries, normaliser } = config;
  const { kind, mean, deviation, clip } = normaliser;
  return {
    features: {
      version: FEATURE_VERSION,
      seriesSteps,
      ...packets,
      statistics: {
        names: [...STATISTICS],
        kind,
        mean: [...mean],
        deviation: [...deviation],
        clip,
      },
    },
    occlusion: { version: OCCLUSION_VERSION, shown: [...shownCanaries] },
    inputs: {
      handshakeBytes: {
        name: TENSORS.handshakeBytes,
        shape: [HANDSHAKE_MESSAGES, HANDSHAKE_BYTES],
      },
      series: { name: TENSORS.series, shape: [seriesSteps, SERIES_CHANNELS] },
      statistics: { name: TENSORS.statistics, shape: [STATISTICS.length] },
    },
    output: { name: TENSORS.probabilities },
  };
}

function trainingOf(config: SavedRun['config']): Manifest['training'] {
  const { data } = config;
  return {
    data: 'lab captures: real TLS clients and servers acting out services in network namespaces',
    dataSha256: data.sha256,
    split: `by capture: trained on ${data.train.join(', ')}; validated on ${data.validation.join(', ')}; tested on ${data.test.join(', ')}`,
    flows: data.trainFlows,
    seed: config.seed,
    commit: config.commit,
    backend: config.backend,
    hyperParameters: {
      ...config.hyperParameters,
      // Widths, branches, how sizes enter.
      networkOptions: JSON.stringify(
        networkNamed(config.network).resolve(config.networkOptions),
      ),
    },
  };
}

function metricsOf(
  config: SavedRun['config'],
  metrics: SavedRun['metrics'],
  measured: Measured,
): Manifest['metrics'] {
  const { whole } = measured.test;
  return {
    data: `lab captures ${config.data.test.join(', ')}, never trained on`,
    flows: whole.flows,
    accuracy: whole.accuracy,
    macroF1: whole.macroF1,
    perClass: { ...whole.perClass },
    baselines: { ...metrics.baselines },
    int8Agreement: measured.int8Agreement,
  };
}
