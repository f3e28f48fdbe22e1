// What the training part of the bench trains: networks of the paper with narrow layers, so that a step takes a fraction of a
// second on two cores and the whole comparison some minutes.

import type { tf } from '../models/backend.ts';
import { networkNamed } from '../models/networks/networks.ts';

export const BENCH_CLASSES = 8;
export const BENCH_STATISTICS = 95;
export const BENCH_FLOWS = 64;

const handshake = {
  groups: [
    [
      [16, 3, 1],
      [16, 3, 1],
    ],
    [
      [32, 3, 1],
      [32, 3, 1],
    ],
  ],
};

const WIDTHS: Readonly<Record<string, unknown>> = {
  'tripartite-lstm': { handshake, series: { dense: 0, units: [64, 64] } },
  'tripartite-cnn': {
    handshake,
    series: {
      groups: [
        [
          [64, 3, 1],
          [64, 3, 1],
        ],
        [
          [128, 3, 1],
          [128, 3, 1],
        ],
      ],
    },
  },
};

export interface Row {
  readonly network: string;
  /** T */
  readonly steps: number;
  /** What our step may take of Keras'. */
  readonly limit: number;
}

export const ROWS: readonly Row[] = [
  { network: 'tripartite-cnn', steps: 128, limit: 1.2 },
  { network: 'tripartite-cnn', steps: 256, limit: 1.2 },
  { network: 'tripartite-lstm', steps: 128, limit: 1 },
  { network: 'tripartite-lstm', steps: 256, limit: 1 },
];

export function benchNetwork({
  network,
  steps,
}: Pick<Row, 'network' | 'steps'>): tf.LayersModel {
  const shape = {
    seriesSteps: steps,
    statistics: BENCH_STATISTICS,
    classes: BENCH_CLASSES,
    seed: 1,
  };
  return networkNamed(network).build(shape, WIDTHS[network]);
}
