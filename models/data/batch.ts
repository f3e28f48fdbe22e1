// Labelled rows -> the tensors of a batch, for any network: only the inputs that it reads, each flow as it looked after so many
// packets. Axes: B flows (or sessions), F flows of a session, M handshake messages, N bytes of a message, T steps, C channels,
// S statistics.

import { featuresOfRow } from '../../src/dataset/row-tensors.ts';
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
import { tf } from '../backend.ts';
import { type InputName, TENSORS } from '../networks/network.ts';
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
}

export interface Batch {
  readonly count: number;
  /** [B, M, N] or [B, F, M, N]; [B, T, C]; [B, S], normalised. Only those that the network reads. */
  readonly data: { readonly [name in InputName]?: Uint8Array | Float32Array };
  /** [B] */
  readonly labels: Int32Array;
}

const HANDSHAKE_SIZE: number = HANDSHAKE_MESSAGES * HANDSHAKE_BYTES;

/** Numbers of one row of an input. */
function widthOf(name: InputName, spec: InputSpec): number {
  if (name === TENSORS.handshakeBytes) return HANDSHAKE_SIZE * (spec.sessionFlows ?? 1);
  if (name === TENSORS.series) return spec.features.seriesSteps * SERIES_CHANNELS;
  return STATISTICS.length;
}

export function batchOf(examples: readonly Example[], spec: InputSpec): Batch {
  const count = examples.length;
  const data: { [name in InputName]?: Uint8Array | Float32Array } = {};
  for (const name of spec.inputs) {
    const size = count * widthOf(name, spec);
    data[name] =
      name === TENSORS.handshakeBytes ? new Uint8Array(size) : new Float32Array(size);
  }
  for (const [b, example] of examples.entries()) writeExample(example, spec, data, b);
  return { count, data, labels: Int32Array.from(examples, ({ label }) => label) };
}

function writeExample(
  { rows, cut }: Example,
  spec: InputSpec,
  data: Batch['data'],
  b: number,
): void {
  const { handshake_bytes: bytes, series, statistics } = data;
  for (const [f, row] of rows.slice(0, spec.sessionFlows ?? 1).entries()) {
    const features = featuresOfRow(row, spec.features, cut);
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

/** The network's inputs in its order; bytes become floats 0..255. To be called inside a tidy. */
export function tensorsOf({ count, data }: Batch, spec: InputSpec): tf.Tensor[] {
  return spec.inputs.map((name) => {
    const values = data[name];
    if (values === undefined) throw new Error(`the batch has no ${name}`);
    const floats = values instanceof Float32Array ? values : Float32Array.from(values);
    return tf.tensor(floats, [count, ...shapeOf(name, spec)]);
  });
}

function shapeOf(name: InputName, spec: InputSpec): number[] {
  if (name === TENSORS.series) return [spec.features.seriesSteps, SERIES_CHANNELS];
  if (name === TENSORS.statistics) return [STATISTICS.length];
  const message = [HANDSHAKE_MESSAGES, HANDSHAKE_BYTES];
  return spec.sessionFlows === undefined ? message : [spec.sessionFlows, ...message];
}
