// How much of a flow is shown: all of it, or its first packets, as a router that decides early sees it.

import type { Random } from '../random.ts';
import type { TrainingRow } from './training-row.ts';

export interface LookChoice {
  /** Numbers of packets after which a flow is looked at early. */
  readonly looks: readonly number[];
  /** Of the looks in training, the share that is at the whole flow; the rest is dealt out evenly among the others. */
  readonly wholeShare: number;
}

/**
 * A look at a flow, drawn: undefined is the whole flow. Looks that the flow does not outlive show all of it, so they are not
 * among those drawn.
 */
export function drawLook(
  { seen }: Pick<TrainingRow, 'seen'>,
  { looks, wholeShare }: LookChoice,
  random: Random,
): number | undefined {
  const early = looks.filter((packets) => packets < seen);
  // Two draws for every flow, whatever comes of them: one flow's length does not move another one's dice.
  const [whole, which] = [random(), random()];
  if (early.length === 0 || whole < wholeShare) return undefined;
  return early[Math.floor(which * early.length)];
}
