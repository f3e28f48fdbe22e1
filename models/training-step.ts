// One step of training and one of prediction, for any network and wherever the rows come from.
// Axes: B rows (flows, or sessions), K classes.

import type { Adam } from './adam.ts';
import { tf } from './backend.ts';
import type { InputName } from './networks/network.ts';

/** B labelled rows in memory, each input row by row as networks/network.ts says. Inputs that a network has not are ignored. */
export interface Batch {
  readonly count: number;
  readonly inputs: Readonly<Partial<Record<InputName, Uint8Array | Float32Array>>>;
  /** [B], index of the class */
  readonly labels: Int32Array;
}

/** What a step aims at. */
export interface StepOptions {
  /** K names */
  readonly classes: readonly string[];
  /** One a class. */
  readonly classWeights: readonly number[];
  readonly labelSmoothing: number;
}

/** The network's inputs, in its order. Bytes become floats 0..255. To be called inside a tidy. */
export function inputsOf(model: tf.LayersModel, { inputs, count }: Batch): tf.Tensor[] {
  return model.inputLayers.map(({ name, batchInputShape }) => {
    const values = inputs[name as InputName];
    const row = batchInputShape.slice(1).map((d) => d ?? 0);
    const width = row.reduce((a, b) => a * b, 1);
    if (values?.length !== count * width) {
      throw new Error(
        `input "${name}" of "${model.name}" has ${values?.length ?? 'no'} values for ${count} rows, expected ${count} x [${row}]`,
      );
    }
    return tf.tensor(Float32Array.from(values), [count, ...row]);
  });
}

export interface StepFigures {
  /** Before the step. */
  readonly loss: number;
  /** Rows that the network got right, with dropout and before the step. */
  readonly right: number;
}

/** One step of the optimizer. */
export function trainStep(
  model: tf.LayersModel,
  optimizer: Adam,
  batch: Batch,
  options: StepOptions,
): StepFigures {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  return tf.tidy(() => {
    const inputs = inputsOf(model, batch);
    const targets = targetsOf(batch.labels, options);
    const labels = tf.tensor1d(batch.labels, 'int32');
    let right: tf.Tensor | undefined;
    const loss = () => {
      const outputs = model.apply(inputs, { training: true }) as tf.Tensor2D;
      const hits = tf.equal(tf.argMax(outputs, 1), labels);
      // Outlives the gradient's own tidy.
      right = tf.keep(tf.sum(tf.cast(hits, 'int32')));
      return weightedLoss(outputs, targets);
    };
    const figures = {
      loss: optimizer.minimize(loss, variables),
      right: right?.dataSync()[0] ?? 0,
    };
    right?.dispose();
    return figures;
  });
}

/** -> probabilities [B, K], nothing dropped out */
export function predictBatch(model: tf.LayersModel, batch: Batch): Float32Array {
  return tf.tidy(() => {
    const outputs = model.apply(inputsOf(model, batch), { training: false }) as tf.Tensor;
    return Float32Array.from(outputs.dataSync());
  });
}

/** labels [B] -> [B, K]: smoothed one-hot rows, each times its class's weight. */
function targetsOf(
  labels: Int32Array,
  { classes, labelSmoothing, classWeights }: StepOptions,
): tf.Tensor2D {
  const rest = labelSmoothing / classes.length;
  const rows = new Float32Array(labels.length * classes.length);
  for (const [b, label] of labels.entries()) {
    const weight = classWeights[label] ?? 1;
    const row = b * classes.length;
    rows.fill(rest * weight, row, row + classes.length);
    rows[row + label] = (1 - labelSmoothing + rest) * weight;
  }
  return tf.tensor2d(rows, [labels.length, classes.length]);
}

/** probabilities and targets [B, K] -> mean weighted cross-entropy */
function weightedLoss(probabilities: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  const logs = tf.log(tf.clipByValue(probabilities, 1e-7, 1));
  return tf.neg(tf.mean(tf.sum(tf.mul(targets, logs), 1)));
}
