// Adam whose state can be kept: training goes on where it stopped.

import { tf } from '../backend.ts';
import { ScheduledAdam } from '../training-step.ts';

export class KeptAdam extends ScheduledAdam {
  /** Number of steps and both moments of every weight, as plain numbers. */
  async state(): Promise<AdamState> {
    const [iterations, ...moments] = await this.getWeights();
    const state = {
      steps: iterations?.tensor.dataSync()[0] ?? 0,
      moments: moments.map(({ name, tensor }) => ({
        name,
        shape: tensor.shape,
        values: Float32Array.from(tensor.dataSync()),
      })),
    };
    // The moments are the optimizer's own; the number was made for us.
    iterations?.tensor.dispose();
    return state;
  }

  async restore({ steps, moments }: AdamState): Promise<void> {
    const tensors = [
      { name: 'iter', tensor: tf.scalar(steps, 'int32') },
      ...moments.map(({ name, shape, values }) => ({
        name,
        tensor: tf.tensor(values, [...shape]),
      })),
    ];
    await this.setWeights(tensors);
    // The optimizer has made variables of its own of them.
    for (const { tensor } of tensors) tensor.dispose();
  }
}

export interface AdamState {
  readonly steps: number;
  readonly moments: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly values: Float32Array;
  }[];
}
