// The parts that networks are put together from (paper 3.2).
// Axes: B flows, M handshake messages, N bytes of a message, T steps, C channels, S statistics, K classes.

import {
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_CHANNELS,
} from '../../src/features/shapes.ts';
import { tf } from '../backend.ts';
import { PacketChannels } from '../layers/packet-channels.ts';
import type { LayerMaker, Symbolic } from './layer-maker.ts';
import { type NetworkShape, TENSORS } from './network.ts';
import type { Convolutions, Dropout, Recurrent, Sizes } from './options.ts';

/** [B, M, N] values 0..255 */
export function handshakeInput(): Symbolic {
  const shape = [HANDSHAKE_MESSAGES, HANDSHAKE_BYTES];
  return tf.input({ name: TENSORS.handshakeBytes, shape });
}

/** [B, T, C] */
export function seriesInput({ seriesSteps }: NetworkShape): Symbolic {
  return tf.input({ name: TENSORS.series, shape: [seriesSteps, SERIES_CHANNELS] });
}

/** [B, S] */
export function statisticsInput({ statistics }: NetworkShape): Symbolic {
  return tf.input({ name: TENSORS.statistics, shape: [statistics] });
}

/** [B, M, N] values 0..255 -> [B, N, M] values 0..1: a filter sees the same stretch of all messages. */
function bytesInColumns(input: Symbolic): Symbolic {
  const scaled = tf.layers
    .rescaling({ name: 'handshake_scaled', scale: 1 / 255 })
    .apply(input);
  return tf.layers
    .permute({ name: 'handshake_columns', dims: [2, 1] })
    .apply(scaled) as Symbolic;
}

/** [B, M, N] values 0..255 -> [B, O] */
export function handshakeBranch(
  make: LayerMaker,
  options: { readonly handshake: Convolutions; readonly dropout: Dropout },
  input: Symbolic,
): Symbolic {
  const x = make.convolutions('handshake', options.handshake, bytesInColumns(input));
  return make.drop('handshake_drop', options.dropout.branch, x);
}

/** How the series branch reads steps. */
export type SeriesBranch =
  | { readonly kind: 'cnn'; readonly layers: Convolutions }
  | { readonly kind: 'lstm'; readonly layers: Recurrent };

/** [B, T, C] -> [B, O] */
export function seriesBranch(
  make: LayerMaker,
  branch: SeriesBranch,
  options: { readonly sizes: Sizes; readonly dropout: Dropout },
  input: Symbolic,
): Symbolic {
  // Zeros in all channels are padding: a packet's direction is never 0. Convolutions read them as they are.
  const lstm = branch.kind === 'lstm';
  const steps = lstm
    ? (tf.layers.masking({ name: 'series_mask', maskValue: 0 }).apply(input) as Symbolic)
    : input;
  const x = packetChannels(make, options.sizes, steps);
  const y = lstm
    ? make.lstms('series', branch.layers, x)
    : make.convolutions('series', branch.layers, x);
  return make.drop('series_drop', options.dropout.branch, y);
}

/** [B, T, 3] -> [B, T, C']; nothing to do where a size enters as the number that features wrote. */
function packetChannels(make: LayerMaker, options: Sizes, input: Symbolic): Symbolic {
  if (options.entries.every((entry) => entry === 'scaled') && options.jitterShare === 0) {
    return input;
  }
  const layer = new PacketChannels({
    name: 'series_channels',
    ...options,
    seed: make.nextSeed(),
  });
  return layer.apply(input) as Symbolic;
}

/** [B, S] -> [B, O] */
export function statisticsBranch(
  make: LayerMaker,
  options: { readonly statistics: readonly number[]; readonly dropout: Dropout },
  input: Symbolic,
): Symbolic {
  let x = input;
  for (const [i, units] of options.statistics.entries()) {
    x = make.dense(`statistics_dense${i + 1}`, units, x);
  }
  return make.drop('statistics_drop', options.dropout.branch, x);
}

/** [B, J] -> probabilities [B, K] */
export function head(
  make: LayerMaker,
  options: { readonly head: readonly number[]; readonly dropout: Dropout },
  { classes }: NetworkShape,
  input: Symbolic,
): Symbolic {
  let x = input;
  for (const [i, units] of options.head.entries()) {
    x = make.dense(`head_dense${i + 1}`, units, x);
    x = make.drop(`head_drop${i + 1}`, options.dropout.head, x);
  }
  return make.dense(TENSORS.probabilities, classes, x, 'softmax');
}
