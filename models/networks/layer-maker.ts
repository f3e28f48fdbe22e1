// Layers with names that export keeps and initial weights that differ from layer to layer. Axes: B flows, W positions or
// steps, I and O units in and out, Ci and Co channels in and out.

import { InputError } from '../../src/errors.ts';
import { tf } from '../backend.ts';
import { quickConvolution } from '../layers/convolution.ts';
import { quickDense } from '../layers/dense.ts';
import { bothWays, lstm } from '../layers/lstm.ts';
import { SeededDropout } from '../layers/seeded-dropout.ts';
import type { Convolutions, Recurrent } from './options.ts';

export type Symbolic = tf.SymbolicTensor;

/** Room for a mask at every step between one seed and the next one's. */
const SEED_STEP = 1_000_000;

export class LayerMaker {
  #seed: number;

  constructor(seed: number) {
    // Far apart, so that two runs with neighbouring seeds share no layer's weights.
    this.#seed = seed * 1000;
  }

  #initializer() {
    this.#seed++;
    return tf.initializers.heNormal({ seed: this.#seed });
  }

  /** A seed for what draws at every step. */
  nextSeed(): number {
    this.#seed++;
    return this.#seed * SEED_STEP;
  }

  /** [B, W, Ci] -> [B, ceil(W / stride), Co] */
  convolve(
    name: string,
    [filters, kernel, stride]: Convolutions['groups'][number][number],
    input: Symbolic,
  ): Symbolic {
    const layer = tf.layers.conv1d({
      name,
      filters,
      kernelSize: kernel,
      strides: stride,
      padding: 'same',
      activation: 'relu',
      kernelInitializer: this.#initializer(),
    });
    return quickConvolution(layer).apply(input) as Symbolic;
  }

  /** [B, W, C] -> [B, floor(W / size), C] */
  pool(name: string, size: number, input: Symbolic): Symbolic {
    const layer = tf.layers.maxPooling1d({ name, poolSize: size, strides: size });
    return layer.apply(input) as Symbolic;
  }

  /** [B, I] -> [B, O], or [B, W, I] -> [B, W, O] */
  dense(
    name: string,
    units: number,
    input: Symbolic,
    activation: 'relu' | 'softmax' = 'relu',
  ): Symbolic {
    const layer = tf.layers.dense({
      name,
      units,
      activation,
      kernelInitializer: this.#initializer(),
    });
    const quick = activation === 'relu' ? quickDense(layer) : layer;
    return quick.apply(input) as Symbolic;
  }

  drop(name: string, rate: number, input: Symbolic): Symbolic {
    const seed = this.nextSeed();
    return new SeededDropout({ name, rate, seed }).apply(input) as Symbolic;
  }

  /**
   * Groups of convolutions with a pooling behind each: [B, W, C] -> [B, W', C'], flattened position by position to
   * [B, W'·C'], or as wide as the dense layer behind.
   */
  convolutions(
    branch: string,
    { groups, pool, dense }: Convolutions,
    input: Symbolic,
  ): Symbolic {
    let x = input;
    let number = 0;
    for (const [g, group] of groups.entries()) {
      for (const convolution of group) {
        number++;
        x = this.convolve(`${branch}_conv${number}`, convolution, x);
      }
      if (pool > 1) x = this.pool(`${branch}_pool${g + 1}`, pool, x);
      // An empty tensor trains natively without a word, and keeps wasm busy for ever.
      if ((x.shape[1] ?? 0) < 1) {
        throw new InputError(
          'ERR_NETWORK_OPTIONS',
          `${branch} of ${input.shape[1]} positions: none is left behind group ${g + 1} of its convolutions; give it more, or smaller strides and pools`,
        );
      }
    }
    x = tf.layers.flatten({ name: `${branch}_flat` }).apply(x) as Symbolic;
    return dense > 0 ? this.dense(`${branch}_dense`, dense, x) : x;
  }

  /** A stack of LSTMs, the last of which gives its last step: [B, W, C] -> [B, O], twice as wide both ways. */
  lstms(
    branch: string,
    { dense, units, bidirectional }: Recurrent,
    input: Symbolic,
  ): Symbolic {
    let x = dense > 0 ? this.dense(`${branch}_dense`, dense, input) : input;
    for (const [i, width] of units.entries()) {
      const layer = (bidirectional ? bothWays : lstm)({
        name: `${branch}_lstm${i + 1}`,
        units: width,
        returnSequences: i < units.length - 1,
        seed: ++this.#seed,
      });
      // A layer both ways has twice the weights to draw.
      this.#seed++;
      x = layer.apply(x) as Symbolic;
    }
    return x;
  }
}
