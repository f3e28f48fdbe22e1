// Dropout that can be repeated: tfjs' own layer, given a seed, draws the very same mask at every step.

import { tf } from '../backend.ts';

/** Zeroes a share `rate` of its input in training, with another mask each time, the same ones for the same seed. */
export class SeededDropout extends tf.layers.Layer {
  static readonly className = 'SeededDropout';
  readonly #rate: number;
  #seed: number;

  constructor(options: {
    readonly name: string;
    readonly rate: number;
    readonly seed: number;
  }) {
    super({ name: options.name });
    this.#rate = options.rate;
    this.#seed = options.seed;
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return shape;
  }

  /** any shape -> the same shape */
  override call(
    inputs: tf.Tensor | tf.Tensor[],
    options: { training?: boolean },
  ): tf.Tensor {
    const input = Array.isArray(inputs) ? inputs[0] : inputs;
    if (input === undefined) throw new Error(`${this.name} has no input`);
    if (options.training !== true || this.#rate === 0) return tf.clone(input);
    this.#seed++;
    return tf.dropout(input, this.#rate, undefined, this.#seed);
  }
}
