// Labelled flows -> the tensors that export computes with.
// Axes: B flows, M handshake messages, N bytes of a message, T steps, C channels, S statistics, K classes.

import { allocateBatch, type Features, writeRow } from '../src/features/features.ts';
import type { StatisticsNormaliser } from '../src/features/normalise.ts';
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

interface LabelledFeatures {
  readonly features: Features;
  /** Index of the class. */
  readonly label: number;
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
    labels: Int32Array.from(flows, ({ label }) => label),
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
