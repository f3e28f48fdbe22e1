// One step of training and one of prediction, for any network and wherever the rows come from.
// Axes: B rows (flows, or sessions), K classes.

import type { Adam } from './adam.ts';
import { tf } from './backend.ts';
import { perStep } from './graph/per-step.ts';
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
export function inputsOf(model: tf.LayersModel, current: () => Batch): tf.Tensor[] {
  return model.inputLayers.map(({ name, batchInputShape }) => {
    const row = batchInputShape.slice(1).map((d) => d ?? 0);
    const width = row.reduce((a, b) => a * b, 1);
    const produce = () => {
      const { inputs, count } = current();
      const values = inputs[name as InputName];
      if (values?.length !== count * width) {
        throw new Error(
          `input "${name}" of "${model.name}" has ${values?.length ?? 'no'} values for ${count} rows, expected ${count} x [${row}]`,
        );
      }
      return values instanceof Float32Array ? values : Float32Array.from(values);
    };
    return perStep(produce, [current().count, ...row]);
  });
}

// A type, not an interface: tf.tidy takes only the former.
export type StepFigures = {
  /** Before the step. */
  readonly loss: number;
  /** Rows that the network got right, with dropout and before the step. */
  readonly right: number;
};

/** One step of the optimizer. */
export function trainStep(
  model: tf.LayersModel,
  optimizer: Adam,
  batch: Batch,
  options: StepOptions,
): StepFigures {
  const variables = variablesOf(model);
  return tf.tidy(() => {
    const { loss, right, gradients } = stepGradients(model, () => batch, options);
    optimizer.apply(variables, gradients);
    return figuresOf(loss, right);
  });
}

/** What is trained, in the order of the model's weights. */
export function variablesOf(model: tf.LayersModel): tf.Variable[] {
  return model.trainableWeights.map((weight) => weight.read() as tf.Variable);
}

export function figuresOf(loss: tf.Tensor, right: tf.Tensor): StepFigures {
  return { loss: loss.dataSync()[0] ?? Number.NaN, right: right.dataSync()[0] ?? 0 };
}

export interface StepGradients {
  /** [] */
  readonly loss: tf.Tensor;
  /** [] int32: rows that the network got right. */
  readonly right: tf.Tensor;
  /** Of each of `variablesOf`. */
  readonly gradients: readonly tf.Tensor[];
}

/** The loss on the current rows and what it asks of each variable. To be called inside a tidy. */
export function stepGradients(
  model: tf.LayersModel,
  current: () => Batch,
  options: StepOptions,
): StepGradients {
  const variables = variablesOf(model);
  const rows = current().labels.length;
  const inputs = inputsOf(model, current);
  const targets = perStep(
    () => targetsOf(current().labels, options),
    [rows, options.classes.length],
  ) as tf.Tensor2D;
  const labels = perStep(() => current().labels, [rows], 'int32');
  let right: tf.Tensor | undefined;
  const { value, grads } = tf.variableGrads(() => {
    const outputs = model.apply(inputs, { training: true }) as tf.Tensor2D;
    const hits = tf.equal(tf.argMax(outputs, 1), labels);
    // Outlives the gradient's own tidy.
    right = tf.keep(tf.sum(tf.cast(hits, 'int32')));
    return weightedLoss(outputs, targets);
  }, variables);
  if (right === undefined) throw new Error(`"${model.name}" was not applied`);
  // From here on the tidy around sees to it.
  const counted = tf.clone(right);
  right.dispose();
  const gradients = variables.map((variable) => {
    const gradient = grads[variable.name];
    if (gradient === undefined) throw new Error(`${variable.name} has no gradient`);
    return gradient;
  });
  return { loss: value, right: counted, gradients };
}

/** -> probabilities [B, K], nothing dropped out */
export function predictBatch(model: tf.LayersModel, batch: Batch): Float32Array {
  return tf.tidy(() => {
    const inputs = inputsOf(model, () => batch);
    const outputs = model.apply(inputs, { training: false }) as tf.Tensor;
    return Float32Array.from(outputs.dataSync());
  });
}

/** labels [B] -> [B, K]: smoothed one-hot rows, each times its class's weight. */
function targetsOf(
  labels: Int32Array,
  { classes, labelSmoothing, classWeights }: StepOptions,
): Float32Array {
  const rest = labelSmoothing / classes.length;
  const rows = new Float32Array(labels.length * classes.length);
  for (const [b, label] of labels.entries()) {
    const weight = classWeights[label] ?? 1;
    const row = b * classes.length;
    rows.fill(rest * weight, row, row + classes.length);
    rows[row + label] = (1 - labelSmoothing + rest) * weight;
  }
  return rows;
}

/** probabilities and targets [B, K] -> mean weighted cross-entropy */
function weightedLoss(probabilities: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  const logs = tf.log(tf.clipByValue(probabilities, 1e-7, 1));
  return tf.neg(tf.mean(tf.sum(tf.mul(targets, logs), 1)));
}
