// Statistics the slow way: every number from a list of its own, in two passes, straight from the words of the table. An
// oracle for src/features, and what packets as tshark tells them are put through; it shares no code with what it checks.

import type { Named } from './features.ts';

interface NaivePacket {
  readonly timeUs: number;
  readonly up: boolean;
  readonly ipLength: number;
  readonly payload: number;
  readonly flags: number;
}

export interface NaiveFlow {
  readonly packets: readonly NaivePacket[];
  /** TCP windows of the first packet each way; NaN where there is none. */
  readonly windowUp: number;
  readonly windowDown: number;
}

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
const mean = (list: readonly number[]): number => sum(list) / list.length;
const variance = (list: readonly number[]): number => {
  if (list.length < 2) return Number.NaN;
  const middle = mean(list);
  return sum(list.map((x) => (x - middle) ** 2)) / (list.length - 1);
};
const deviation = (list: readonly number[]): number => Math.sqrt(variance(list));
const min = (list: readonly number[]): number =>
  list.length === 0 ? Number.NaN : list.reduce((a, b) => Math.min(a, b));
const max = (list: readonly number[]): number =>
  list.length === 0 ? Number.NaN : list.reduce((a, b) => Math.max(a, b));
const gaps = (packets: readonly NaivePacket[]): number[] =>
  packets.slice(1).map((p, i) => p.timeUs - (packets[i]?.timeUs ?? 0));

/** Statistics of packets that all count, by IP length. */
export function naiveStatistics(flow: NaiveFlow): Named {
  const { packets } = flow;
  const up = packets.filter((p) => p.up);
  const down = packets.filter((p) => !p.up);
  const times = packets.map((p) => p.timeUs);
  const durationUs = packets.length === 0 ? 0 : (times.at(-1) ?? 0) - (times[0] ?? 0);
  return {
    durationUs,
    ...volumes(up, down),
    ...lengths(packets, up, down),
    ...interArrivals(packets, up, down),
    ...rates(packets, up, down, durationUs / 1e6),
    ...flags(packets, up, down),
    ...bulks(packets, true),
    ...bulks(packets, false),
    ...activity(packets, up, down),
    initialWindowUp: flow.windowUp,
    initialWindowDown: flow.windowDown,
    smallPackets: packets.filter((p) => p.payload >= 1 && p.payload <= 127).length,
    fullPackets: packets.filter((p) => p.ipLength >= 1280).length,
    directionChanges: packets.filter((p, i) => i > 0 && p.up !== packets[i - 1]?.up)
      .length,
    firstDownDelayUs: (down[0]?.timeUs ?? Number.NaN) - (times[0] ?? Number.NaN),
  } as Named;
}

function volumes(up: readonly NaivePacket[], down: readonly NaivePacket[]) {
  const bytes = (list: readonly NaivePacket[]) => sum(list.map((p) => p.ipLength));
  const payload = (list: readonly NaivePacket[]) => sum(list.map((p) => p.payload));
  const data = (list: readonly NaivePacket[]) => list.filter((p) => p.payload > 0).length;
  return {
    packetsUp: up.length,
    packetsDown: down.length,
    bytesUp: bytes(up),
    bytesDown: bytes(down),
    payloadBytesUp: payload(up),
    payloadBytesDown: payload(down),
    headerBytesUp: bytes(up) - payload(up),
    headerBytesDown: bytes(down) - payload(down),
    payloadPacketsUp: data(up),
    payloadPacketsDown: data(down),
    downUpPacketRatio: down.length / up.length,
    downUpByteRatio: bytes(down) / bytes(up),
  };
}

function lengths(
  all: readonly NaivePacket[],
  up: readonly NaivePacket[],
  down: readonly NaivePacket[],
): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [way, list] of [
    ['', all] as const,
    ['Up', up] as const,
    ['Down', down] as const,
  ]) {
    for (const [name, values] of [
      [`payload${way}`, list.map((p) => p.payload)] as const,
      [`size${way}`, list.map((p) => p.ipLength)] as const,
    ]) {
      found[`${name}Min`] = min(values);
      found[`${name}Max`] = max(values);
      found[`${name}Mean`] = mean(values);
      found[`${name}Deviation`] = deviation(values);
    }
  }
  found.payloadVariance = variance(all.map((p) => p.payload));
  found.headerUpMin = min(up.map((p) => p.ipLength - p.payload));
  found.headerDownMin = min(down.map((p) => p.ipLength - p.payload));
  return found;
}

