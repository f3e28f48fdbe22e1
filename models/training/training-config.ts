// The YAML file of `sluice train --config`: every key once, with its default and its meaning. Unknown keys are refused, units
// stand in the keys. `sluice train --keys` prints this table.

import { z } from 'zod';
import { IAT_NORMALISERS, type IatNormaliser } from '../../src/features/normalise.ts';
import {
  PACKET_KINDS,
  PACKET_LENGTHS,
  PAPER_RULE,
} from '../../src/features/packet-rule.ts';
import { EARLY_PACKETS, SERIES_STEPS_MAX } from '../../src/features/shapes.ts';
import { CANARY_FIELDS } from '../../src/handshake/canary.ts';
import { augmentationSchema } from '../augment.ts';
import { LEVELS } from '../data/training-row.ts';
import { SESSION_FLOWS } from '../networks/network.ts';

const share = z.number().min(0).max(1);
const count = z.int().min(1);
const iatNames = Object.keys(IAT_NORMALISERS) as [IatNormaliser, ...IatNormaliser[]];

const packets = z.strictObject({
  kinds: z
    .enum(PACKET_KINDS)
    .default(PAPER_RULE.kinds)
    .describe('which packets count; imports hold fewer than captures, see dataset.json'),
  repeats: z
    .boolean()
    .default(PAPER_RULE.repeats)
    .describe('whether TCP packets count that were sent again, or overtaken'),
  length: z
    .enum(PACKET_LENGTHS)
    .default(PAPER_RULE.length)
    .describe("which of a packet's lengths is its size"),
});

const data = z.strictObject({
  directory: z.string().min(1).describe('data set: the folder that holds dataset.json'),
  split: z.string().min(1).describe('name of a split of it (`sluice dataset split`)'),
  fold: z
    .int()
    .min(0)
    .optional()
    .describe('of a split with folds, the one that judges; the next one validates'),
  level: z
    .enum(LEVELS)
    .default('service')
    .describe('what a class is: a service or an application'),
  heldOut: z
    .array(z.string())
    .default([])
    .describe(
      'classes kept out of training; `sluice evaluate` asks whether they are told as unknown',
    ),
  packets: packets.prefault({}).describe('what counts as a packet'),
  iat: z
    .enum(iatNames)
    .default('sign-log-ms')
    .describe('how an inter-arrival time is written (paper 3.3)'),
  shownCanaries: z
    .array(z.enum(CANARY_FIELDS))
    .default([])
    .describe('canary fields that are let through; the data set must have been built so'),
  statisticsClip: z
    .number()
    .positive()
    .default(4)
    .describe('z-scores beyond so many deviations are cut'),
  looks: z
    .array(z.int().min(1).max(SERIES_STEPS_MAX))
    .default([...EARLY_PACKETS])
    .describe('training flows are also shown as they look after so many packets'),
  wholeShare: share
    .default(0.5)
    .describe('of the looks in training, the share that is at whole flows'),
  memoryMb: count
    .default(4096)
    .describe('where the training flows take more, they are streamed from the files'),
  validationFlows: count
    .default(10_000)
    .describe('most flows that validate after each epoch, drawn'),
});

const network = z.strictObject({
  name: z.string().describe('router-cnn, tripartite-lstm, …; docs/networks.md'),
  seriesSteps: z
    .int()
    .min(1)
    .max(SERIES_STEPS_MAX)
    .optional()
    .describe("T, steps of the series; the network's own unless given"),
  sessionFlows: count
    .default(SESSION_FLOWS)
    .describe('F, for networks that judge sessions: flows of a session'),
  frequentSizes: count
    .optional()
    .describe(
      'signed sizes that training saw at least so often get a row of their own (sizes.ownRows), others share one',
    ),
  options: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("the network's own options: widths, dropout, how a size enters"),
});

const training = z.strictObject({
  seed: z
    .int()
    .min(0)
    .max(2 ** 31)
    .default(1)
    .describe('decides initial weights, shuffles, looks and dropout masks'),
  epochs: count.default(40).describe('paper 4; 20 on QUIC'),
  batchFlows: count.default(64).describe('flows of a step'),
  learningRate: z.number().positive().default(0.001).describe('of Adam (paper 4)'),
  halveEveryEpochs: count.default(10).describe('paper 4'),
  patienceEpochs: count
    .default(10)
    .describe('ends when validation has not got better for so long'),
  balance: z
    .enum(['upsample', 'weights', 'none'])
    .default('upsample')
    .describe('small classes are shown more often (paper 4), or weigh more'),
  balancePower: share
    .default(0.5)
    .describe('1: classes are made equal; 0.5: half the way there, in ratios'),
  labelSmoothing: z.number().min(0).max(0.5).default(0).describe('keeps logits small'),
  meanEpochs: count
    .default(1)
    .describe('judge and keep the mean of the weights after so many epochs; 1: none'),
  int8Weights: z
    .boolean()
    .default(false)
    .describe('judge and keep weights as int8 will hold them'),
});

/** All but `cut`: that is `data.looks`. */
const augmentation = augmentationSchema.unwrap().omit({ cut: true });

const calibration = z.strictObject({
  thresholdPrecision: share
    .default(0.9)
    .describe('on validation, of the predictions that a threshold lets through'),
  thresholdFloor: share.default(0.5).describe('least threshold of a class'),
});

export const trainingConfigSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, . _ and -')
    .describe("the run's name; it is written to runs/NAME"),
  data,
  network,
  training: training.prefault({}),
  augment: augmentation
    .prefault({})
    .describe('changes to training flows, so that a model lasts; docs/networks.md'),
  calibration: calibration.prefault({}),
});

export type TrainingConfig = z.infer<typeof trainingConfigSchema>;
