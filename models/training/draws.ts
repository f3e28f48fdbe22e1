// Layers that draw at every step of training (dropout, jitter) count their draws. Training that goes on after a crash has to
// count on where it stopped, or its curve would be another one.

import type { tf } from '../backend.ts';

/** A layer that draws once a step. */
interface Drawing {
  /** As if `steps` steps had been made since it was built. */
  skipDraws(steps: number): void;
}

function draws(layer: object): layer is Drawing {
  return 'skipDraws' in layer && typeof layer.skipDraws === 'function';
}

/** For a model that was just built. */
export function skipDraws(model: tf.LayersModel, steps: number): void {
  for (const layer of model.layers) if (draws(layer)) layer.skipDraws(steps);
}
