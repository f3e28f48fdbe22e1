// The router's tripartite network (paper 3.2, the variant with a CNN on the series), small enough for a CPE box.
// Axes: B flows, M handshake messages, N bytes of a message, T steps, C channels, S statistics, K classes.
//
//   handshake [B,M,N] ─ rescale ─ conv conv pool conv conv pool ─ dense ─┐
//   series    [B,T,C] ─────────── conv conv pool conv pool ────── dense ─┼─ concat ─ dense dense ─ softmax [B,K]
//   statistics  [B,S] ─────────── dense dense ───────────────────────────┘
//
// Departs from paper: strides and narrower layers, see hyper-parameters.ts. The messages are the channels of the
// handshake branch: a filter sees the same stretch of all three, with weights of its own for each.

import {
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_CHANNELS,
} from '../src/features/shapes.ts';
import { tf } from './backend.ts';
import { HYPER_PARAMETERS, ROUTER_CNN } from './hyper-parameters.ts';
import { SeededDropout } from './seeded-dropout.ts';

/** Names of inputs and output, the same in tfjs, in ONNX and in the manifest (DESIGN 4). */
export const TENSORS = {
  handshakeBytes: 'handshake_bytes',
  series: 'series',
  statistics: 'statistics',
  probabilities: 'probabilities',
} as const;

export interface RouterCnnOptions {
  /** T */
  readonly seriesSteps: number;
  /** S */
  readonly statistics: number;
  /** K */
  readonly classes: number;
  readonly seed: number;
}

type Symbolic = tf.SymbolicTensor;
type Convolution = readonly [filters: number, kernel: number, stride: number];

/** Makes layers with names that export keeps and initial weights that differ from layer to layer. */
class Layers {
  #seed: number;

  constructor(seed: number) {
    // Far apart, so that two runs with neighbouring seeds share no layer's weights.
    this.#seed = seed * 1000;
  }

  #initializer() {
    this.#seed++;
    return tf.initializers.heNormal({ seed: this.#seed });
  }

  /** [B, W, Ci] -> [B, ceil(W / stride), Co] */
  convolve(
    name: string,
    [filters, kernel, stride]: Convolution,
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
    return layer.apply(input) as Symbolic;
  }

  /** [B, W, C] -> [B, floor(W / pool), C] */
  pool(name: string, input: Symbolic): Symbolic {
    const size = ROUTER_CNN.pool;
    const layer = tf.layers.maxPooling1d({ name, poolSize: size, strides: size });
    return layer.apply(input) as Symbolic;
  }

  /** [B, I] -> [B, O] */
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
    return layer.apply(input) as Symbolic;
  }

  drop(name: string, rate: number, input: Symbolic): Symbolic {
    this.#seed++;
    // Room for a mask at every step between one dropout's seeds and the next one's.
    const seed = this.#seed * 1_000_000;
    return new SeededDropout({ name, rate, seed }).apply(input) as Symbolic;
  }
}

/** Builds the network; predict with [handshake, series, statistics] in this order. */
export function routerCnn(options: RouterCnnOptions): tf.LayersModel {
  const layers = new Layers(options.seed);
  const handshake = tf.input({
    name: TENSORS.handshakeBytes,
    shape: [HANDSHAKE_MESSAGES, HANDSHAKE_BYTES],
  });
  const series = tf.input({
    name: TENSORS.series,
    shape: [options.seriesSteps, SERIES_CHANNELS],
  });
  const statistics = tf.input({
    name: TENSORS.statistics,
    shape: [options.statistics],
  });
  const joined = tf.layers
    .concatenate({ name: 'joined', axis: 1 })
    .apply([
      handshakeBranch(layers, handshake),
      seriesBranch(layers, series),
      statisticsBranch(layers, statistics),
    ]) as Symbolic;
  const outputs = head(layers, joined, options.classes);
  return tf.model({
    name: 'router-cnn',
    inputs: [handshake, series, statistics],
    outputs,
  });
}

/** [B, M, N] values 0..255 -> [B, 96] */
function handshakeBranch(layers: Layers, input: Symbolic): Symbolic {
  const { first, second, dense } = ROUTER_CNN.handshake;
  const scaled = tf.layers
    .rescaling({ name: 'handshake_scaled', scale: 1 / 255 })
    .apply(input) as Symbolic;
  let x = tf.layers
    .permute({ name: 'handshake_columns', dims: [2, 1] })
    .apply(scaled) as Symbolic;
  x = stack(layers, 'handshake', [first, second], x);
  x = layers.dense('handshake_dense', dense, x);
  return layers.drop('handshake_drop', HYPER_PARAMETERS.dropoutBranch, x);
}

/** [B, T, C] -> [B, 128] */
function seriesBranch(layers: Layers, input: Symbolic): Symbolic {
  const { first, second, dense } = ROUTER_CNN.series;
  const x = stack(layers, 'series', [first, second], input);
  const y = layers.dense('series_dense', dense, x);
  return layers.drop('series_drop', HYPER_PARAMETERS.dropoutBranch, y);
}

/** [B, S] -> [B, 96] */
function statisticsBranch(layers: Layers, input: Symbolic): Symbolic {
  let x = input;
  for (const [i, units] of ROUTER_CNN.statistics.entries()) {
    x = layers.dense(`statistics_dense${i + 1}`, units, x);
  }
  return layers.drop('statistics_drop', HYPER_PARAMETERS.dropoutBranch, x);
}

/** [B, J] -> probabilities [B, K] */
function head(layers: Layers, input: Symbolic, classes: number): Symbolic {
  let x = input;
  for (const [i, units] of ROUTER_CNN.head.entries()) {
    x = layers.dense(`head_dense${i + 1}`, units, x);
    x = layers.drop(`head_drop${i + 1}`, HYPER_PARAMETERS.dropoutHead, x);
  }
  return layers.dense(TENSORS.probabilities, classes, x, 'softmax');
}

/** Groups of convolutions with a pooling behind each: [B, W, C] -> [B, W'·C'], position by position. */
function stack(
  layers: Layers,
  branch: string,
  groups: readonly (readonly Convolution[])[],
  input: Symbolic,
): Symbolic {
  let x = input;
  let number = 0;
  for (const [g, group] of groups.entries()) {
    for (const convolution of group) {
      number++;
      x = layers.convolve(`${branch}_conv${number}`, convolution, x);
    }
    x = layers.pool(`${branch}_pool${g + 1}`, x);
  }
  return tf.layers.flatten({ name: `${branch}_flat` }).apply(x) as Symbolic;
}
