// How a packet's size enters a network: as a number, as a row that is learnt for each exact signed size, as a mixture of two
// bins. The corpus says why: with sizes embedded the same CNN is 8 points better, and jitter in training keeps most of that
// a month later. Axes: B flows, T steps, C channels in (inter-arrival time, signed size, direction), R rows of a table.
//
// In ONNX: Clip, Add, Cast and Gather for a table (the shared rows folded into it), Floor and two Gathers for soft bins.

import { tf } from '../backend.ts';
import { perStep } from '../graph/per-step.ts';
import { seededRandom } from '../random.ts';
import { lookUp } from './look-up.ts';
import { rowsOfSizes } from './size-rows.ts';

export interface PacketChannelsOptions {
  readonly name: string;
  readonly entries: readonly ('scaled' | 'embedded' | 'soft-bins')[];
  /** See sizes of networks/options.ts for the others. */
  readonly limit: number;
  readonly width: number;
  readonly binBytes: number;
  readonly binWidth: number;
  readonly sharedBytes: number;
  readonly ownRows?: readonly number[] | undefined;
  readonly jitterShare: number;
  readonly jitterBytes: number;
  readonly embeddingDropout: number;
  readonly seed: number;
}

/** The paper's scale (paper 3.3, [A]). */
export const BYTES_A_UNIT = 128;

/**
 * [B, T, C], sizes as `signed-bytes` -> [B, T, C']: inter-arrival time, direction, then the entries that were chosen, in
 * the order scaled, embedded, soft-bins. Steps of padding (direction 0) are zeros throughout.
 */
export class PacketChannels extends tf.layers.Layer {
  static readonly className = 'PacketChannels';
  override supportsMasking = true;
  readonly #options: PacketChannelsOptions;
  /** Row of each size from -limit to limit. */
  readonly #rows: Int32Array;
  #sizeTable: ReturnType<tf.layers.Layer['addWeight']> | undefined;
  #binTable: ReturnType<tf.layers.Layer['addWeight']> | undefined;
  #seed: number;

  constructor(options: PacketChannelsOptions) {
    super({ name: options.name });
    this.#options = options;
    this.#rows = rowsOfSizes(options);
    this.#seed = options.seed;
  }

