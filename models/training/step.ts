// One step of training, for any network. Axes: B examples, K classes.

import { tf } from '../backend.ts';
import { type Batch, type InputSpec, tensorsOf } from '../data/batch.ts';

export interface StepOptions {
  readonly classes: number;
  readonly labelSmoothing: number;
  /** [K]: what an example of each class weighs; all the same unless given. */
  readonly classWeights?: readonly number[] | undefined;
}

export interface StepFigures {
  /** Before the step. */
  readonly loss: number;
  /** Examples that the network, with dropout, got right. */
  readonly right: number;
}

export class Stepper {
  readonly #model: tf.LayersModel;
  readonly #optimizer: tf.Optimizer;
  readonly #spec: InputSpec;
  readonly #options: StepOptions;

  constructor(
    model: tf.LayersModel,
    optimizer: tf.Optimizer,
    spec: InputSpec,
    options: StepOptions,
  ) {
    this.#model = model;
    this.#optimizer = optimizer;
    this.#spec = spec;
    this.#options = options;
  }

  step(batch: Batch): StepFigures {
    const variables = this.#model.trainableWeights.map(
      (weight) => weight.read() as tf.Variable,
    );
    return tf.tidy(() => {
      const inputs = tensorsOf(batch, this.#spec);
      const targets = targetsOf(batch.labels, this.#options);
      const labels = tf.tensor1d(batch.labels, 'int32');
      let right: tf.Tensor | undefined;
      const loss = () => {
        const outputs = this.#model.apply(inputs, { training: true }) as tf.Tensor2D;
        const hits = tf.equal(tf.argMax(outputs, 1), labels);
        // Outlives the gradient's own tidy.
        right = tf.keep(tf.sum(tf.cast(hits, 'int32')));
        return weightedLoss(outputs, targets);
      };
      const cost = this.#optimizer.minimize(loss, true, variables);
      const figures = {
        loss: cost?.dataSync()[0] ?? Number.NaN,
        right: right?.dataSync()[0] ?? 0,
      };
      right?.dispose();
      return figures;
    });
  }
}

/** labels [B] -> [B, K]: smoothed one-hot rows, each times its class's weight. */
function targetsOf(
  labels: Int32Array,
  { classes, labelSmoothing, classWeights }: StepOptions,
): tf.Tensor2D {
  const rest = labelSmoothing / classes;
  const rows = new Float32Array(labels.length * classes);
  for (const [b, label] of labels.entries()) {
    const weight = classWeights?.[label] ?? 1;
    const row = b * classes;
    rows.fill(rest * weight, row, row + classes);
    rows[row + label] = (1 - labelSmoothing + rest) * weight;
  }
  return tf.tensor2d(rows, [labels.length, classes]);
}

/** probabilities and targets [B, K] -> mean weighted cross-entropy */
function weightedLoss(probabilities: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  const logs = tf.log(tf.clipByValue(probabilities, 1e-7, 1));
  return tf.neg(tf.mean(tf.sum(tf.mul(targets, logs), 1)));
}

/** What the network says of a batch. -> [B, K] */
export function probabilitiesOf(
  model: tf.LayersModel,
  batch: Batch,
  spec: InputSpec,
): Float32Array {
  return tf.tidy(() => {
    const outputs = model.apply(tensorsOf(batch, spec), {
      training: false,
    }) as tf.Tensor;
    return Float32Array.from(outputs.dataSync());
  });
}
