// Some epochs of training on samples in memory, for tests that want a network that has learnt something.

import { Adam } from '../../models/adam.ts';
import type { tf } from '../../models/backend.ts';
import { seededRandom, shuffledIndices } from '../../models/random.ts';
import { pick, type Samples } from '../../models/samples.ts';
import { trainStep } from '../../models/training-step.ts';

const EPOCHS = 12;
const BATCH_FLOWS = 64;
const LEARNING_RATE = 0.001;

/** Trains `model` in place, each time the same way. */
export function trainOnSamples(
  model: tf.LayersModel,
  samples: Samples,
  classes: readonly string[],
): void {
  const adam = new Adam(LEARNING_RATE);
  const random = seededRandom(1);
  const options = { classes, classWeights: classes.map(() => 1), labelSmoothing: 0.05 };
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const order = shuffledIndices(samples.count, random);
    for (let at = 0; at < order.length; at += BATCH_FLOWS) {
      const batch = pick(samples, order.subarray(at, at + BATCH_FLOWS));
      trainStep(model, adam, batch, options);
    }
  }
  adam.dispose();
}
