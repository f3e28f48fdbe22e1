// Weights as int8 will hold them, while still in training: rounded before they are judged, so that the weights that are kept
// lose nothing when export writes them in 8 bits.

import type { tf } from './backend.ts';

/** Largest weight: with 8 full bits the 16-bit sums of AVX2 without VNNI saturate (DESIGN 7: up to 49% error). */
export const WEIGHT_LIMIT = 64;

/**
 * Rounds a layer's weights to multiples of a step of its own for each output channel: the largest one's WEIGHT_LIMIT-th part.
 *
 * @param values [..., channels] in tfjs' layout, the output channel last
 */
export function onInt8Grid(values: Float32Array, channels: number): Float32Array {
  const largest = new Float32Array(channels);
  for (const [i, value] of values.entries()) {
    const channel = i % channels;
    largest[channel] = Math.max(largest[channel] ?? 0, Math.abs(value));
  }
  return values.map((value, i) => {
    const step = (largest[i % channels] ?? 0) / WEIGHT_LIMIT;
    return step === 0 ? value : Math.round(value / step) * step;
  });
}

/** All weights of a model, in its order: matrices and filters on the grid, biases as they are (int8 has 32 bits for them). */
export function weightsOnGrid(
  model: tf.LayersModel,
  values: readonly Float32Array[],
): Float32Array[] {
  return model.getWeights().map((weight, i) => {
    const own = values[i] ?? new Float32Array(0);
    const channels = weight.shape.at(-1) ?? 1;
    return weight.shape.length < 2 ? own : onInt8Grid(own, channels);
  });
}
