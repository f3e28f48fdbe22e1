// Features -> probabilities by onnxruntime on one core. Axes: B flows, K classes.

import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Bundle } from '../bundle/load-bundle.ts';
import { featureSpecOf, type Manifest } from '../bundle/manifest.ts';
import { BundleError } from '../errors.ts';
import {
  allocateBatch,
  type FeatureBatch,
  type FeatureSpec,
  type Features,
  writeRow,
} from '../features/features.ts';
import type { StatisticsNormaliser } from '../features/normalise.ts';
import {
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_CHANNELS,
} from '../features/shapes.ts';
import { cutTo, longestOf, stepBuckets } from './step-buckets.ts';

/** Flows of one run at most: larger batches gain nothing on one core and cost memory. */
export const BATCH_FLOWS = 32;

/** The class of a prediction below its class's threshold. */
export const UNKNOWN = 'unknown';

export interface Prediction {
  /** A class of the bundle, or UNKNOWN. */
  readonly class: string;
  /** Calibrated probability of the likeliest class, also where `class` is UNKNOWN. */
  readonly probability: number;
  /** The likeliest class itself. */
  readonly likeliest: string;
}

/** A model that is ready to run. `classify` may not be called again before it has answered. */
export class Classifier {
  readonly manifest: Manifest;
  readonly #session: InferenceSession;
  readonly #batch: FeatureBatch;
  readonly #normaliser: StatisticsNormaliser;
  /** Lengths of the series that the model is run at, ascending; T alone where it is built into the weights. */
  readonly #steps: readonly number[];
  /** Holds a series that was cut; empty where none ever is. */
  readonly #cut: Float32Array;

  private constructor(manifest: Manifest, session: InferenceSession) {
    const { seriesSteps } = manifest.features;
    this.manifest = manifest;
    this.#session = session;
    this.#batch = allocateBatch(BATCH_FLOWS, seriesSteps);
    this.#normaliser = manifest.features.statistics;
    const free = takesAnySteps(manifest, session);
    this.#steps = free ? stepBuckets(seriesSteps) : [seriesSteps];
    this.#cut = new Float32Array(this.#steps.length > 1 ? this.#batch.series.length : 0);
  }

  /**
   * Loads a bundle's model and runs its self-test.
   *
   * @throws BundleError ERR_BUNDLE_DAMAGED, ERR_BUNDLE_SELF_TEST
   */
  static async open(bundle: Bundle): Promise<Classifier> {
    const { manifest, path } = bundle;
    let session: InferenceSession;
    try {
      session = await InferenceSession.create(bundle.model, {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        executionMode: 'sequential',
        // Errors only: a model that cannot be read is reported by us, once.
        logSeverityLevel: 4,
      });
    } catch (cause) {
      throw new BundleError(
        'ERR_BUNDLE_DAMAGED',
        `bundle ${path} is damaged: onnxruntime cannot read model.onnx (${(cause as Error).message.split('\n')[0]})`,
        { cause },
      );
    }
    checkNames(path, manifest, session);
    const classifier = new Classifier(manifest, session);
    await classifier.#selfTest(path);
    return classifier;
  }

  /** What features this model wants of a flow. */
  get featureSpec(): FeatureSpec {
    return featureSpecOf(this.manifest);
  }