function interArrivals(
  all: readonly NaivePacket[],
  up: readonly NaivePacket[],
  down: readonly NaivePacket[],
): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [way, list] of [
    ['', all] as const,
    ['Up', up] as const,
    ['Down', down] as const,
  ]) {
    const values = gaps(list);
    if (way !== '') found[`iat${way}TotalUs`] = sum(values);
    found[`iat${way}MeanUs`] = mean(values);
    found[`iat${way}DeviationUs`] = deviation(values);
    found[`iat${way}MaxUs`] = max(values);
    found[`iat${way}MinUs`] = min(values);
  }
  return found;
}

function rates(
  all: readonly NaivePacket[],
  up: readonly NaivePacket[],
  down: readonly NaivePacket[],
  seconds: number,
) {
  return {
    payloadBytesPerSecond: sum(all.map((p) => p.payload)) / seconds,
    bytesPerSecond: sum(all.map((p) => p.ipLength)) / seconds,
    packetsPerSecond: all.length / seconds,
    packetsPerSecondUp: up.length / seconds,
    packetsPerSecondDown: down.length / seconds,
  };
}

const FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'] as const;

function flags(
  all: readonly NaivePacket[],
  up: readonly NaivePacket[],
  down: readonly NaivePacket[],
): Record<string, number> {
  const having = (list: readonly NaivePacket[], flag: (typeof FLAGS)[number]) =>
    list.filter((p) => (p.flags & (1 << FLAGS.indexOf(flag))) !== 0).length;
  return {
    ...Object.fromEntries(FLAGS.map((flag) => [`${flag}Packets`, having(all, flag)])),
    pshPacketsUp: having(up, 'psh'),
    pshPacketsDown: having(down, 'psh'),
    urgPacketsUp: having(up, 'urg'),
    urgPacketsDown: having(down, 'urg'),
  };
}

function bulks(all: readonly NaivePacket[], up: boolean): Record<string, number> {
  const runs: NaivePacket[][] = [];
  let last: NaivePacket | undefined;
  for (const packet of all.filter((p) => p.payload > 0)) {
    const near = last?.up === packet.up && packet.timeUs - last.timeUs <= 1e6;
    if (near) runs.at(-1)?.push(packet);
    else runs.push([packet]);
    last = packet;
  }
  const own = runs.filter((run) => run[0]?.up === up && run.length >= 4);
  const bytes = sum(own.flat().map((p) => p.payload));
  const us = sum(own.map((run) => sum(gaps(run))));
  const way = up ? 'Up' : 'Down';
  return {
    [`bulk${way}BytesMean`]: bytes / own.length,
    [`bulk${way}PacketsMean`]: own.flat().length / own.length,
    [`bulk${way}BytesPerSecond`]: bytes / (us / 1e6),
  };
}

/** Packets in groups: a longer gap begins another one. */
function groups(all: readonly NaivePacket[], longestUs: number): NaivePacket[][] {
  const found: NaivePacket[][] = [];
  for (const [i, packet] of all.entries()) {
    const gap = packet.timeUs - (all[i - 1]?.timeUs ?? 0);
    if (i > 0 && gap <= longestUs) found.at(-1)?.push(packet);
    else found.push([packet]);
  }
  return found;
}

function activity(
  all: readonly NaivePacket[],
  up: readonly NaivePacket[],
  down: readonly NaivePacket[],
): Record<string, number> {
  const subflows = groups(all, 1e6).length;
  const active = groups(all, 5e6)
    .map((group) => (group.at(-1)?.timeUs ?? 0) - (group[0]?.timeUs ?? 0))
    .filter((us) => us > 0);
  const idle = gaps(all).filter((us) => us > 5e6);
  const four = (name: string, values: readonly number[]) => ({
    [`${name}MeanUs`]: mean(values),
    [`${name}DeviationUs`]: deviation(values),
    [`${name}MaxUs`]: max(values),
    [`${name}MinUs`]: min(values),
  });
  return {
    subflowUpPackets: up.length / subflows,
    subflowUpBytes: sum(up.map((p) => p.payload)) / subflows,
    subflowDownPackets: down.length / subflows,
    subflowDownBytes: sum(down.map((p) => p.payload)) / subflows,
    ...four('active', active),
    ...four('idle', idle),
  };
}
