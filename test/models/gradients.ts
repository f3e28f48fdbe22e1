// Outputs and gradients of a model, for comparing two ways to compute the same.

import { tf } from '../../models/backend.ts';

export interface Computed {
  readonly outputs: Float32Array;
  /** Of the sum of squares of the outputs: by each trainable weight in the model's order, then by the input if asked for. */
  readonly gradients: readonly Float32Array[];
}

export interface Computing {
  readonly byInput?: boolean;
  /** [B, ...] as the outputs: 0 for those that do not count. */
  readonly keep?: tf.Tensor | undefined;
}

export function compute(
  model: tf.LayersModel,
  input: tf.Tensor,
  { byInput = false, keep }: Computing = {},
): Computed {
  const from = byInput ? tf.variable(input) : input;
  const computed = tf.tidy(() => {
    const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const variables = from instanceof tf.Variable ? [...weights, from] : weights;
    const run = () => {
      const made = model.apply(from, { training: true }) as tf.Tensor;
      return keep === undefined ? made : tf.mul(made, keep);
    };
    const loss = () => tf.sum(tf.square(run())) as tf.Scalar;
    const { grads } = tf.variableGrads(loss, variables);
    return {
      outputs: Float32Array.from(run().dataSync()),
      gradients: variables.map(({ name }) =>
        Float32Array.from(grads[name]?.dataSync() ?? []),
      ),
    };
  });
  if (byInput) from.dispose();
  return computed;
}

/** The largest difference, by the largest value where that is above 1. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const values = Array.from(a);
  const scale = Math.max(1, ...values.map(Math.abs));
  return (
    Math.max(0, ...values.map((value, i) => Math.abs(value - (b[i] ?? NaN)))) / scale
  );
}

/** Saved by ours, loaded as tfjs' own layers know it: none of our calls is left. */
export async function loadedAsStock(model: tf.LayersModel): Promise<tf.LayersModel> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  if (saved === undefined) throw new Error('the model was not saved');
  return await tf.loadLayersModel(tf.io.fromMemory(saved));
}
