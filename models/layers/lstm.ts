// LSTM layers that train as fast as Keras': tfjs' own layers, their names, weights and configuration untouched, so that a
// saved model loads without any code of ours; only what they compute with is replaced: fused kernels natively, a fused
// gradient elsewhere. Axes: B flows, T steps, I inputs, U units.
//
// A mask (of a Masking layer in front) says where a flow ends: it is true for the first steps of a row and false behind.
// The forward way never sees padding, as what counts is in front of it; the backward way starts at a flow's last step. Steps
// of the output that are padding hold no meaning; tfjs' own layers repeat the last step there.

import { tf } from '../backend.ts';
import { isNative } from '../native-backend.ts';
import { type Lengths, lengthsOf } from './lstm-lengths.ts';
import { nativeLstm } from './lstm-native.ts';
import { plainLstm } from './lstm-plain.ts';
import { drawWeights } from './lstm-weights.ts';

export interface LstmOptions {
  readonly name: string;
  /** U, of each direction. */
  readonly units: number;
  /** All steps [B, T, U], or a flow's last one [B, U]. */
  readonly returnSequences: boolean;
  /** Decides the initial weights. */
  readonly seed: number;
}

type StockLstm = ReturnType<typeof tf.layers.lstm>;
type StockBothWays = ReturnType<typeof tf.layers.bidirectional>;

/** What a call may be told by the layers around it. */
interface CallOptions {
  readonly mask?: tf.Tensor | readonly tf.Tensor[] | null;
  readonly initialState?: unknown;
}

/** [B, T, I] -> [B, T, U] or [B, U] */
export function lstm(options: LstmOptions): StockLstm {
  const layer = tf.layers.lstm(stockOptions(options));
  drawWhenBuilt(layer, [layer], [options.seed]);
  layer.call = (inputs, kwargs) =>
    tf.tidy(() => {
      const input = new TimeMajor(inputs, kwargs);
      return input.end(input.forward(layer), options.returnSequences);
    });
  return layer;
}

/** One LSTM from the front and one from the back, side by side: [B, T, I] -> [B, T, 2U] or [B, 2U] */
export function bothWays(options: LstmOptions): StockBothWays {
  const layer = tf.layers.bidirectional({
    name: options.name,
    layer: tf.layers.lstm(
      stockOptions({ ...options, name: `${options.name}_each` }),
    ) as tf.RNN,
    mergeMode: 'concat',
  });
  const { forwardLayer, backwardLayer } = layer as unknown as {
    readonly forwardLayer: StockLstm;
    readonly backwardLayer: StockLstm;
  };
  drawWhenBuilt(
    layer,
    [forwardLayer, backwardLayer],
    [options.seed * 2, options.seed * 2 + 1],
  );
  const { returnSequences } = options;
  layer.call = (inputs, kwargs) =>
    tf.tidy(() => {
      const input = new TimeMajor(inputs, kwargs);
      const front = input.forward(forwardLayer);
      const back = input.backward(backwardLayer);
      if (returnSequences) {
        return input.end(tf.concat3d([front, input.reversed(back)], 2), true);
      }
      return tf.concat2d(
        [input.end(front, false), input.end(back, false)] as tf.Tensor2D[],
        1,
      );
    });
  return layer;
}

function stockOptions({ name, units, returnSequences, seed }: LstmOptions) {
  return {
    name,
    units,
    returnSequences,
    activation: 'tanh',
    // tfjs' default is a piecewise linear one, Keras' and the kernels' is not.
    recurrentActivation: 'sigmoid',
    unitForgetBias: true,
    kernelInitializer: tf.initializers.glorotUniform({ seed }),
    recurrentInitializer: tf.initializers.orthogonal({ seed }),
  } as const;
}

/** Has our initial weights drawn in place of tfjs', into the same variables. */
function drawWhenBuilt(
  layer: tf.layers.Layer,
  lstms: readonly StockLstm[],
  seeds: readonly number[],
): void {
  const build = layer.build.bind(layer);
  layer.build = (shape) => {
    for (const each of lstms) each.setFastWeightInitDuringBuild(true);
    build(shape);
    tf.tidy(() => {
      for (const [i, each] of lstms.entries()) {
        const shapes = each.getWeights().map((weight) => weight.shape);
        const [inputs = 0, gates = 0] = shapes[0] ?? [];
        const values = drawWeights(inputs, gates / 4, seeds[i] ?? 0);
        each.setWeights(values.map((data, w) => tf.tensor(data, shapes[w])));
      }
    });
  };
}

/** One layer's input with the time axis in front. */
class TimeMajor {
  /** [T', B, I]; elsewhere than natively cut behind the longest flow. */
  readonly #x: tf.Tensor3D;
  /** T: steps of the input as it came. */
  readonly #steps: number;
  /** undefined where every flow has all steps. */
  readonly #lengths: Lengths | undefined;

  constructor(inputs: tf.Tensor | tf.Tensor[], options: CallOptions) {
    const input = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor3D;
    if (options.initialState != null)
      throw new Error('an initial state is not supported');
    const mask = Array.isArray(options.mask) ? options.mask[0] : options.mask;
    const [flows, steps, width] = input.shape;
    this.#steps = steps;
    this.#lengths = mask == null ? undefined : lengthsOf(mask, steps);
    const longest = this.#lengths?.longest ?? steps;
    const kept =
      longest < steps ? tf.slice(input, [0, 0, 0], [flows, longest, width]) : input;
    this.#x = tf.transpose(kept, [1, 0, 2]);
  }

  /** -> [T', B, U] */
  forward(layer: StockLstm): tf.Tensor3D {
    return run(layer, this.#x);
  }

  /** -> [T', B, U], a flow's last step first */
  backward(layer: StockLstm): tf.Tensor3D {
    return run(layer, this.reversed(this.#x));
  }

  /** Each flow's own steps turned round, its padding left behind them. [T', B, C] -> [T', B, C] */
  reversed(x: tf.Tensor3D): tf.Tensor3D {
    return this.#lengths?.reversed(x) ?? tf.reverse(x, 0);
  }

  /** States [T', B, U] as the layer gives them: all [B, T, U], or each flow's last [B, U]. */
  end(states: tf.Tensor3D, sequences: boolean): tf.Tensor {
    const [steps, flows, units] = states.shape;
    if (!sequences) return this.#last(states);
    const rows = tf.transpose(states, [1, 0, 2]);
    const missing = this.#steps - steps;
    if (missing === 0) return rows;
    return tf.concat([rows, tf.zeros([flows, missing, units])], 1);
  }

  #last(states: tf.Tensor3D): tf.Tensor2D {
    const [steps, flows, units] = states.shape;
    if (this.#lengths !== undefined) return this.#lengths.last(states);
    return tf.reshape(tf.slice(states, [steps - 1, 0, 0], [1, flows, units]), [
      flows,
      units,
    ]);
  }
}

function run(layer: StockLstm, x: tf.Tensor3D): tf.Tensor3D {
  const { kernel, recurrentKernel, bias } = layer.cell as unknown as {
    readonly [name in 'kernel' | 'recurrentKernel' | 'bias']: { read(): tf.Tensor };
  };
  const weights = tf.concat2d(
    [kernel.read() as tf.Tensor2D, recurrentKernel.read() as tf.Tensor2D],
    0,
  );
  const sequence = isNative() ? nativeLstm : plainLstm;
  return sequence(x, weights, bias.read() as tf.Tensor1D);
}
