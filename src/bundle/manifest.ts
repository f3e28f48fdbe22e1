// manifest.json of a bundle: the only contract between training and serving. One schema gives type and validation.

import { z } from 'zod';
import {
  FEATURE_VERSION,
  type FeatureSpec,
  type ModelInputs,
  PAPER_PACKETS,
} from '../features/features.ts';
import {
  IAT_NORMALISERS,
  type IatNormaliser,
  SIZE_NORMALISERS,
  type SizeNormaliser,
  STATISTICS_NORMALISERS,
} from '../features/normalise.ts';
import { PACKET_KINDS, PACKET_LENGTHS, recordPackets } from '../features/packet-rule.ts';
import {
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_CHANNELS,
  SERIES_STEPS_MAX,
} from '../features/shapes.ts';
import { STATISTICS } from '../features/statistics-table.ts';
import { CANARY_FIELDS } from '../handshake/canary.ts';
import { OCCLUSION_VERSION } from '../handshake/occlusion.ts';
import { PART_NAME } from './archive.ts';
import { MANIFEST_FILE, MODEL_FILE, SIGNATURE_FILE } from './bundle-parts.ts';

/** Raised whenever a field changes its meaning. */
export const MANIFEST_VERSION = 2;

const probability = z.number().min(0).max(1);
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, '64 hex digits');
const finite = z.number().refine(Number.isFinite, 'a finite number');

/** Per class and over all, on the data that `split` names. */
const metrics = z.strictObject({
  /** What the figures were measured on, e.g. "lab capture 8 of 8, never trained on". */
  data: z.string(),
  flows: z.number().int().positive(),
  accuracy: probability,
  macroF1: probability,
  perClass: z.record(
    z.string(),
    z.strictObject({
      precision: probability,
      recall: probability,
      f1: probability,
      flows: z.number().int(),
    }),
  ),
  /** Accuracy of simpler ways on the same flows, by name. */
  baselines: z.record(z.string(), probability),
  /** Share of flows on which fp32 and int8 choose the same class. */
  int8Agreement: probability,
});

