// Everything that can be turned in training, on one screen.

import { PAPER_PACKETS } from '../src/features/features.ts';
import { EARLY_PACKETS, ROUTER_SERIES_STEPS } from '../src/features/shapes.ts';
import type { CanaryField } from '../src/handshake/canary.ts';

export const HYPER_PARAMETERS = {
  seed: 20261124, // one number decides initial weights, shuffles, dropout masks and calibration sample

  // Data
  seriesSteps: ROUTER_SERIES_STEPS, // T: what a router can afford (DESIGN 7)
  packets: PAPER_PACKETS, // what counts as a packet, and how times and sizes are written (paper 3.3)
  shownCanaries: [] as readonly CanaryField[], // paper 3.3: what names the server is occluded, cipher information too
  statisticsClip: 4, // z-scores beyond 4 deviations tell outliers, and an int8 input would pay for them in resolution
  cuts: EARLY_PACKETS, // a training flow is also shown as it looks after 3, 5, 10, 30, 100 packets: the agent decides early (DESIGN 8)

  // Training (paper 4: Adam, 40 epochs, 0.001 reduced every 10, halved in the group's code). Departs from paper: three
  // times as many epochs, as an epoch of this small data set is a few steps.
  epochs: 120,
  wholeShare: 0.5, // of the looks at training flows, those at the whole flow; the rest is dealt out among all looks
  batchFlows: 64,
  learningRate: 0.001,
  halveEveryEpochs: 30,
  patienceEpochs: 20, // no better validation for this long: the rest would only overfit (paper 3.2)
  classWeightPower: 0.5, // weight (n / (K n_k))^0.5: upsampling of small classes (paper 4), tempered
  dropoutHead: 0.3, // paper 3.2: up to 0.5, most in the last dense layers
  dropoutBranch: 0.5, // departs from paper: the branches overfit a thousand flows before the head does
  labelSmoothing: 0.05, // keeps logits small: better calibrated, and int8 rounding moves fewer decisions

  // Export
  calibrationFlows: 512, // looks at training flows, drawn, from which int8 ranges are found; more change nothing
  thresholdPrecision: 0.9, // on validation, of the predictions of a class that its threshold lets through
  thresholdFloor: 0.5, // a class less likely than all others together is a guess, and nothing acts on a guess
} as const;

/** Widths of `router-cnn`: [filters, kernel, stride] a convolution. About 0.36 M parameters (DESIGN 7). */
export const ROUTER_CNN = {
  // Four convolutions, two poolings over 3 x 600 bytes (paper 3.2 [F]), strided so that a weak CPU keeps up
  handshake: {
    first: [
      [32, 8, 4],
      [48, 5, 2],
    ],
    second: [
      [64, 3, 2],
      [96, 3, 1],
    ],
    dense: 96,
  },
  // The CNN variant of the series branch (paper 3.2)
  series: {
    first: [
      [32, 5, 2],
      [64, 5, 2],
    ],
    second: [[96, 3, 1]],
    dense: 128,
  },
  statistics: [96, 96], // paper 3.2: 200, 200; a router pays for half
  head: [192, 96], // paper 3.2: 256, 128
  pool: 2,
} as const;
