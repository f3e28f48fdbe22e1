// C4.5 as a kind of model that `sluice train` trains beside the networks: a tree on the statistics of a flow (paper 4).

import { z } from 'zod';
import type { StatisticsNormaliser } from '../../src/features/normalise.ts';
import { ROUTER_SERIES_STEPS } from '../../src/features/shapes.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { type ModelKind, modelKind, TENSORS } from '../networks/network.ts';

/** Of the tree. Defaults are Quinlan's. */
export const treeOptionsSchema = z.strictObject({
  minimumLeaf: z
    .int()
    .min(1)
    .default(2)
    .describe('rows that at least two branches of a node must have'),
  confidence: z
    .number()
    .gt(0)
    .max(1)
    .default(0.25)
    .describe('of the pessimistic error; the smaller, the more is pruned; 1: nothing'),
});

export const C45: ModelKind = modelKind('c45', {
  summary: 'a decision tree on the statistics, the paper’s baseline (4)',
  row: 'flow',
  // Its statistics are of so many packets at most.
  seriesSteps: ROUTER_SERIES_STEPS,
  options: treeOptionsSchema,
  inputs: () => [TENSORS.statistics],
  sizes: () => 'per-128',
});

/** A tree asks whether a number is beyond another: it reads statistics as they are, and its thresholds have their units. */
export const RAW_STATISTICS: StatisticsNormaliser = {
  kind: 'z-score',
  mean: STATISTICS.map(() => 0),
  deviation: STATISTICS.map(() => 1),
  clip: 1e30,
};
