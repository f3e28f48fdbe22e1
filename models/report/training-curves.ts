// A training's history -> its curves, as the paper shows them: loss and accuracy, training and validation, an epoch each.

import type { EpochRecord } from '../training/fit.ts';
import { lineChart } from './line-chart.ts';

export function lossCurves(history: readonly EpochRecord[], name: string): string {
  return lineChart({
    title: `${name}: loss`,
    xLabel: 'epoch',
    yLabel: 'cross-entropy',
    yRange: [0, 0],
    lines: [
      { name: 'training', points: history.map((r) => [r.epoch, r.trainLoss]) },
      { name: 'validation', points: history.map((r) => [r.epoch, r.validationLoss]) },
    ],
  });
}

export function accuracyCurves(history: readonly EpochRecord[], name: string): string {
  return lineChart({
    title: `${name}: accuracy`,
    xLabel: 'epoch',
    yLabel: 'accuracy',
    yRange: [1, 1],
    asPercent: true,
    lines: [
      { name: 'training', points: history.map((r) => [r.epoch, r.trainAccuracy]) },
      { name: 'validation', points: history.map((r) => [r.epoch, r.validationAccuracy]) },
      {
        name: 'validation, macro-F1',
        points: history.map((r) => [r.epoch, r.validationMacroF1]),
        dashed: true,
      },
    ],
  });
}
