// Networks that read the series alone, as the experiments on public series train them: how a size enters is the question.

import type { TrainingConfig } from '../training/training-config.ts';
import { trainingConfigSchema } from '../training/training-config.ts';

export interface SeriesNetwork {
  readonly name: string;
  /**
   * Over what the experiment decides. Several: each has another part of the flows for validation, and they answer together, so that
   * where flows are few none is left out.
   */
  readonly networks: readonly Record<string, unknown>[];
  readonly training?: Record<string, unknown>;
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
/** Most looks are at few packets: of whole flows the network has still much to learn after 24 epochs. */
const longer = { epochs: 80, halveEveryEpochs: 20, patienceEpochs: 80, meanEpochs: 3 };
/** An epoch of a few hundred flows is a dozen steps. */
const patient = {
  labelSmoothing: 0.1,
  epochs: 180,
  halveEveryEpochs: 60,
  patienceEpochs: 180,
  meanEpochs: 10,
};

const recurrent = { dense: 0, units: [64, 64], bidirectional: true };
/** For a few hundred flows: they are learnt by heart with less dropout. */
const sparing = {
  head: [128],
  dropout: { branch: 0.1, head: 0.5 },
  sizes: sizes.slightly,
};
const few = {
  lstm: {
    name: 'flow-lstm',
    options: { series: recurrent, statistics: [128, 128], ...sparing },
  },
  cnn: { name: 'flow-cnn', options: { series: convolutions, ...sparing } },
};
/** One for each fifth of the flows that validates. */
const folds = [few.lstm, few.cnn, few.lstm, few.cnn, few.lstm];

/** A network that reads the series alone. */
function onSeries(name: string, series: object, own: object): Record<string, unknown> {
  return { name, options: { inputs: ['series'], series, head, dropout, sizes: own } };
}

export const SERIES_NETWORKS: readonly SeriesNetwork[] = [
  {
    name: 'flow-cnn, series, sizes embedded with jitter',
    networks: [onSeries('flow-cnn', convolutions, sizes.embedded)],
  },
  {
    name: 'flow-cnn, series, sizes embedded with jitter, 80 epochs',
    training: longer,
    networks: [onSeries('flow-cnn', convolutions, sizes.embedded)],
  },
  {
    name: 'flow-cnn, series, sizes embedded with little jitter, 80 epochs',
    training: longer,
    networks: [onSeries('flow-cnn', convolutions, sizes.lightly)],
  },
  {
    name: 'flow-cnn, series and statistics, sizes embedded with jitter',
    networks: [
      {
        name: 'flow-cnn',
        options: { series: convolutions, head, dropout, sizes: sizes.embedded },
      },
    ],
  },
  {
    name: 'flow-lstm and flow-cnn, series and statistics, five folds averaged',
    training: { labelSmoothing: 0.1, meanEpochs: 5 },
    networks: folds,
  },
  {
    name: 'flow-lstm and flow-cnn, series and statistics, 180 epochs, five folds averaged',
    training: patient,
    networks: folds,
  },
  {
    name: 'flow-cnn, series, sizes scaled',
    networks: [onSeries('flow-cnn', convolutions, sizes.scaled)],
  },
  {
    name: 'flow-lstm, series, sizes embedded with jitter',
    networks: [onSeries('flow-lstm', recurrent, sizes.embedded)],
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
  network: Record<string, unknown>,
  training: SeriesNetwork['training'],
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
