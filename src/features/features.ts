// A flow record -> the three inputs of the tripartite network (paper 3.1). Training and serving both come through here.
// Axes: M handshake messages, N bytes of a message, T steps, C channels (inter-arrival time, size, direction),
// S statistics.

import type { FlowRecord, SeriesPacket } from '../flow/flow-record.ts';
import type { OcclusionOptions } from '../handshake/canary.ts';
import type { Handshake } from '../handshake/handshake.ts';
import { occlude } from '../handshake/occlusion.ts';
import {
  normaliseIat,
  normaliseSize,
  normaliseStatistics,
  type StatisticsNormaliser,
} from './normalise.ts';
import { HANDSHAKE_BYTES, HANDSHAKE_MESSAGES, SERIES_CHANNELS } from './shapes.ts';
import { STATISTICS, writeStatistics } from './statistics.ts';

/** Raised whenever the same flow gives other features; stands in every bundle's manifest. */
export const FEATURE_VERSION = 1;

/** What a model wants to know of a flow. */
export interface FeatureSpec {
  /** T: rows of the series, zero-padded. */
  readonly seriesSteps: number;
  /** Only the flow's first packets count, in series and statistics: what a decision at N sees. At most T. */
  readonly packets: number;
  readonly occlusion: OcclusionOptions;
}

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

/** Room for the features of a flow. */
export function allocateFeatures(seriesSteps: number): Features {
  return {
    handshakeBytes: new Uint8Array(HANDSHAKE_SIZE),
    series: new Float32Array(seriesSteps * SERIES_CHANNELS),
    statistics: new Float64Array(STATISTICS.length),
  };
}

/** The features of one flow, in memory of their own or in `into`; nothing points into the record. */
export function featuresOf(
  flow: FlowRecord,
  handshake: Handshake,
  spec: FeatureSpec,
  into?: Features,
): Features {
  const features = into ?? allocateFeatures(spec.seriesSteps);
  const { handshakeBytes, series, statistics } = features;
  handshakeBytes.fill(0);
  series.fill(0);
  writeHandshake(handshake, spec.occlusion, handshakeBytes);
  writeSeries(flow, spec.packets, series);
  writeStatistics(flow, spec.packets, statistics);
  return features;
}

export function allocateBatch(flows: number, seriesSteps: number): FeatureBatch {
  return {
    handshakeBytes: new Uint8Array(flows * HANDSHAKE_SIZE),
    series: new Float32Array(flows * seriesSteps * SERIES_CHANNELS),
    statistics: new Float32Array(flows * STATISTICS.length),
  };
}

/** Writes one flow's features into row `b` of a batch, statistics normalised. */
export function writeRow(
  features: Features,
  normaliser: StatisticsNormaliser,
  batch: FeatureBatch,
  b: number,
): void {
  batch.handshakeBytes.set(features.handshakeBytes, b * HANDSHAKE_SIZE);
  batch.series.set(features.series, b * features.series.length);
  const width = STATISTICS.length;
  const row = batch.statistics.subarray(b * width, (b + 1) * width);
  normaliseStatistics(features.statistics, normaliser, row);
}

/** into [M, N] uint8, zero on entry: up to M hellos, occluded. */
function writeHandshake(
  handshake: Handshake,
  occlusion: OcclusionOptions,
  into: Uint8Array,
): void {
  handshake.hellos.slice(0, HANDSHAKE_MESSAGES).forEach((hello, m) => {
    const row = into.subarray(m * HANDSHAKE_BYTES, (m + 1) * HANDSHAKE_BYTES);
    occlude(hello, occlusion, row);
  });
}

/** into [T, C] float32, zero on entry. The first packet's inter-arrival time is 0. */
function writeSeries(flow: FlowRecord, packets: number, into: Float32Array): void {
  const steps = into.length / SERIES_CHANNELS;
  const count = Math.min(flow.seriesPackets, packets, steps);
  const packet: SeriesPacket = {
    timeNs: 0,
    ipLength: 0,
    payloadLength: 0,
    tcpFlags: 0,
    direction: 1,
  };
  let lastNs = 0;
  for (let t = 0; t < count; t++) {
    flow.packet(t, packet);
    const at = t * SERIES_CHANNELS;
    into[at] = t === 0 ? 0 : normaliseIat((packet.timeNs - lastNs) / 1e9);
    into[at + 1] = normaliseSize(packet.ipLength);
    into[at + 2] = packet.direction;
    lastNs = packet.timeNs;
  }
}
