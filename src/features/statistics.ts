// A summary of a flow's packets -> its statistics, in the order of statistics-table.ts, where their formulas stand
// (paper 3.2, statistics branch). They are taken over the very packets of the series, so that a flow cut at N gives what an
// early decision at N sees.

import type { FlowSummary, Side } from './flow-summary.ts';
import { STATISTICS, type StatisticName } from './statistics-table.ts';

/** Unscaled TCP windows of the first packet each way; NaN where there is none. */
export interface InitialWindows {
  readonly up: number;
  readonly down: number;
}

/** Where each statistic stands. */
const AT = Object.fromEntries(STATISTICS.map((name, s) => [name, s])) as Readonly<
  Record<StatisticName, number>
>;

/** Writes raw statistics into [S] float64; NaN and infinities where a formula has no value. */
export function writeStatistics(
  summary: FlowSummary,
  windows: InitialWindows,
  into: Float64Array,
): void {
  writeCounts(summary, into);
  writePayloads(summary, into);
  writeSizes(summary, into);
  writeTimes(summary, into);
  writeRates(summary, into);
  writeFlags(summary, into);
  writeBulks(summary, into);
  writeActivity(summary, into);
  into[AT.initialWindowUp] = windows.up;
  into[AT.initialWindowDown] = windows.down;
}

function writeCounts(summary: FlowSummary, into: Float64Array): void {
  const { up, down } = summary;
  into[AT.packetsUp] = up.size.count;
  into[AT.packetsDown] = down.size.count;
  into[AT.bytesUp] = up.size.sum;
  into[AT.bytesDown] = down.size.sum;
  into[AT.payloadBytesUp] = up.payload.sum;
  into[AT.payloadBytesDown] = down.payload.sum;
  into[AT.headerBytesUp] = up.headerBytes;
  into[AT.headerBytesDown] = down.headerBytes;
  into[AT.payloadPacketsUp] = up.payloadPackets;
  into[AT.payloadPacketsDown] = down.payloadPackets;
  into[AT.downUpPacketRatio] = down.size.count / up.size.count;
  into[AT.downUpByteRatio] = down.size.sum / up.size.sum;
  into[AT.smallPackets] = summary.small;
  into[AT.fullPackets] = summary.full;
  into[AT.directionChanges] = summary.directionChanges;
}

function writePayloads({ up, down, payload }: FlowSummary, into: Float64Array): void {
  into[AT.payloadUpMin] = up.payload.min;
  into[AT.payloadUpMax] = up.payload.max;
  into[AT.payloadUpMean] = up.payload.mean;
  into[AT.payloadUpDeviation] = up.payload.deviation;
  into[AT.payloadDownMin] = down.payload.min;
  into[AT.payloadDownMax] = down.payload.max;
  into[AT.payloadDownMean] = down.payload.mean;
  into[AT.payloadDownDeviation] = down.payload.deviation;
  into[AT.payloadMin] = payload.min;
  into[AT.payloadMax] = payload.max;
  into[AT.payloadMean] = payload.mean;
  into[AT.payloadDeviation] = payload.deviation;
  into[AT.payloadVariance] = payload.variance;
}

function writeSizes({ up, down, size }: FlowSummary, into: Float64Array): void {
  into[AT.sizeUpMin] = up.size.min;
  into[AT.sizeUpMax] = up.size.max;
  into[AT.sizeUpMean] = up.size.mean;
  into[AT.sizeUpDeviation] = up.size.deviation;
  into[AT.sizeDownMin] = down.size.min;
  into[AT.sizeDownMax] = down.size.max;
  into[AT.sizeDownMean] = down.size.mean;
  into[AT.sizeDownDeviation] = down.size.deviation;
  into[AT.sizeMin] = size.min;
  into[AT.sizeMax] = size.max;
  into[AT.sizeMean] = size.mean;
  into[AT.sizeDeviation] = size.deviation;
  into[AT.headerUpMin] = up.headerMin;
  into[AT.headerDownMin] = down.headerMin;
}

