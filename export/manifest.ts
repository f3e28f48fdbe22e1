// What training and export know of a model -> the manifest that serving reads.

import { createHash } from 'node:crypto';
import { TENSORS } from '../models/networks/network.ts';
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
import type { TrainedModel } from './trained-model.ts';

/**
 * int8 sums are exact on every machine; what differs is the rounding of scales and of the softmax, in the fourth
 * decimal (TOOLBOX). A runtime that computes something else is off by far more.
 */
const SELF_TEST_TOLERANCE = 0.005;

/** The manifest of a bundle, valid by the schema that serving checks. */
export function manifestOf(
  trained: TrainedModel,
  built: BuiltModel,
  measured: Measured,
): Manifest {
  return manifestSchema.parse({
    format: 'sluice-bundle',
    manifestVersion: MANIFEST_VERSION,
    name: trained.name,
    network: trained.network,
    // When training began: the same run exported again gives the same bundle.
    createdAt: trained.startedAt,
    model: {
      file: 'model.onnx',
      sha256: createHash('sha256').update(built.served).digest('hex'),
      sizeBytes: built.served.byteLength,
      precision: built.precision,
      parameters: built.parameters,
    },
    files: {},
    failedChecks: [],
    classes: [...trained.classes],
    ...contractOf(trained),
    calibration: {
      temperature: trained.temperature,
      thresholds: { ...trained.thresholds },
    },
    training: trainingOf(trained),
    metrics: metricsOf(trained, measured),
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

/** The manifest with further files named in it, so that a signature covers them. */
export function namingFiles(
  manifest: Manifest,
  files: Readonly<Record<string, Uint8Array>>,
): Manifest {
  const named = Object.entries(files).map(([name, bytes]) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return [name, { sha256, sizeBytes: bytes.byteLength }] as const;
  });
  return { ...manifest, files: Object.fromEntries(named) };
}

/** What features the model wants and what its tensors are called. */
function contractOf(
  trained: TrainedModel,
): Pick<Manifest, 'features' | 'occlusion' | 'inputs' | 'output'> {
  const { features, normaliser } = trained;
  const { seriesSteps, counted, iat, size, occlusion } = features;
  const { kind, mean, deviation, clip } = normaliser;
  return {
    features: {
      version: FEATURE_VERSION,
      seriesSteps,
      counted: { ...counted },
      iat,
      size,
      statistics: {
        names: [...STATISTICS],
        kind,
        mean: [...mean],
        deviation: [...deviation],
        clip,
      },
    },
    occlusion: { version: OCCLUSION_VERSION, shown: [...occlusion.shown] },
    inputs: inputsOf(trained),
    output: { name: TENSORS.probabilities },
  };
}

/** Those that the network reads. */
function inputsOf({ inputs, features }: TrainedModel): Manifest['inputs'] {
  const tensors: Manifest['inputs'] = {};
  for (const name of inputs) {
    if (name === TENSORS.handshakeBytes) {
      tensors.handshakeBytes = { name, shape: [HANDSHAKE_MESSAGES, HANDSHAKE_BYTES] };
    } else if (name === TENSORS.series) {
      tensors.series = { name, shape: [features.seriesSteps, SERIES_CHANNELS] };
    } else {
      tensors.statistics = { name, shape: [STATISTICS.length] };
    }
  }
  return tensors;
}

function trainingOf(trained: TrainedModel): Manifest['training'] {
  const { origin, seed, commit, backend, hyperParameters, networkOptions } = trained;
  return {
    data: origin.data,
    dataSha256: origin.dataSha256,
    split: origin.split,
    flows: origin.flows,
    seed,
    commit,
    backend,
    hyperParameters: {
      ...hyperParameters,
      // Widths, branches, how sizes enter.
      networkOptions: JSON.stringify(networkOptions),
    },
  };
}

function metricsOf({ origin }: TrainedModel, measured: Measured): Manifest['metrics'] {
  const { whole } = measured.test;
  return {
    data: origin.testData,
    flows: whole.flows,
    accuracy: whole.accuracy,
    macroF1: whole.macroF1,
    perClass: { ...whole.perClass },
    baselines: { ...origin.baselines },
    int8Agreement: measured.int8Agreement,
  };
}
