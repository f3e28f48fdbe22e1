// Real captures through `sluice features` and through tshark: packets, IP bytes and first packet time of every five-tuple
// that carried payload, and every statistic. Captures and tshark are no part of the repository: without them the tests are
// skipped.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import {
  packetsByTshark,
  type Totals,
  totalsOf,
  tsharkVersion,
} from '../helpers/tshark.ts';
import { FeatureComparison, type FeatureLine, keyOf } from './feature-comparison.ts';

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

type Counted = Pick<Totals, 'packets' | 'bytes' | 'firstUs'>;

/** Of several captures: a start of Node for each would take longer than the captures. */
async function linesOf(
  files: readonly string[],
  ...args: string[]
): Promise<FeatureLine[]> {
  const raw = ['--steps', '1024', '--iat', 'seconds', '--size', 'signed-bytes'];
  const { stdout } = await sluice(['features', '--json', ...raw, ...args, ...files]);
  return jsonLines(stdout) as unknown as FeatureLine[];
}

/** By five-tuple; flows of one five-tuple are summed. */
function sluiceTotals(lines: readonly FeatureLine[]): Map<string, Counted> {
  const totals = new Map<string, Counted>();
  for (const line of lines) {
    const before = totals.get(keyOf(line)) ?? { packets: 0, bytes: 0, firstUs: Infinity };
    totals.set(keyOf(line), {
      packets: before.packets + line.packets,
      bytes: before.bytes + line.bytes,
      firstUs: Math.min(before.firstUs, line.startUs),
    });
  }
  return totals;
}

interface Comparison {
  readonly equal: number;
  /** Each in words. */
  readonly different: readonly string[];
}

function compare(
  ours: ReadonlyMap<string, Counted>,
  theirs: ReadonlyMap<string, Totals>,
): Comparison {
  const words = (totals: Counted | undefined): string =>
    totals === undefined
      ? 'none'
      : `${totals.packets} packets, ${totals.bytes} bytes, from ${totals.firstUs}`;
  let equal = 0;
  const different: string[] = [];
  for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
    const own = ours.get(key);
    const other = theirs.get(key);
    // Counted by us as well, not listed.
    if (own === undefined && other?.payloadBytes === 0) continue;
    if (words(own) === words(other)) equal++;
    else different.push(`${key}: sluice ${words(own)}; tshark ${words(other)}`);
  }
  return { equal, different };
}

interface Compared {
  readonly files: number;
  readonly features: FeatureComparison;
  equal: number;
  readonly different: string[];
}

/** Captures of one run of the command line. */
const AT_ONCE = 10;

async function compareSome(files: readonly string[], into: Compared): Promise<void> {
  const lines = await linesOf(files);
  const once = await linesOf(files, '--no-repeats');
  for (const file of files) {
    const packets = await packetsByTshark(file);
    const own = lines.filter((line) => line.file === file);
    const totals = compare(sluiceTotals(own), totalsOf(packets));
    into.equal += totals.equal;
    into.different.push(...totals.different.map((words) => `${file}: ${words}`));
    const behindLess = once.filter((line) => line.file === file);
    into.features.compare(file, own, behindLess, packets);
  }
}

async function compareAll(): Promise<Compared> {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name !== 'flows.tsv')
      .map((name) => join(folder, name)),
  );
  const features = new FeatureComparison();
  const compared: Compared = { files: files.length, features, equal: 0, different: [] };
  const queue = Array.from({ length: Math.ceil(files.length / AT_ONCE) }, (_, i) =>
    files.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  );
  const worker = async (): Promise<void> => {
    for (let some = queue.shift(); some !== undefined; some = queue.shift()) {
      await compareSome(some, compared);
    }
  };
  await Promise.all([worker(), worker()]);
  return compared;
}

/** Once for both tests: tshark takes its time. */
let comparing: Promise<Compared> | undefined;
const compared = (): Promise<Compared> => {
  comparing ??= compareAll();
  return comparing;
};

corpusTest(
  'five-tuples have the packets, bytes and first time that tshark counts',
  async (t) => {
    t.timeout(1_200_000);
    const { files, equal, different } = await compared();
    t.log(`tshark ${version}: ${files} captures, ${equal} five-tuples equal`);
    t.deepEqual(different, []);
    t.true(equal > 0);
  },
);

corpusTest('every statistic is what tshark’s fields give', async (t) => {
  t.timeout(1_200_000);
  const { features } = await compared();
  const { flows, leftOut, behind, different, worst } = features;
  const exact = [...worst.values()].filter((off) => off === 0).length;
  t.log(
    `${flows} flows compared, left out ${JSON.stringify(leftOut)}; ${worst.size} of ${STATISTICS.length} statistics had a value, ${exact} of them equal to the last bit, the others within ${Math.max(...worst.values())}; ${behind} packets behind`,
  );
  t.deepEqual(different.slice(0, 20), []);
  t.true(flows > 1000);
  t.true(worst.size >= 90);
});
