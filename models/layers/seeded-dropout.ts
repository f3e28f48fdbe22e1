// Dropout that can be repeated: tfjs' own layer, given a seed, draws the very same mask at every step. The masks are drawn
// here, so that they are the same on every backend.

import { tf } from '../backend.ts';
import { perStep } from '../graph/per-step.ts';

/** Zeroes a share `rate` of its input in training, with another mask each time, the same ones for the same seed. */
export class SeededDropout extends tf.layers.Layer {
  static readonly className = 'SeededDropout';
  override supportsMasking = true;
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

  /** As if so many steps of training had been made. */
  skipDraws(steps: number): void {
    if (this.#rate > 0) this.#seed += steps;
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return shape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.#rate, seed: this.#seed };
  }

  /** any shape -> the same shape */
  override call(
    inputs: tf.Tensor | tf.Tensor[],
    options: { training?: boolean },
  ): tf.Tensor {
    const input = Array.isArray(inputs) ? inputs[0] : inputs;
    if (input === undefined) throw new Error(`${this.name} has no input`);
    if (options.training !== true || this.#rate === 0) return tf.clone(input);
    const { size, shape } = input;
    const draw = () => {
      this.#seed++;
      return dropoutFactors(size, this.#rate, this.#seed);
    };
    return tf.tidy(() => tf.mul(input, perStep(draw, shape)));
  }
}

/** 0 for a share `rate` of the places, 1 / (1 - rate) for the others. Mulberry32, two places a number: millions are drawn a step. */
function dropoutFactors(length: number, rate: number, seed: number): Float32Array {
  const factors = new Float32Array(length);
  const kept = 1 / (1 - rate);
  const limit = Math.round(rate * 0x1_0000);
  let state = seed | 0;
  for (let i = 0; i < length; i += 2) {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    x ^= x >>> 14;
    factors[i] = (x & 0xffff) < limit ? 0 : kept;
    // Beyond the end of an odd length it is lost.
    factors[i + 1] = x >>> 16 < limit ? 0 : kept;
  }
  return factors;
}
