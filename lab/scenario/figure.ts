// A figure of a scenario: a distribution, and where it comes from.

import { z } from 'zod';
import type { Draw } from '../draw.ts';

const number = z.number().finite().nonnegative();
const pair = z.tuple([number, number]);

const distribution = {
  /** Always this. */
  fixed: number.optional(),
  /** Evenly between the two. */
  uniform: pair.optional(),
  /** Evenly between the two, whole numbers, both included. */
  whole: pair.optional(),
  /** Median, and the standard deviation of the logarithm. */
  logNormal: pair.optional(),
  /** Mean of an exponential distribution: what comes at random. */
  exponential: number.positive().optional(),
  /** One of these, each as likely. */
  oneOf: z.array(number).min(1).optional(),
};
const KINDS = ['fixed', 'uniform', 'whole', 'logNormal', 'exponential', 'oneOf'] as const;

export const FIGURE = z
  .strictObject({
    ...distribution,
    /** Nothing outside is drawn: it is put to the nearer end. */
    within: pair.optional(),
    /** Drawn once for the whole activity: a habit, not a moment. */
    once: z.literal(true).optional(),
    /** Where the figure comes from, for people to look up. */
    source: z.string().min(8).optional(),
    /** Nothing stands behind it but what looked plausible. */
    assumption: z.literal(true).optional(),
  })
  .refine((figure) => KINDS.filter((kind) => figure[kind] !== undefined).length === 1, {
    message: `expected exactly one of ${KINDS.join(', ')}`,
  })
  .refine(
    (figure) => (figure.source === undefined) !== (figure.assumption === undefined),
    {
      message: 'expected either source: TEXT or assumption: true',
    },
  );
export type Figure = z.infer<typeof FIGURE>;
/** What is needed to draw. */
export type Distribution = Omit<Figure, 'source' | 'assumption' | 'once'>;

/** One draw, held within the figure's ends. */
export function drawFigure(figure: Distribution, draw: Draw): number {
  const [least, most] = figure.within ?? [0, Number.MAX_SAFE_INTEGER];
  return Math.min(most, Math.max(least, drawFreely(figure, draw)));
}

function drawFreely(figure: Distribution, draw: Draw): number {
  if (figure.uniform !== undefined) return draw.uniform(...figure.uniform);
  if (figure.whole !== undefined) return draw.whole(...figure.whole);
  if (figure.logNormal !== undefined) return draw.logNormal(...figure.logNormal);
  if (figure.exponential !== undefined)
    return -figure.exponential * Math.log(1 - draw.uniform(0, 1));
  if (figure.oneOf !== undefined) return draw.pick(figure.oneOf);
  return figure.fixed ?? 0;
}
