// A flow record -> the three inputs of the tripartite network (paper 3.1). Training and serving both come through here.
// Axes: B flows, M handshake messages, N bytes of a message, T steps, C channels (inter-arrival time, size, direction),
// S statistics.

import { emptyPacket, type FlowRecord } from '../flow/flow-record.ts';
import type { OcclusionOptions } from '../handshake/canary.ts';
import type { Handshake } from '../handshake/handshake.ts';
import { occlude } from '../handshake/occlusion.ts';
import { FlowSummary } from './flow-summary.ts';
import {
  IAT_NORMALISERS,
  type IatNormaliser,
  normaliseStatistics,
  SIZE_NORMALISERS,
  type SizeNormaliser,
  type StatisticsNormaliser,
} from './normalise.ts';
import { counts, PAPER_RULE, type PacketRule, sizeOf } from './packet-rule.ts';
import { HANDSHAKE_BYTES, HANDSHAKE_MESSAGES, SERIES_CHANNELS } from './shapes.ts';
import { writeStatistics } from './statistics.ts';
import { STATISTICS } from './statistics-table.ts';

/** Raised whenever the same flow gives other features; stands in every bundle's manifest. */
export const FEATURE_VERSION = 2;

/** How packets are read and written. */
export interface PacketSpec {
  /** What counts as a packet, in series and statistics. */
  readonly counted: PacketRule;
  readonly iat: IatNormaliser;
  readonly size: SizeNormaliser;
}

/** The paper's choices (paper 3.3). */
export const PAPER_PACKETS: PacketSpec = {
  counted: PAPER_RULE,
  iat: 'sign-log-ms',
  size: 'per-128',
};

/** What a model wants to know of a flow. */
export interface FeatureSpec extends PacketSpec {
  /** T: rows of the series, zero-padded. */
  readonly seriesSteps: number;
  /**
   * Only the flow's first packets, counted or not, are looked at: what a decision at N sees. Of these, the first T that
   * count make series and statistics.
   */
  readonly packets: number;
  readonly occlusion: OcclusionOptions;
}

/** What features read of a flow's packets: a FlowRecord, or a list of packets that is like one. */
export type PacketSource = Pick<
  FlowRecord,
  'seriesPackets' | 'packet' | 'transport' | 'initialWindow'
>;

/** One flow's inputs. */
export interface Features {
  /** [M, N] uint8, row-major, occluded, zero-padded. */
  readonly handshakeBytes: Uint8Array;
  /** [T, C] float32, normalised, zero-padded: direction 0 marks the padding. */
  readonly series: Float32Array;
  /** [S] float64, raw; `normaliseStatistics` makes the model's input of it. */
  readonly statistics: Float64Array;
}

/** Flows' inputs as a model takes them: the memory of its three input tensors. */
export interface FeatureBatch {
  /** [B, M, N] uint8 */
  readonly handshakeBytes: Uint8Array;
  /** [B, T, C] float32 */
  readonly series: Float32Array;
  /** [B, S] float32, normalised */
  readonly statistics: Float32Array;
}

const HANDSHAKE_SIZE: number = HANDSHAKE_MESSAGES * HANDSHAKE_BYTES;

/** The features of one flow, in memory of their own; nothing points into the record. */
export function featuresOf(
  flow: FlowRecord,
  handshake: Handshake,
  spec: FeatureSpec,
): Features {
  const features = {
    handshakeBytes: new Uint8Array(HANDSHAKE_SIZE),
    series: new Float32Array(spec.seriesSteps * SERIES_CHANNELS),
    statistics: new Float64Array(STATISTICS.length),
  };
  writeHandshake(handshake, spec.occlusion, features.handshakeBytes);
  writePackets(flow, spec, features.series, features.statistics);
  return features;
}

export function allocateBatch(flows: number, seriesSteps: number): FeatureBatch {
  return {
    handshakeBytes: new Uint8Array(flows * HANDSHAKE_SIZE),
    series: new Float32Array(flows * seriesSteps * SERIES_CHANNELS),
    statistics: new Float32Array(flows * STATISTICS.length),
  };
}

