// Networks that read the series alone, as the experiments on public series train them: how a size enters is the question.

import type { TrainingConfig } from '../training/training-config.ts';
import { trainingConfigSchema } from '../training/training-config.ts';

export interface SeriesNetwork {
  readonly name: string;
  /** Over what the experiment decides. */
  readonly network: Record<string, unknown>;
  readonly training?: Record<string, unknown>;
  /** Five networks, each with another fifth of the flows for validation, answer together: where flows are few, none is left out. */
  readonly folds?: true;
}

const convolutions = {
  groups: [
    [
      [64, 3, 1],
      [64, 3, 1],
    ],
    [[128, 3, 1]],
    [[128, 3, 1]],
  ],
  pool: 2,
  dense: 128,
};
const head = [256];
/** Chosen on validation of fgnet D1: with a head of 128, half of it left out, the same network is 0.7 points behind. */
const dropout = { branch: 0.1, head: 0.2 };

const embedded = {
  entries: ['scaled', 'embedded', 'soft-bins'],
  width: 24,
  jitterShare: 0.4,
  jitterBytes: 16,
  embeddingDropout: 0.1,
};
const sizes = {
  embedded,
  /** Half as many sizes are moved, half as many left out. */
  lightly: { ...embedded, jitterShare: 0.2, embeddingDropout: 0.05 },
  /** Hardly any, for few flows. */
  slightly: { ...embedded, jitterShare: 0.15 },
  scaled: { entries: ['scaled'] },
};
/** For a few hundred flows: they are learnt by heart with less. */
const few = { head: [128], dropout: { branch: 0.1, head: 0.5 } };
/** Most looks are at few packets: of whole flows the network has still much to learn after 24 epochs. */
const longer = { epochs: 80, halveEveryEpochs: 20, patienceEpochs: 80, meanEpochs: 3 };

export const SERIES_NETWORKS: readonly SeriesNetwork[] = [
  {
    name: 'flow-cnn, series, sizes embedded with jitter',
    network: {
      name: 'flow-cnn',
      options: {
        inputs: ['series'],
        series: convolutions,
        head,
        dropout,
        sizes: sizes.embedded,
      },
    },
  },
  {
    name: 'flow-cnn, series, sizes embedded with little jitter, 80 epochs',
    training: longer,
    network: {
      name: 'flow-cnn',
      options: {
        inputs: ['series'],
        series: convolutions,
        head,
        dropout,
        sizes: sizes.lightly,
      },
    },
  },
  {
    name: 'flow-cnn, series and statistics, sizes embedded with jitter',
    network: {
      name: 'flow-cnn',
      options: { series: convolutions, head, dropout, sizes: sizes.embedded },
    },
  },
  {
    name: 'flow-cnn, series and statistics, sizes embedded, more dropout, five folds averaged',
    folds: true,
    network: {
      name: 'flow-cnn',
      options: { series: convolutions, ...few, sizes: sizes.slightly },
    },
  },
  {
    name: 'flow-lstm, series, sizes embedded, more dropout, five folds averaged',
    folds: true,
    network: {
      name: 'flow-lstm',
      options: {
        inputs: ['series'],
        series: { dense: 0, units: [64, 64], bidirectional: true },
        ...few,
        sizes: sizes.slightly,
      },
    },
  },
  {
    name: 'flow-cnn, series, sizes scaled',
    network: {
      name: 'flow-cnn',
      options: {
        inputs: ['series'],
        series: convolutions,
        head,
        dropout,
        sizes: sizes.scaled,
      },
    },
  },
  {
    name: 'flow-lstm, series, sizes embedded with jitter',
    network: {
      name: 'flow-lstm',
      options: {
        inputs: ['series'],
        series: { dense: 0, units: [64, 64], bidirectional: true },
        head,
        dropout,
        sizes: sizes.embedded,
      },
    },
  },
];

/** What an experiment decides about every network that it trains. */
export interface SeriesTask {
  readonly directory: string;
  readonly split: string;
  readonly level: 'service' | 'application';
  readonly packets: TrainingConfig['data']['packets'];
  /** Numbers of packets that are asked about. */
  readonly looks: readonly number[];
  /** T */
  readonly seriesSteps: number;
  /** Changes to training flows. */
  readonly augment: Record<string, unknown>;
  readonly epochs: number;
  readonly batchFlows: number;
  readonly halveEveryEpochs: number;
  readonly learningRate: number;
  readonly seed: number;
}

export function seriesConfig(
  { network, training }: SeriesNetwork,
  task: SeriesTask,
): TrainingConfig {
  const { directory, split, level, packets, looks, seed, seriesSteps, augment } = task;
  const { epochs, batchFlows, halveEveryEpochs, learningRate } = task;
  return trainingConfigSchema.parse({
    name: `${split}-seed-${seed}`,
    data: {
      directory,
      split,
      level,
      packets,
      looks: looks.filter((packets) => packets < seriesSteps),
      wholeShare: 0.2,
    },
    network: { ...network, seriesSteps },
    augment,
    training: {
      seed,
      epochs,
      batchFlows,
      halveEveryEpochs,
      learningRate,
      patienceEpochs: epochs,
      balancePower: 0.5,
      ...training,
    },
  });
}
