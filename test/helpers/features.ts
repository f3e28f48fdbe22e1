// Features for tests: by name, of made records.

import {
  type FeatureSpec,
  PAPER_PACKETS,
  type PacketSource,
  writePackets,
} from '../../src/features/features.ts';
import { SERIES_CHANNELS, SERIES_STEPS_MAX } from '../../src/features/shapes.ts';
import { STATISTICS, type StatisticName } from '../../src/features/statistics-table.ts';

export type Named = Readonly<Record<StatisticName, number>>;

/** The paper's, for tests that are not about occlusion. */
export function paperSpec(seriesSteps: number, packets = seriesSteps): FeatureSpec {
  return { ...PAPER_PACKETS, seriesSteps, packets, occlusion: { shown: [] } };
}

/** Raw statistics by name. */
export function statisticsOf(
  flow: PacketSource,
  spec: FeatureSpec = paperSpec(SERIES_STEPS_MAX),
): Named {
  const values = new Float64Array(STATISTICS.length);
  writePackets(flow, spec, new Float32Array(spec.seriesSteps * SERIES_CHANNELS), values);
  return Object.fromEntries(
    STATISTICS.map((name, s) => [name, values[s] ?? Number.NaN]),
  ) as Named;
}

/** Rows of the series, without padding. */
export function seriesOf(flow: PacketSource, spec: FeatureSpec): number[][] {
  const series = new Float32Array(spec.seriesSteps * SERIES_CHANNELS);
  const rows = writePackets(flow, spec, series, new Float64Array(STATISTICS.length));
  return Array.from({ length: rows }, (_, t) => [
    ...series.subarray(t * SERIES_CHANNELS, (t + 1) * SERIES_CHANNELS),
  ]);
}

/** Equal to so many parts of themselves; NaN equals NaN. */
export function close(got: number, want: number, tolerance = 1e-9): boolean {
  return (
    Object.is(got, want) ||
    got === want ||
    Math.abs(got - want) <= tolerance * Math.max(1, Math.abs(want))
  );
}