  override build(shape: tf.Shape | tf.Shape[]): void {
    const { limit, width, binBytes, binWidth, seed } = this.#options;
    const initializer = (own: number) =>
      tf.initializers.randomUniform({ minval: -0.05, maxval: 0.05, seed: own });
    if (this.#has('embedded')) {
      const rows = this.#rows.reduce((a, b) => Math.max(a, b), 0) + 1;
      this.#sizeTable = this.addWeight(
        'sizes',
        [rows, width],
        'float32',
        initializer(seed + 1),
      );
    }
    if (this.#has('soft-bins')) {
      // One more than fits, for the upper neighbour of the largest size.
      const bins = Math.floor((2 * limit) / binBytes) + 2;
      this.#binTable = this.addWeight(
        'bins',
        [bins, binWidth],
        'float32',
        initializer(seed + 2),
      );
    }
    super.build(shape);
  }

  /** As if so many steps of training had been made. */
  skipDraws(steps: number): void {
    this.#seed += steps;
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    const [flows = null, steps = null] = shape as tf.Shape;
    const { width, binWidth } = this.#options;
    const channels =
      2 +
      (this.#has('scaled') ? 1 : 0) +
      (this.#has('embedded') ? width : 0) +
      (this.#has('soft-bins') ? binWidth : 0);
    return [flows, steps, channels];
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    options: { training?: boolean },
  ): tf.Tensor {
    const input = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor3D;
    const training = options.training === true;
    return tf.tidy(() => {
      const [iat, written, direction] = tf.split(input, 3, 2) as [
        tf.Tensor3D,
        tf.Tensor3D,
        tf.Tensor3D,
      ];
      const size = training ? this.#jittered(written, direction) : written;
      const parts: tf.Tensor[] = [iat, direction];
      if (this.#has('scaled')) parts.push(tf.div(tf.abs(size), BYTES_A_UNIT));
      const { limit } = this.#options;
      const place = tf.add(tf.clipByValue(size, -limit, limit), limit) as tf.Tensor3D;
      const present = tf.abs(direction);
      if (this.#sizeTable !== undefined) {
        const rows = tf.gather(
          tf.tensor1d(this.#rows, 'int32'),
          tf.cast(tf.round(tf.reshape(place, [-1])), 'int32'),
        );
        const embedded = lookUp(
          this.#sizeTable.read() as tf.Tensor2D,
          rows as tf.Tensor1D,
        );
        const kept = training ? this.#kept(present) : present;
        parts.push(tf.mul(this.#asSteps(embedded, input), kept));
      }
      if (this.#binTable !== undefined) {
        const mixed = this.#mixed(this.#binTable.read() as tf.Tensor2D, place);
        parts.push(tf.mul(this.#asSteps(mixed, input), present));
      }
      return tf.concat(parts, 2);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { ownRows, entries, ...rest } = this.#options;
    return {
      ...super.getConfig(),
      ...rest,
      entries: [...entries],
      ...(ownRows === undefined ? {} : { ownRows: [...ownRows] }),
    };
  }

  /** One a step. */
  #nextSeed(): number {
    this.#seed++;
    return this.#seed;
  }

  #has(entry: PacketChannelsOptions['entries'][number]): boolean {
    return this.#options.entries.includes(entry);
  }

  /** [B·T, O] -> [B, T, O] */
  #asSteps(rows: tf.Tensor2D, { shape }: tf.Tensor3D): tf.Tensor3D {
    return tf.reshape(rows, [shape[0], shape[1], rows.shape[1]]);
  }

  /** Sizes of some packets moved by some bytes, never beyond 0: a size says its direction. */
  #jittered(size: tf.Tensor3D, direction: tf.Tensor3D): tf.Tensor3D {
    const { jitterShare, jitterBytes } = this.#options;
    if (jitterShare === 0) return size;
    const draw = () => {
      const random = seededRandom(this.#nextSeed());
      return Float32Array.from({ length: size.size }, () =>
        random() < jitterShare
          ? Math.floor(random() * (2 * jitterBytes + 1)) - jitterBytes
          : 0,
      );
    };
    const moved = tf.relu(tf.add(tf.abs(size), perStep(draw, size.shape)));
    return tf.mul(moved, direction);
  }

  /** `present` without some packets, the others larger, so that the sum stays what it was. */
  #kept(present: tf.Tensor): tf.Tensor {
    const rate = this.#options.embeddingDropout;
    if (rate === 0) return present;
    const drawsJitter = this.#options.jitterShare > 0;
    const draw = () => {
      // Another stream than the jitter's, which comes first in a step.
      const seed = drawsJitter ? this.#seed : this.#nextSeed();
      const random = seededRandom(seed ^ 0x5bd1e995);
      return Float32Array.from({ length: present.size }, () =>
        random() < rate ? 0 : 1 / (1 - rate),
      );
    };
    return tf.mul(present, perStep(draw, present.shape));
  }

  /** place [B, T, 1], bytes from -limit on -> [B·T, O]: the bins below and above, each the more the nearer it is. */
  #mixed(table: tf.Tensor2D, place: tf.Tensor3D): tf.Tensor2D {
    const position = tf.div(tf.reshape(place, [-1]), this.#options.binBytes);
    const below = tf.floor(position);
    const share = tf.expandDims(tf.sub(position, below), 1);
    const low = tf.cast(below, 'int32') as tf.Tensor1D;
    const high = tf.add(low, tf.scalar(1, 'int32')) as tf.Tensor1D;
    return tf.add(
      tf.mul(lookUp(table, low), tf.sub(1, share)),
      tf.mul(lookUp(table, high), share),
    );
  }
}