export const manifestSchema = z
  .strictObject({
    format: z.literal('sluice-bundle'),
    manifestVersion: z.literal(MANIFEST_VERSION),
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'lower case letters, digits, - and .'),
    network: z.string(),
    createdAt: z.iso.datetime(),
    model: z.strictObject({
      file: z.literal('model.onnx'),
      sha256: sha256Hex,
      sizeBytes: z.number().int().positive(),
      precision: z.enum(['int8', 'fp32']),
      parameters: z.number().int().positive(),
    }),
    /** Further files by name, such as card.md: whoever signs the manifest signs them. */
    files: z
      .record(
        z.string().regex(PART_NAME, 'a plain file name'),
        z.strictObject({ sha256: sha256Hex, sizeBytes: z.number().int().min(0) }),
      )
      .default({}),
    /** What the export found wrong and was forced to write, a line each. */
    failedChecks: z.array(z.string()).default([]),
    /** K names, in the order of the output. */
    classes: z.array(z.string().min(1)).min(2).max(1000),
    features: z.strictObject({
      version: z.number().int(),
      seriesSteps: z.number().int().min(1).max(SERIES_STEPS_MAX),
      /** What counts as a packet; the paper's rule where a manifest of feature version 1 is silent. */
      counted: z
        .strictObject({
          kinds: z.enum(PACKET_KINDS),
          repeats: z.boolean(),
          length: z.enum(PACKET_LENGTHS),
        })
        .default(PAPER_PACKETS.counted),
      iat: z.enum(Object.keys(IAT_NORMALISERS) as [IatNormaliser, ...IatNormaliser[]]),
      size: z.enum(
        Object.keys(SIZE_NORMALISERS) as [SizeNormaliser, ...SizeNormaliser[]],
      ),
      statistics: z.strictObject({
        names: z.array(z.string()),
        kind: z.enum(STATISTICS_NORMALISERS),
        mean: z.array(finite),
        deviation: z.array(finite.min(0)),
        clip: finite.positive(),
      }),
    }),
    /** `shown`: canary fields that are let through after all. */
    occlusion: z.strictObject({
      version: z.number().int(),
      shown: z.array(z.enum(CANARY_FIELDS)),
    }),
    /** Tensor names of the graph with their shapes behind the batch axis; a model reads one of them at least. */
    inputs: z.strictObject({
      handshakeBytes: z
        .strictObject({
          name: z.string(),
          shape: z.tuple([z.literal(HANDSHAKE_MESSAGES), z.literal(HANDSHAKE_BYTES)]),
        })
        .optional(),
      series: z
        .strictObject({
          name: z.string(),
          shape: z.tuple([z.number().int().positive(), z.literal(SERIES_CHANNELS)]),
        })
        .optional(),
      statistics: z
        .strictObject({
          name: z.string(),
          shape: z.tuple([z.number().int().positive()]),
        })
        .optional(),
    }),
    output: z.strictObject({ name: z.string() }),
    calibration: z.strictObject({
      /** Already divided into the last layer's weights: probabilities come out calibrated. */
      temperature: finite.positive(),
      /** Below its class's threshold a prediction counts as `unknown`. */
      thresholds: z.record(z.string(), probability),
    }),
    training: z.strictObject({
      data: z.string(),
      dataSha256: z.string(),
      split: z.string(),
      flows: z.number().int().positive(),
      seed: z.number().int(),
      commit: z.string(),
      backend: z.string(),
      hyperParameters: z.record(
        z.string(),
        z.union([z.number(), z.string(), z.boolean()]),
      ),
    }),
    metrics,
    /** One flow that every loader runs: catches a runtime that computes something else. */
    selfTest: z.strictObject({
      handshakeBytes: z.base64(),
      series: z.array(finite),
      statistics: z.array(finite),
      probabilities: z.array(probability),
      tolerance: finite.positive(),
    }),
  })
  .superRefine((manifest, context) => {
    const fault = crossCheck(manifest);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

export type Manifest = z.infer<typeof manifestSchema>;

/** What features the model wants of a flow. */
export function featureSpecOf({ features, occlusion }: Manifest): FeatureSpec {
  const { seriesSteps, counted, iat, size } = features;
  const packets = recordPackets(seriesSteps, counted);
  return { seriesSteps, packets, counted, iat, size, occlusion };
}

/** The same, and how it reads the statistics. */
export function modelInputsOf(manifest: Manifest): ModelInputs {
  return {
    spec: featureSpecOf(manifest),
    normaliser: manifest.features.statistics,
  };
}

/** What the fields must say about each other. */
function crossCheck(manifest: {
  files: Manifest['files'];
  features: Manifest['features'];
  inputs: Manifest['inputs'];
  classes: string[];
  selfTest: Manifest['selfTest'];
}): string | undefined {
  const { files, features, inputs, classes, selfTest } = manifest;
  const own = [MANIFEST_FILE, MODEL_FILE, SIGNATURE_FILE].find((name) =>
    Object.hasOwn(files, name),
  );
  if (own !== undefined) return `${own} is among the further files`;
  const width = features.statistics.names.length;
  const { mean, deviation } = features.statistics;
  if (mean.length !== width || deviation.length !== width) {
    return `statistics have ${width} names, ${mean.length} means and ${deviation.length} deviations`;
  }
  const { handshakeBytes, series, statistics: columns } = inputs;
  if ((handshakeBytes ?? series ?? columns) === undefined) return 'there are no inputs';
  if (columns !== undefined && columns.shape[0] !== width) {
    return `input "${columns.name}" is ${columns.shape[0]} wide, statistics are ${width}`;
  }
  if (series !== undefined && series.shape[0] !== features.seriesSteps) {
    return `input "${series.name}" has ${series.shape[0]} steps, features say ${features.seriesSteps}`;
  }
  if (new Set(classes).size !== classes.length) return 'a class is named twice';
  if (selfTest.probabilities.length !== classes.length) {
    return `the self-test has ${selfTest.probabilities.length} probabilities for ${classes.length} classes`;
  }
  return undefined;
}

/** Why this program cannot serve a (well-formed) manifest, or undefined. */
export function incompatibility(manifest: Manifest): string | undefined {
  const { features, occlusion } = manifest;
  if (features.version !== FEATURE_VERSION) {
    return `it wants feature version ${features.version}, this sluice makes ${FEATURE_VERSION}`;
  }
  if (occlusion.version !== OCCLUSION_VERSION) {
    return `it wants occlusion version ${occlusion.version}, this sluice makes ${OCCLUSION_VERSION}`;
  }
  const names = features.statistics.names;
  const different = STATISTICS.findIndex((name, s) => names[s] !== name);
  if (different >= 0 || names.length !== STATISTICS.length) {
    return `its statistics differ from this sluice's, first at number ${Math.max(different, 0)}`;
  }
  return undefined;
}
