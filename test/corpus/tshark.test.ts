// Real captures through `sluice flows` and through tshark: packets, IP bytes and first packet time of every five-tuple
// that carried payload. Captures and tshark are no part of the repository: without them the test is skipped.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import { type Totals, tsharkTotals, tsharkVersion, tupleKey } from '../helpers/tshark.ts';

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

/** By file name and five-tuple; flows of one five-tuple are summed. */
async function sluiceTotals(
  files: readonly string[],
): Promise<Map<string, Map<string, Counted>>> {
  const { stdout } = await sluice(['flows', '--json', ...files]);
  const totals = new Map<string, Map<string, Counted>>();
  for (const line of jsonLines(stdout)) {
    const { file, protocol, client, server } = line as Record<string, string>;
    const { clientPort, serverPort, packets, bytes, startUs } = line as Record<
      string,
      number
    >;
    const key = tupleKey(
      String(protocol),
      [String(client), Number(clientPort)],
      [String(server), Number(serverPort)],
    );
    const tuples = totals.get(String(file)) ?? new Map<string, Counted>();
    totals.set(String(file), tuples);
    const before = tuples.get(key) ?? { packets: 0, bytes: 0, firstUs: Infinity };
    tuples.set(key, {
      packets: before.packets + Number(packets),
      bytes: before.bytes + Number(bytes),
      firstUs: Math.min(before.firstUs, Number(startUs)),
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

corpusTest(
  'five-tuples have the packets, bytes and first time that tshark counts',
  async (t) => {
    t.timeout(600_000);
    const files = FOLDERS.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name !== 'flows.tsv')
        .map((name) => join(folder, name)),
    );
    const ours = await sluiceTotals(files);
    let equal = 0;
    const queue = [...files];
    const worker = async (): Promise<void> => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        const theirs = await tsharkTotals(file);
        const comparison = compare(ours.get(file) ?? new Map(), theirs);
        equal += comparison.equal;
        t.deepEqual(comparison.different, [], file);
      }
    };
    await Promise.all([worker(), worker()]);
    t.log(`tshark ${version}: ${files.length} captures, ${equal} five-tuples equal`);
    t.true(equal > 0);
  },
);
