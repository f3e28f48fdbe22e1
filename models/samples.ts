// Labelled flows -> the tensors that train and test a network.
// Axes: B flows, M handshake messages, N bytes of a message, T steps, C channels, S statistics, K classes.

import { allocateBatch, type Features, writeRow } from '../src/features/features.ts';
import { fitStatistics, type StatisticsNormaliser } from '../src/features/normalise.ts';
import { STATISTICS } from '../src/features/statistics-table.ts';
import type { LabelledFlow } from './lab-data.ts';
import { TENSORS } from './networks/network.ts';

/** B labelled rows, ready for a network. Inputs are called as the model calls them. */
export interface Samples {
  readonly count: number;
  readonly inputs: {
    /** [B, M, N] */
    readonly handshake_bytes: Uint8Array;
    /** [B, T, C] */
    readonly series: Float32Array;
    /** [B, S], normalised */
    readonly statistics: Float32Array;
  };
  /** [B], index of the class */
  readonly labels: Int32Array;
}

export interface LabelledFeatures {
  readonly features: Features;
  readonly service: number;
}

/** Rows in the order of `flows`. */
export function samplesOf(
  flows: readonly LabelledFeatures[],
  normaliser: StatisticsNormaliser,
  seriesSteps: number,
): Samples {
  const batch = allocateBatch(flows.length, seriesSteps);
  flows.forEach(({ features }, b) => {
    writeRow(features, normaliser, batch, b);
  });
  return {
    count: flows.length,
    inputs: {
      [TENSORS.handshakeBytes]: batch.handshakeBytes,
      [TENSORS.series]: batch.series,
      [TENSORS.statistics]: batch.statistics,
    },
    labels: Int32Array.from(flows, ({ service }) => service),
  };
}

/** Rows `indices` of samples, copied. */
export function pick(samples: Samples, indices: Int32Array): Samples {
  const { count, inputs, labels } = samples;
  return {
    count: indices.length,
    inputs: {
      handshake_bytes: pickRows(inputs.handshake_bytes, count, indices),
      series: pickRows(inputs.series, count, indices),
      statistics: pickRows(inputs.statistics, count, indices),
    },
    labels: pickRows(labels, count, indices),
  };
}

function pickRows<A extends Uint8Array | Float32Array | Int32Array>(
  data: A,
  count: number,
  indices: Int32Array,
): A {
  const width = data.length / count;
  const rows = new (data.constructor as new (length: number) => A)(
    indices.length * width,
  );
  for (const [b, index] of indices.entries()) {
    rows.set(data.subarray(index * width, (index + 1) * width), b * width);
  }
  return rows;
}

/** The flow as it looks after `cut` packets, or whole where it has no more. */
export function cutAt(flow: LabelledFlow, cut: number): LabelledFeatures {
  return { features: flow.cuts.get(cut) ?? flow.features, service: flow.service };
}

/** Every look at every flow: whole, and after each cut that it outlives. */
function allLooks(flows: readonly LabelledFlow[]): LabelledFeatures[] {
  return flows.flatMap((flow) => [
    { features: flow.features, service: flow.service },
    ...Array.from(flow.cuts.values(), (features) => ({
      features,
      service: flow.service,
    })),
  ]);
}

/** Fitted on all looks at the training flows: early decisions are read with the same normaliser. */
export function fitNormaliser(
  flows: readonly LabelledFlow[],
  clip: number,
): StatisticsNormaliser {
  const rows = allLooks(flows).map(({ features }) => features.statistics);
  return fitStatistics(rows, STATISTICS.length, clip);
}

/** Weight of each class's flows: (B / (K·count))^power; with power 1 each class weighs the same. */
export function classWeights(
  labels: Int32Array,
  classes: number,
  power: number,
): number[] {
  const counts = countsOf(labels, classes);
  return counts.map((count) =>
    count === 0 ? 0 : (labels.length / (classes * count)) ** power,
  );
}

/** Flows of each class. */
export function countsOf(labels: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
