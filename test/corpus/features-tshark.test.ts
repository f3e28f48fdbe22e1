// Real captures through `sluice features` and through a calculation over tshark's fields: every statistic of every flow
// that tshark shows alone, and which packets are behind. Captures and tshark are no part of the repository: without them
// the test is skipped.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { STATISTICS, type StatisticName } from '../../src/features/statistics-table.ts';
import { close, type Named } from '../helpers/features.ts';
import { naiveStatistics } from '../helpers/naive-statistics.ts';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import {
  readByTshark,
  type TsharkPacket,
  tsharkVersion,
  tupleKey,
} from '../helpers/tshark.ts';

const FOLDERS = ['captures', 'captures-mobile'].map((name) =>
  join(ROOT, '../shared/corpus', name),
);
const absent = FOLDERS.filter((folder) => !existsSync(folder));
const version = tsharkVersion();
if (absent.length > 0) console.log(`skipped: no real captures at ${absent.join(', ')}`);
if (version === undefined) {
  console.log('skipped: tshark is not installed, apt-get install tshark');
}
const corpusTest = absent.length === 0 && version !== undefined ? test : test.skip;

/** Longer TCP packets are split in the series: an offload had joined them. */
const MTU = 1_500;
/** Captures of one run of the command line. */
const AT_ONCE = 10;
/** Whole numbers and single differences are exact; the rest are sums of doubles in another order. */
const TOLERANCE = 1e-6;

interface Line {
  readonly file: string;
  readonly protocol: string;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly packets: number;
  readonly series: readonly (readonly number[])[];
  readonly statistics: Readonly<Record<string, number | string | null>>;
}

const keyOf = (line: Line): string =>
  tupleKey(line.protocol, [line.client, line.clientPort], [line.server, line.serverPort]);

/** Of several captures: a start of Node for each would take longer than the captures. */
async function linesOf(files: readonly string[], ...args: string[]): Promise<Line[]> {
  const raw = ['--steps', '1024', '--iat', 'seconds', '--size', 'signed-bytes'];
  const { stdout } = await sluice(['features', '--json', ...raw, ...args, ...files]);
  return jsonLines(stdout) as unknown as Line[];
}

/** Since the first packet, exact to the nanosecond. */
function microsSince(first: string, epoch: string): number {
  const nanos = (text: string) => {
    const [seconds = '', fraction = ''] = text.split('.');
    return BigInt(seconds + fraction.padEnd(9, '0').slice(0, 9));
  };
  // The record has no time before its first packet's.
  return Math.max(0, Number(nanos(epoch) - nanos(first))) / 1000;
}

function oracle(line: Line, packets: readonly TsharkPacket[]): Named {
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

class Comparison {
  flows = 0;
  /** Of flows that tshark and sluice part differently, or whose packets an offload had joined. */
  leftOut = 0;
  behind = 0;
  readonly different: string[] = [];
  readonly worst = new Map<StatisticName, number>();

  async compare(files: readonly string[]): Promise<void> {
    const lines = await linesOf(files);
    const once = await linesOf(files, '--no-repeats');
    for (const file of files) {
      await this.#file(
        file,
        lines.filter((line) => line.file === file),
        once.filter((line) => line.file === file),
      );
    }
  }

  async #file(file: string, lines: readonly Line[], once: readonly Line[]) {
    const packets = new Map<string, TsharkPacket[]>();
    await readByTshark(file, (packet) => {
      const own = packets.get(packet.key);
      if (own === undefined) packets.set(packet.key, [packet]);
      else own.push(packet);
    });
    lines.forEach((line, i) => {
      const own = packets.get(keyOf(line)) ?? [];
      const joined = line.protocol === 'tcp' && own.some(({ bytes }) => bytes > MTU);
      if (own.length !== line.packets || own.length !== line.series.length || joined) {
        this.leftOut++;
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

  #statistics(name: string, { statistics }: Line, want: Named): void {
    for (const statistic of STATISTICS) {
      const got = numberOf(statistics[statistic]);
      const expected = want[statistic];
      if (!close(got, expected, TOLERANCE)) {
        this.different.push(`${name}: ${statistic} ${got}, from tshark ${expected}`);
        continue;
      }
      if (!Number.isFinite(expected)) continue;
      const off = Math.abs(got - expected) / Math.max(1, Math.abs(expected));
      this.worst.set(statistic, Math.max(this.worst.get(statistic) ?? 0, off));
    }
  }
}

corpusTest('every statistic is what tshark’s fields give', async (t) => {
  t.timeout(600_000);
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name !== 'flows.tsv')
      .map((name) => join(folder, name)),
  );
  const comparison = new Comparison();
  const queue = Array.from({ length: Math.ceil(files.length / AT_ONCE) }, (_, i) =>
    files.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  );
  const worker = async (): Promise<void> => {
    for (let some = queue.shift(); some !== undefined; some = queue.shift()) {
      await comparison.compare(some);
    }
  };
  await Promise.all([worker(), worker()]);
  const { flows, leftOut, behind, different, worst } = comparison;
  const exact = [...worst.values()].filter((off) => off === 0).length;
  t.log(
    `tshark ${version}: ${files.length} captures, ${flows} flows compared, ${leftOut} left out; ${worst.size} of ${STATISTICS.length} statistics had a value, ${exact} of them equal to the last bit, the others within ${Math.max(...worst.values())}; ${behind} packets behind`,
  );
  t.deepEqual(different.slice(0, 20), []);
  t.true(flows > 1000);
  t.true(worst.size >= 90);
});
