// What the paper compares with (4): the UC Davis CNN, a deep CNN over the first bytes of a flow's first six packets, and the
// same CNN over the flows of a session with an LSTM behind it.
// Axes: B flows or sessions, F flows of a session, M handshake messages, N bytes of a message, K classes.
//
//   handshake [B,M,N] ─ first packets [B,256,6] ─ conv conv pool conv conv pool ─ (dense) ─ dense dense ─ softmax [B,K]
//
//   handshake [B,F,M,N] ─ each flow: first packets, convolutions, dense ─ [B,F,O] ─ lstm ─ dense dense ─ softmax [B,K]
//
// Departs from paper: a data set keeps of a flow's bytes only its handshake messages, occluded, so these stand for packets:
// a message is laid out as packets of 256 bytes, the first two of each of the three messages are the six. What the paper's
// baseline reads besides (headers of IP and TCP, payload behind the handshake) is not there; both were shortcuts or noise.

import { z } from 'zod';
import type { SizeNormaliser } from '../../src/features/normalise.ts';
import { HANDSHAKE_BYTES, HANDSHAKE_MESSAGES } from '../../src/features/shapes.ts';
import { tf } from '../backend.ts';
import { FirstPackets } from '../layers/first-packets.ts';
import { FlowsApart, FlowsTogether } from '../layers/session-flows.ts';
import { handshakeInput, head } from './branches.ts';
import { LayerMaker, type Symbolic } from './layer-maker.ts';
import {
  type NetworkDefinition,
  type NetworkShape,
  SESSION_FLOWS,
  TENSORS,
} from './network.ts';
import {
  convolutions,
  dropout,
  PAPER_CONVOLUTIONS,
  PAPER_DROPOUT,
  PAPER_HEAD,
  recurrent,
  widths,
} from './options.ts';

const common = {
  packetBytes: z.number().int().min(16).max(HANDSHAKE_BYTES).default(256),
  /** A multiple of the number of messages. */
  packets: z
    .number()
    .int()
    .multipleOf(HANDSHAKE_MESSAGES)
    .min(HANDSHAKE_MESSAGES)
    .default(6),
  handshake: convolutions(PAPER_CONVOLUTIONS),
  head: widths.default(PAPER_HEAD),
  dropout: dropout(PAPER_DROPOUT),
};

const flowOptions = z.strictObject(common);
const sessionOptions = z.strictObject({
  ...common,
  /** What a flow is for the LSTM. Departs from paper: its width is not said [?]. */
  handshake: convolutions({ ...PAPER_CONVOLUTIONS, dense: 256 }),
  session: recurrent({ dense: 0, units: [128], bidirectional: false }),
});

type FlowOptions = z.infer<typeof flowOptions>;

const shared = {
  // A series is nothing that they read.
  seriesSteps: 1,
  inputs: () => [TENSORS.handshakeBytes],
  sizes: (): SizeNormaliser => 'per-128',
} as const;

export const ucdavisCnn: NetworkDefinition<typeof flowOptions> = {
  ...shared,
  summary: 'CNN over 256 bytes of six packets (paper 4, baseline)',
  row: 'flow',
  options: flowOptions,
  build: (shape, options) => {
    const make = new LayerMaker(shape.seed);
    const input = handshakeInput();
    const bytes = bytesBranch(make, options, input);
    return tf.model({
      name: 'ucdavis-cnn',
      inputs: input,
      outputs: head(make, options, shape, bytes),
    });
  },
};

export const ucdavisCnnLstm: NetworkDefinition<typeof sessionOptions> = {
  ...shared,
  summary:
    'the UC Davis CNN over each flow of a session, then an LSTM (paper 4, baseline)',
  row: 'session',
  options: sessionOptions,
  build: (shape, options) => buildSession(shape, options),
};

/** [B, M, N] values 0..255 -> [B, O] */
function bytesBranch(make: LayerMaker, options: FlowOptions, input: Symbolic): Symbolic {
  const scaled = tf.layers
    .rescaling({ name: 'handshake_scaled', scale: 1 / 255 })
    .apply(input) as Symbolic;
  const { packets, packetBytes } = options;
  const layer = new FirstPackets({ name: 'handshake_packets', packets, packetBytes });
  const x = make.convolutions(
    'handshake',
    options.handshake,
    layer.apply(scaled) as Symbolic,
  );
  return make.drop('handshake_drop', options.dropout.branch, x);
}

function buildSession(
  shape: NetworkShape,
  options: z.infer<typeof sessionOptions>,
): tf.LayersModel {
  const make = new LayerMaker(shape.seed);
  const flows = shape.sessionFlows ?? SESSION_FLOWS;
  const input = tf.input({
    name: TENSORS.handshakeBytes,
    shape: [flows, HANDSHAKE_MESSAGES, HANDSHAKE_BYTES],
  });
  const apart = new FlowsApart({ name: 'flows_apart' }).apply(input) as Symbolic;
  const each = bytesBranch(make, options, apart);
  const together = new FlowsTogether({ name: 'flows_together' }).apply([
    each,
    input,
  ]) as Symbolic;
  const whole = make.lstms('session', options.session, together);
  return tf.model({
    name: 'ucdavis-cnn-lstm',
    inputs: input,
    outputs: head(make, options, shape, whole),
  });
}
