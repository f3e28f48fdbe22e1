// Features as `sluice features` tells them against a calculation over tshark's fields: every statistic of every flow that both
// see as one, and which packets are behind.

import { SERIES_STEPS_MAX } from '../../src/features/shapes.ts';
import { STATISTICS, type StatisticName } from '../../src/features/statistics-table.ts';
import { close, type Named } from '../helpers/features.ts';
import { naiveStatistics } from '../helpers/naive-statistics.ts';
import { type TsharkPacket, tupleKey } from '../helpers/tshark.ts';

/** Longer TCP packets are split in the series: an offload had joined them. */
const MTU = 1_500;
/** Sums of doubles in another order. */
const TOLERANCE = 1e-6;
/** All others are whole numbers, and have to be equal. */
const ROUNDED = /Us$|Mean|Deviation|Variance|PerSecond|Ratio|subflow/;

export interface FeatureLine {
  readonly file: string;
  readonly protocol: string;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly packets: number;
  readonly bytes: number;
  readonly startUs: number;
  readonly series: readonly (readonly number[])[];
  readonly statistics: Readonly<Record<string, number | string | null>>;
}

export const keyOf = (line: FeatureLine): string =>
  tupleKey(line.protocol, [line.client, line.clientPort], [line.server, line.serverPort]);

/** Since the first packet, exact to the nanosecond. */
function microsSince(first: string, epoch: string): number {
  const nanos = (text: string) => {
    const [seconds = '', fraction = ''] = text.split('.');
    return BigInt(seconds + fraction.padEnd(9, '0').slice(0, 9));
  };
  // The record has no time before its first packet's.
  return Math.max(0, Number(nanos(epoch) - nanos(first))) / 1000;
}

function oracle(line: FeatureLine, packets: readonly TsharkPacket[]): Named {
  const client = `${line.client} ${line.clientPort}`;
  const windowOf = (up: boolean): number => {
    const first = packets.find(({ from }) => (from === client) === up);
    return first === undefined || line.protocol === 'udp' ? Number.NaN : first.window;
  };
  return naiveStatistics({
    packets: packets.map((packet) => ({
      timeUs: microsSince(packets[0]?.epoch ?? '', packet.epoch),
      up: packet.from === client,
      ipLength: packet.bytes,
      payload: packet.payloadBytes,
      flags: packet.tcpFlags,
    })),
    windowUp: windowOf(true),
    windowDown: windowOf(false),
  });
}

/** Packets that start before the end of what their sender had sent, from sequence numbers. */
function behindOf(packets: readonly TsharkPacket[]): number {
  const ends = new Map<string, number>();
  let behind = 0;
  for (const { from, sequence, payloadBytes, tcpFlags } of packets) {
    const length = payloadBytes + (tcpFlags & 2 ? 1 : 0) + (tcpFlags & 1 ? 1 : 0);
    const before = ends.get(from);
    if (before !== undefined && length === 0) continue;
    // The signed distance on the circle of 2^32 numbers.
    if (before !== undefined && ((sequence - before) | 0) < 0) behind++;
    const end = (sequence + length) >>> 0;
    if (before === undefined || ((end - before) | 0) >= 0) ends.set(from, end);
  }
  return behind;
}

const numberOf = (value: number | string | null | undefined): number =>
  value === null || value === undefined ? Number.NaN : Number(value);

function reasonToLeaveOut(
  line: FeatureLine,
  packets: readonly TsharkPacket[],
): string | undefined {
  if (packets.length !== line.packets) return 'several flows on one five-tuple';
  const tcp = line.protocol === 'tcp';
  if (tcp && packets.some(({ bytes }) => bytes > MTU)) return 'joined by an offload';
  if (packets.length > SERIES_STEPS_MAX) return 'longer than the series';
  // Counted, but one packet of the series.
  if (packets.length !== line.series.length) return 'a SYN sent again at once';
  return undefined;
}

export class FeatureComparison {
  flows = 0;
  /** Flows by the reason. */
  readonly leftOut: Record<string, number> = {};
  behind = 0;
  readonly different: string[] = [];
  readonly worst = new Map<StatisticName, number>();

  /** @param once lines of the same flows without packets that are behind */
  compare(
    file: string,
    lines: readonly FeatureLine[],
    once: readonly FeatureLine[],
    packets: ReadonlyMap<string, readonly TsharkPacket[]>,
  ): void {
    lines.forEach((line, i) => {
      const own = packets.get(keyOf(line)) ?? [];
      const reason = reasonToLeaveOut(line, own);
      if (reason !== undefined) {
        this.leftOut[reason] = (this.leftOut[reason] ?? 0) + 1;
        return;
      }
      this.flows++;
      this.#statistics(`${file} ${keyOf(line)}`, line, oracle(line, own));
      const behind = line.protocol === 'tcp' ? behindOf(own) : 0;
      this.behind += behind;
      const counted = once[i]?.series.length ?? 0;
      if (counted !== own.length - behind) {
        this.different.push(
          `${file} ${keyOf(line)}: ${own.length - counted} packets behind, tshark's numbers say ${behind}`,
        );
      }
    });
  }

  #statistics(name: string, { statistics }: FeatureLine, want: Named): void {
    for (const statistic of STATISTICS) {
      const got = numberOf(statistics[statistic]);
      const expected = want[statistic];
      if (!close(got, expected, ROUNDED.test(statistic) ? TOLERANCE : 0)) {
        this.different.push(`${name}: ${statistic} ${got}, from tshark ${expected}`);
        continue;
      }
      if (!Number.isFinite(expected)) continue;
      const off = Math.abs(got - expected) / Math.max(1, Math.abs(expected));
      this.worst.set(statistic, Math.max(this.worst.get(statistic) ?? 0, off));
    }
  }
}
