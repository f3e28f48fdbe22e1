// Handshake messages laid out as packets of fixed size (paper 4, UC Davis CNN). Axes: B flows, M messages, N bytes of one.

import { tf } from '../backend.ts';

interface FirstPacketsOptions {
  readonly name: string;
  /** A multiple of M: of each message as many. */
  readonly packets: number;
  readonly packetBytes: number;
}

/** [B, M, N] -> [B, packetBytes, packets]: position by position, the packets side by side; zeros behind a message's end. */
export class FirstPackets extends tf.layers.Layer {
  static readonly className = 'FirstPackets';
  readonly #packets: number;
  readonly #packetBytes: number;

  constructor(options: FirstPacketsOptions) {
    super({ name: options.name });
    this.#packets = options.packets;
    this.#packetBytes = options.packetBytes;
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    return [(shape as tf.Shape)[0] ?? null, this.#packetBytes, this.#packets];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const input = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor3D;
    const [flows, messages, bytes] = input.shape;
    const taken = (this.#packets / messages) * this.#packetBytes;
    return tf.tidy(() => {
      const cut = tf.slice(input, 0, [flows, messages, Math.min(taken, bytes)]);
      const missing = Math.max(taken - bytes, 0);
      const rows = tf.pad(cut, [
        [0, 0],
        [0, 0],
        [0, missing],
      ]);
      const packets = tf.reshape(rows, [flows, this.#packets, this.#packetBytes]);
      return tf.transpose(packets, [0, 2, 1]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      packets: this.#packets,
      packetBytes: this.#packetBytes,
    };
  }
}
