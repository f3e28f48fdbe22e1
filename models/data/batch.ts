// Labelled rows -> the tensors of a batch, for any network: only the inputs that it reads, each flow as it looked after so many
// packets. Axes: B flows (or sessions), F flows of a session, M handshake messages, N bytes of a message, T steps, C channels,
// S statistics.

import {
  featuresOfRow,
  type Look,
  packetSourceOf,
} from '../../src/dataset/row-tensors.ts';
import type { FeatureSpec } from '../../src/features/features.ts';
import {
  normaliseStatistics,
  type StatisticsNormaliser,
} from '../../src/features/normalise.ts';
import {
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_CHANNELS,
} from '../../src/features/shapes.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { type Augmentation, augment } from '../augment.ts';
import { type InputName, TENSORS } from '../networks/network.ts';
import type { Random } from '../random.ts';
import type { Batch } from '../training-step.ts';
import type { TrainingRow } from './training-row.ts';

/** How a network wants its inputs. */
export interface InputSpec {
  readonly features: FeatureSpec;
  readonly normaliser: StatisticsNormaliser;
  /** In the order in which the network takes them. */
  readonly inputs: readonly InputName[];
  /** F: a row of the network is a session of so many flows at most; undefined: it is a flow. */
  readonly sessionFlows?: number | undefined;
}

/** What the network is shown: a flow, or the flows of a session, first ones first. */
export interface Example {
  readonly rows: readonly TrainingRow[];
  /** Index of the class; -1 where it has none of the network's. */
  readonly label: number;
  /** The flows as they looked after so many packets; undefined: whole. */
  readonly cut?: number | undefined;
  /** Changes to the packets, drawn for this look. */
  readonly changes?:
    | { readonly options: Augmentation; readonly random: Random }
    | undefined;
}

const HANDSHAKE_SIZE: number = HANDSHAKE_MESSAGES * HANDSHAKE_BYTES;

/** Numbers of one row of an input. */
function widthOf(name: InputName, spec: InputSpec): number {
  if (name === TENSORS.handshakeBytes) return HANDSHAKE_SIZE * (spec.sessionFlows ?? 1);
  if (name === TENSORS.series) return spec.features.seriesSteps * SERIES_CHANNELS;
  return STATISTICS.length;
}

/** The inputs that the network reads, in the memory of its tensors; statistics normalised. */
export function batchOf(examples: readonly Example[], spec: InputSpec): Batch {
  const count = examples.length;
  const inputs: { [name in InputName]?: Uint8Array | Float32Array } = {};
  for (const name of spec.inputs) {
    const size = count * widthOf(name, spec);
    inputs[name] =
      name === TENSORS.handshakeBytes ? new Uint8Array(size) : new Float32Array(size);
  }
  for (const [b, example] of examples.entries()) writeExample(example, spec, inputs, b);
  return { count, inputs, labels: Int32Array.from(examples, ({ label }) => label) };
}

function writeExample(
  { rows, cut, changes }: Example,
  spec: InputSpec,
  inputs: Batch['inputs'],
  b: number,
): void {
  const { handshake_bytes: bytes, series, statistics } = inputs;
  for (const [f, row] of rows.slice(0, spec.sessionFlows ?? 1).entries()) {
    const look = lookAt(row, cut, changes);
    const features = featuresOfRow(row, spec.features, look);
    const flow = b * (spec.sessionFlows ?? 1) + f;
    bytes?.set(features.handshakeBytes, flow * HANDSHAKE_SIZE);
    // Networks whose rows are sessions read handshakes only.
    if (f > 0) continue;
    series?.set(features.series, b * features.series.length);
    const into = statistics?.subarray(b * STATISTICS.length, (b + 1) * STATISTICS.length);
    if (into instanceof Float32Array) {
      normaliseStatistics(features.statistics, spec.normaliser, into);
    }
  }
}

function lookAt(
  row: TrainingRow,
  cut: number | undefined,
  changes: Example['changes'],
): Look {
  if (changes === undefined) return { cut };
  const { options, random } = changes;
  const changed = augment(packetSourceOf(row, cut), options, random);
  const { source, lookedAfter, handshakeMissing } = changed;
  const seen = Math.min(cut ?? Number.POSITIVE_INFINITY, lookedAfter);
  return { cut: Number.isFinite(seen) ? seen : undefined, source, handshakeMissing };
}
