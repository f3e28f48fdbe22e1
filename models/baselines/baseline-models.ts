// Simple models on the first packets of a flow: each is trained anew for each number of packets.

import type { FeatureSpec } from '../../src/features/features.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import type { LabelledRow } from '../data/flow-source.ts';
import { boostedTrees } from './boosted-trees.ts';
import { c45Probabilities, growC45 } from './c45.ts';
import { extraTrees } from './extra-trees.ts';
import {
  beside,
  type Matrix,
  matrixOf,
  sizesAndGaps,
  statisticsAt,
} from './flow-columns.ts';
import { majority } from './look-up.ts';
import { nearestNeighbours } from './nearest.ts';
import { tableOfMatrix } from './table.ts';

export interface Flows {
  readonly train: readonly LabelledRow[];
  readonly test: readonly LabelledRow[];
  readonly classes: readonly string[];
}

interface Asked {
  readonly flows: Flows;
  readonly labels: Int32Array;
  readonly packets: number;
  readonly spec: FeatureSpec;
  readonly seed: number;
}

export interface BaselineModel {
  readonly name: string;
  /** Whether seeds change more than the split. */
  readonly peer: boolean;
  /** [B, K] for the test flows. */
  readonly run: (asked: Asked) => Float32Array;
}

/** Trees of a forest; more move nothing but time. */
const TREES = 200;

const both = (asked: Asked, of: (rows: readonly LabelledRow[]) => Matrix) => ({
  train: of(asked.flows.train),
  test: of(asked.flows.test),
});

function series({ packets, spec }: Asked, padding: number) {
  return (rows: readonly LabelledRow[]) =>
    matrixOf(rows, 2 * packets, sizesAndGaps(packets, spec.counted, padding));
}

function statistics({ packets, spec }: Asked) {
  return (rows: readonly LabelledRow[]) =>
    matrixOf(rows, STATISTICS.length, statisticsAt(packets, spec));
}

function grown(asked: Asked, { train, test }: { train: Matrix; test: Matrix }) {
  const { classes } = asked.flows;
  const table = tableOfMatrix(train.values, asked.labels, classes.length);
  return extraTrees(table, test.values, { seed: asked.seed, trees: TREES });
}

export const BASELINE_MODELS: readonly BaselineModel[] = [
  {
    name: 'majority class',
    peer: false,
    run: ({ flows, labels }) => majority(labels, flows.test.length, flows.classes.length),
  },
  {
    name: '1-NN, signed sizes',
    peer: false,
    run: (asked) => {
      const { packets, flows, labels, spec } = asked;
      const sizes = (rows: readonly LabelledRow[]) =>
        matrixOf(rows, packets, sizesAndGaps(packets, spec.counted, 0));
      const { train, test } = both(asked, sizes);
      const { length: classes } = flows.classes;
      const known = { values: train.values, labels, columns: packets, classes };
      return nearestNeighbours(known, test.values);
    },
  },
  {
    name: 'C4.5, statistics',
    peer: false,
    run: (asked) => {
      const { train, test } = both(asked, statistics(asked));
      const { length: classes } = asked.flows.classes;
      const table = tableOfMatrix(train.values, asked.labels, classes);
      const tree = growC45(table, { confidence: 0.25 });
      return c45Probabilities(tree, test.values, test.columns);
    },
  },
  {
    name: 'extra trees, sizes and gaps',
    peer: false,
    run: (asked) => grown(asked, both(asked, series(asked, 0))),
  },
  {
    name: 'extra trees, sizes, gaps and statistics',
    peer: false,
    run: (asked) => grown(asked, both(asked, joined(asked))),
  },
  {
    name: 'LightGBM (peer), sizes, gaps and statistics',
    peer: true,
    run: (asked) => {
      const { train, test } = both(asked, joined(asked));
      return boostedTrees({
        train,
        test,
        labels: asked.labels,
        classes: asked.flows.classes.length,
        seed: asked.seed,
      });
    },
  },
];

function joined(asked: Asked) {
  const [first, second] = [series(asked, Number.NaN), statistics(asked)];
  return (rows: readonly LabelledRow[]) => beside(first(rows), second(rows));
}