/** What a model wants of a flow, and how it reads the statistics. */
export interface ModelInputs {
  readonly spec: FeatureSpec;
  readonly normaliser: StatisticsNormaliser;
}

// Raw statistics of the flow at hand.
const raw = new Float64Array(STATISTICS.length);

/** Writes one flow's features straight into row `b` of a batch: what `featuresOf` and `writeRow` give. */
export function writeFlow(
  flow: FlowRecord,
  handshake: Handshake,
  { spec, normaliser }: ModelInputs,
  batch: FeatureBatch,
  b: number,
): void {
  const handshakeRow = rowOf(batch.handshakeBytes, b, HANDSHAKE_SIZE);
  const seriesRow = rowOf(batch.series, b, spec.seriesSteps * SERIES_CHANNELS);
  handshakeRow.fill(0);
  seriesRow.fill(0);
  writeHandshake(handshake, spec.occlusion, handshakeRow);
  writePackets(flow, spec, seriesRow, raw);
  normaliseStatistics(raw, normaliser, rowOf(batch.statistics, b, STATISTICS.length));
}

/** Copies one flow's features into row `b` of a batch, statistics normalised. */
export function writeRow(
  features: Features,
  normaliser: StatisticsNormaliser,
  batch: FeatureBatch,
  b: number,
): void {
  batch.handshakeBytes.set(features.handshakeBytes, b * HANDSHAKE_SIZE);
  batch.series.set(features.series, b * features.series.length);
  const row = rowOf(batch.statistics, b, STATISTICS.length);
  normaliseStatistics(features.statistics, normaliser, row);
}

function rowOf<A extends Uint8Array | Float32Array>(data: A, b: number, width: number) {
  return data.subarray(b * width, (b + 1) * width) as A;
}

/** into [M, N] uint8, zero on entry: up to M hellos, occluded. */
export function writeHandshake(
  handshake: Handshake,
  occlusion: OcclusionOptions,
  into: Uint8Array,
): void {
  handshake.hellos.slice(0, HANDSHAKE_MESSAGES).forEach((hello, m) => {
    const row = into.subarray(m * HANDSHAKE_BYTES, (m + 1) * HANDSHAKE_BYTES);
    occlude(hello, occlusion, row);
  });
}

// One of each for all flows, one after the other: a set a flow would keep the garbage collector busy.
const summary = new FlowSummary();
const packet = emptyPacket();

/**
 * One pass over a flow's packets.
 *
 * @param series [T, C] float32, zero on entry; the first packet's inter-arrival time is 0
 * @param statistics [S] float64, raw; all of it is written
 * @returns packets that stand in the series
 */
export function writePackets(
  flow: PacketSource,
  spec: Omit<FeatureSpec, 'seriesSteps' | 'occlusion'>,
  series: Float32Array,
  statistics: Float64Array,
): number {
  const { counted } = spec;
  const normaliseIat = IAT_NORMALISERS[spec.iat];
  const normaliseSize = SIZE_NORMALISERS[spec.size];
  const looked = Math.min(flow.seriesPackets, spec.packets);
  const seen = { up: false, down: false };
  let at = 0;
  let lastNs = 0;
  summary.reset();
  for (let i = 0; i < looked && at < series.length; i++) {
    flow.packet(i, packet);
    const { timeNs, direction } = packet;
    if (direction === 1) seen.up = true;
    else seen.down = true;
    if (!counts(packet, counted)) continue;
    const size = sizeOf(packet, counted);
    summary.add(packet, size);
    series[at] = at === 0 ? 0 : normaliseIat((timeNs - lastNs) / 1e9);
    series[at + 1] = normaliseSize(size, direction);
    series[at + 2] = direction;
    lastNs = timeNs;
    at += SERIES_CHANNELS;
  }
  summary.end();
  const windows = flow.initialWindow;
  const tcp = flow.transport === 'tcp';
  writeStatistics(
    summary,
    {
      // What had not come by then is not known.
      up: tcp && seen.up ? windows.up : Number.NaN,
      down: tcp && seen.down ? windows.down : Number.NaN,
    },
    statistics,
  );
  return at / SERIES_CHANNELS;
}