function writeTimes(summary: FlowSummary, into: Float64Array): void {
  const { up, down, iatUs } = summary;
  into[AT.durationUs] = durationUs(summary);
  into[AT.firstDownDelayUs] = down.firstUs - summary.firstUs;
  into[AT.iatMeanUs] = iatUs.mean;
  into[AT.iatDeviationUs] = iatUs.deviation;
  into[AT.iatMaxUs] = iatUs.max;
  into[AT.iatMinUs] = iatUs.min;
  into[AT.iatUpTotalUs] = up.iatUs.sum;
  into[AT.iatUpMeanUs] = up.iatUs.mean;
  into[AT.iatUpDeviationUs] = up.iatUs.deviation;
  into[AT.iatUpMaxUs] = up.iatUs.max;
  into[AT.iatUpMinUs] = up.iatUs.min;
  into[AT.iatDownTotalUs] = down.iatUs.sum;
  into[AT.iatDownMeanUs] = down.iatUs.mean;
  into[AT.iatDownDeviationUs] = down.iatUs.deviation;
  into[AT.iatDownMaxUs] = down.iatUs.max;
  into[AT.iatDownMinUs] = down.iatUs.min;
}

function writeRates(summary: FlowSummary, into: Float64Array): void {
  const { up, down, size, payload } = summary;
  const seconds = durationUs(summary) / 1e6;
  into[AT.payloadBytesPerSecond] = payload.sum / seconds;
  into[AT.bytesPerSecond] = size.sum / seconds;
  into[AT.packetsPerSecond] = size.count / seconds;
  into[AT.packetsPerSecondUp] = up.size.count / seconds;
  into[AT.packetsPerSecondDown] = down.size.count / seconds;
}

function writeFlags({ up, down, flags }: FlowSummary, into: Float64Array): void {
  into[AT.finPackets] = flags.fin;
  into[AT.synPackets] = flags.syn;
  into[AT.rstPackets] = flags.rst;
  into[AT.pshPackets] = flags.psh;
  into[AT.ackPackets] = flags.ack;
  into[AT.urgPackets] = flags.urg;
  into[AT.cwrPackets] = flags.cwr;
  into[AT.ecePackets] = flags.ece;
  into[AT.pshPacketsUp] = up.psh;
  into[AT.pshPacketsDown] = down.psh;
  into[AT.urgPacketsUp] = up.urg;
  into[AT.urgPacketsDown] = down.urg;
}

function writeBulks({ up, down }: FlowSummary, into: Float64Array): void {
  into[AT.bulkUpBytesMean] = up.bulks.bytes / up.bulks.bulks;
  into[AT.bulkUpPacketsMean] = up.bulks.packets / up.bulks.bulks;
  into[AT.bulkUpBytesPerSecond] = bulkRate(up);
  into[AT.bulkDownBytesMean] = down.bulks.bytes / down.bulks.bulks;
  into[AT.bulkDownPacketsMean] = down.bulks.packets / down.bulks.bulks;
  into[AT.bulkDownBytesPerSecond] = bulkRate(down);
}

function bulkRate({ bulks }: Side): number {
  return bulks.bytes / (bulks.durationUs / 1e6);
}

function writeActivity({ up, down, activity }: FlowSummary, into: Float64Array): void {
  const { subflows, activeUs, idleUs } = activity;
  into[AT.subflowUpPackets] = up.size.count / subflows;
  into[AT.subflowUpBytes] = up.payload.sum / subflows;
  into[AT.subflowDownPackets] = down.size.count / subflows;
  into[AT.subflowDownBytes] = down.payload.sum / subflows;
  into[AT.activeMeanUs] = activeUs.mean;
  into[AT.activeDeviationUs] = activeUs.deviation;
  into[AT.activeMaxUs] = activeUs.max;
  into[AT.activeMinUs] = activeUs.min;
  into[AT.idleMeanUs] = idleUs.mean;
  into[AT.idleDeviationUs] = idleUs.deviation;
  into[AT.idleMaxUs] = idleUs.max;
  into[AT.idleMinUs] = idleUs.min;
}

function durationUs({ firstUs, lastUs, size }: FlowSummary): number {
  return size.count === 0 ? 0 : lastUs - firstUs;
}
