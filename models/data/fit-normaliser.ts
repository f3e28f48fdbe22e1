// The statistics' mean and spread, of the training flows only: what validation and test look like is nothing a model may know.

import { featuresOfRow } from '../../src/dataset/row-tensors.ts';
import type { FeatureSpec } from '../../src/features/features.ts';
import {
  fitStatistics,
  type StatisticsNormaliser,
} from '../../src/features/normalise.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import type { Random } from '../random.ts';
import { epochRandom, type FlowSource } from './flow-source.ts';
import { drawLook, type LookChoice } from './looks.ts';

/** Flows that are enough: means move by a hundredth of a deviation beyond that. */
const MOST_FLOWS = 10_000;

/** Fitted on whole flows and on looks at them: early decisions are read with the same normaliser. */
export async function fitNormaliser(
  source: FlowSource,
  spec: FeatureSpec,
  options: LookChoice & { readonly seed: number; readonly clip: number },
): Promise<StatisticsNormaliser> {
  const random: Random = epochRandom(options.seed, 0);
  const rows: Float64Array[] = [];
  for await (const { row } of source.epoch({ random })) {
    rows.push(featuresOfRow(row, spec).statistics);
    const cut = drawLook(row, { looks: options.looks, wholeShare: 0 }, random);
    if (cut !== undefined) rows.push(featuresOfRow(row, spec, cut).statistics);
    if (rows.length >= MOST_FLOWS) break;
  }
  return fitStatistics(rows, STATISTICS.length, options.clip);
}