  /** One prediction a flow, in their order; any number of flows. */
  async classify(flows: readonly Features[]): Promise<Prediction[]> {
    const predictions: Prediction[] = [];
    for (let start = 0; start < flows.length; start += BATCH_FLOWS) {
      const part = flows.slice(start, start + BATCH_FLOWS);
      part.forEach((features, b) => {
        writeRow(features, this.#normaliser, this.#batch, b);
      });
      predictions.push(...(await this.classifyBatch(this.#batch, part.length)));
    }
    return predictions;
  }

  /** One prediction each of the batch's first `flows` rows. */
  async classifyBatch(batch: FeatureBatch, flows: number): Promise<Prediction[]> {
    const probabilities = await this.#run(batch, flows);
    return Array.from({ length: flows }, (_, b) => this.#prediction(probabilities, b));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  /** probabilities [B, K] float32 -> the prediction of row b. */
  #prediction(probabilities: Float32Array, b: number): Prediction {
    const { classes, calibration } = this.manifest;
    const row = probabilities.subarray(b * classes.length, (b + 1) * classes.length);
    let best = 0;
    for (let k = 1; k < row.length; k++) if ((row[k] ?? 0) > (row[best] ?? 0)) best = k;
    const likeliest = classes[best] ?? UNKNOWN;
    const probability = row[best] ?? 0;
    const threshold = calibration.thresholds[likeliest] ?? 0;
    return {
      class: probability >= threshold ? likeliest : UNKNOWN,
      probability,
      likeliest,
    };
  }

  /** Runs the first `flows` rows of a batch. -> probabilities [B, K] */
  async #run(batch: FeatureBatch, flows: number): Promise<Float32Array> {
    const { output } = this.manifest;
    const series = this.#seriesOf(batch, flows);
    const results = await this.#session.run(
      feedsOf(this.manifest, { ...batch, series }, flows),
    );
    return results[output.name]?.data as Float32Array;
  }

  /** -> [B, T', C]: no longer than the longest flow asks for. */
  #seriesOf({ series }: FeatureBatch, flows: number): Float32Array {
    const { seriesSteps } = this.manifest.features;
    if (this.#steps.length === 1)
      return series.subarray(0, flows * seriesSteps * SERIES_CHANNELS);
    const longest = longestOf(series, flows, seriesSteps);
    const steps = this.#steps.find((length) => length >= longest) ?? seriesSteps;
    return cutTo(steps, series, { flows, seriesSteps, into: this.#cut });
  }

  async #selfTest(path: string): Promise<void> {
    const { selfTest } = this.manifest;
    const batch = this.#batch;
    const bytes = Buffer.from(selfTest.handshakeBytes, 'base64');
    batch.handshakeBytes.set(bytes.subarray(0, HANDSHAKE_MESSAGES * HANDSHAKE_BYTES));
    batch.series.set(selfTest.series.slice(0, batch.series.length));
    batch.statistics.set(selfTest.statistics.slice(0, batch.statistics.length));
    const fault = await this.#run(batch, 1).then(
      (got) => difference(got, selfTest.probabilities, selfTest.tolerance),
      (cause: Error) => cause.message.split('\n')[0],
    );
    if (fault !== undefined) {
      throw new BundleError(
        'ERR_BUNDLE_SELF_TEST',
        `bundle ${path} fails its self-test: ${fault}; its model does not work here, take another bundle`,
      );
    }
  }
}

/** Whether the model declares the number of steps as free. */
function takesAnySteps({ inputs }: Manifest, session: InferenceSession): boolean {
  const series = session.inputMetadata.find(({ name }) => name === inputs.series?.name);
  return series?.isTensor === true && typeof series.shape[1] !== 'number';
}

/** The first `flows` rows of those inputs that the model reads; series hold no more than these. */
function feedsOf(
  { inputs, features }: Manifest,
  batch: FeatureBatch,
  flows: number,
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  const { handshakeBytes, series, statistics } = inputs;
  const width = features.statistics.names.length;
  if (handshakeBytes !== undefined) {
    feeds[handshakeBytes.name] = new Tensor(
      'uint8',
      batch.handshakeBytes.subarray(0, flows * HANDSHAKE_MESSAGES * HANDSHAKE_BYTES),
      [flows, HANDSHAKE_MESSAGES, HANDSHAKE_BYTES],
    );
  }
  if (series !== undefined) {
    feeds[series.name] = new Tensor('float32', batch.series, [
      flows,
      batch.series.length / (flows * SERIES_CHANNELS),
      SERIES_CHANNELS,
    ]);
  }
  if (statistics !== undefined) {
    feeds[statistics.name] = new Tensor(
      'float32',
      batch.statistics.subarray(0, flows * width),
      [flows, width],
    );
  }
  return feeds;
}

function difference(
  got: ArrayLike<number> | undefined,
  want: readonly number[],
  tolerance: number,
): string | undefined {
  if (got?.length !== want.length) {
    return `it gives ${got?.length ?? 'no'} probabilities, expected ${want.length}`;
  }
  for (const [k, expected] of want.entries()) {
    const value = got[k] ?? Number.NaN;
    if (!(Math.abs(value - expected) <= tolerance)) {
      return `probability ${k} is ${value}, expected ${expected} ± ${tolerance}`;
    }
  }
  return undefined;
}

function checkNames(path: string, manifest: Manifest, session: InferenceSession): void {
  const { inputs, output } = manifest;
  const { handshakeBytes, series, statistics } = inputs;
  const wanted = [handshakeBytes, series, statistics].flatMap(
    (input) => input?.name ?? [],
  );
  const lacking =
    wanted.find((name) => !session.inputNames.includes(name)) ??
    [output.name].find((name) => !session.outputNames.includes(name));
  if (lacking !== undefined) {
    throw new BundleError(
      'ERR_BUNDLE_DAMAGED',
      `bundle ${path} is damaged: its model has no tensor "${lacking}", inputs are ${session.inputNames.join(', ')}`,
    );
  }
}
