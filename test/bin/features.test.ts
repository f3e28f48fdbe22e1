// `sluice features` and `sluice plot` as their users run them.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { compressors } from '../helpers/gzip.ts';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const DEMO = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');
const BUNDLE = join(ROOT, 'models/bundles/router-cnn');

const folder = temporaryFolder('features');

interface Line {
  readonly packets: number;
  readonly handshake: { readonly state: string; readonly sni: string | null };
  readonly handshakeBytes: string;
  readonly series: readonly (readonly number[])[];
  readonly statistics: Readonly<Record<string, number | string | null>>;
  readonly normalisedStatistics?: readonly number[];
}

async function features(...args: string[]): Promise<Line[]> {
  const { code, stdout, stderr } = await sluice(['features', '--json', ...args]);
  if (code !== 0) throw new Error(stderr);
  return jsonLines(stdout) as unknown as Line[];
}

test('a line of features --json is the line of flows, and the three inputs', async (t) => {
  const [lines, flows] = await Promise.all([
    features(DEMO),
    sluice(['flows', '--json', DEMO]).then(({ stdout }) => jsonLines(stdout)),
  ]);
  t.is(lines.length, flows.length);
  lines.forEach((line, i) => {
    const { handshakeBytes, series, statistics, ...rest } = line;
    t.deepEqual(rest as unknown, flows[i]);
    t.is(Buffer.from(handshakeBytes, 'base64').length, 1800);
    t.is(series.length, Math.min(128, line.packets));
    t.deepEqual(Object.keys(statistics), [...STATISTICS]);
  });
  t.false(JSON.stringify(lines[0]?.handshakeBytes).includes('.example'));
});

test('after N packets a flow is what its first N packets say, handshake included', async (t) => {
  const [whole, early] = await Promise.all([
    features(DEMO),
    features('--packets', '3', DEMO),
  ]);
  t.is(early.length, whole.length);
  early.forEach((line, i) => {
    t.deepEqual(line.series, whole[i]?.series.slice(0, 3));
    t.is(line.packets, whole[i]?.packets ?? 0);
    if (whole[i]?.handshake.state === 'full') {
      t.is(line.handshake.state, 'none');
      t.regex(line.handshakeBytes, /^A+=*$/);
    }
  });
});

test('switches decide what counts and how it is written', async (t) => {
  const [raw, payload] = await Promise.all([
    features('--iat', 'seconds', '--size', 'signed-bytes', '--steps', '1024', DEMO),
    features(
      ...['--count', 'payload', '--no-repeats', '--length', 'payload'],
      ...['--size', 'signed-bytes', '--steps', '9', DEMO],
    ),
  ]);
  for (const line of raw) {
    const [up, down] = [1, -1].map((way) =>
      line.series.reduce(
        (sum, [, size = 0, d]) => (d === way ? sum + Math.abs(size) : sum),
        0,
      ),
    );
    t.is(up, line.statistics.bytesUp as number);
    t.is(down, line.statistics.bytesDown as number);
    t.true(line.series.every(([, size = 0, d = 0]) => Math.sign(size) === d));
  }
  for (const { series } of payload) {
    t.true(series.length <= 9);
    t.true(series.every(([, size]) => size !== 0));
  }
});

test("with a bundle the model's own inputs are told", async (t) => {
  const lines = await features('--bundle', BUNDLE, DEMO);
  for (const line of lines) {
    t.is(line.normalisedStatistics?.length, STATISTICS.length);
    t.true(line.normalisedStatistics?.every((z) => Math.abs(z) <= 4));
  }
});

test('features --parquet holds a row a flow, the same as --json', async (t) => {
  const out = join(folder, 'flows.parquet');
  const { code, stdout, stderr } = await sluice(['features', '--parquet', out, DEMO]);
  t.is(code, 0, stderr);
  t.is(stdout, '');
  const lines = await features(DEMO);
  const file = await asyncBufferFromFile(out);
  const rows = await parquetReadObjects({ file, compressors, utf8: false });
  t.is(rows.length, lines.length);
  rows.forEach((row, i) => {
    const line = lines[i] as Line & Record<string, unknown>;
    for (const name of ['client', 'serverPort', 'protocol', 'endReason'])
      t.is(String(row[name]), String(line[name]), name);
    t.is(Number(row.packets), line.packets);
    const bytes = row.series as Uint8Array;
    const series = new Float32Array(bytes.slice().buffer);
    t.is(series.length, 128 * 3);
    t.deepEqual([...series.subarray(0, line.series.length * 3)], line.series.flat());
    t.is(
      Buffer.from(row.handshakeBytes as Uint8Array).toString('base64'),
      line.handshakeBytes,
    );
    for (const name of STATISTICS) {
      const value = row[`statistics_${name}`] as number;
      const told = line.statistics[name] ?? null;
      t.is(Number.isNaN(value) ? null : value, told === null ? null : Number(told), name);
    }
  });
  const { key_value_metadata: metadata } = await parquetMetadataAsync(file);
  const told = metadata?.find(({ key }) => key === 'sluice.features')?.value ?? '{}';
  t.is(JSON.parse(told).seriesSteps, 128);
});

test('people get a table of the same flows', async (t) => {
  const { code, stdout } = await sluice(['features', DEMO]);
  t.is(code, 0);
  const [head = '', ...rows] = stdout.trimEnd().split('\n');
  t.regex(head, /^client .*pkts up .*mean down/);
  t.true(rows.length >= 40);
});

const wrong = test.macro({
  async exec(t, args: readonly string[], words: RegExp) {
    const { code, stdout, stderr } = await sluice(args);
    t.is(code, 2);
    t.is(stdout, '');
    t.is(stderr.trimEnd().split('\n').length, 1, stderr);
    t.regex(stderr, words);
  },
  title: (_title, args: readonly string[]) =>
    `wrong input ends with 2 and one line: ${args.join(' ')}`,
});
test(wrong, ['features', '--json', '--steps', '1025', DEMO], /1 to 1024/);
test(wrong, ['features', '--json', '--count', 'acks', DEMO], /no-bare-acks/);
test(
  wrong,
  ['features', '--json', '--bundle', BUNDLE, '--steps', '9', DEMO],
  /cannot be used with/,
);
test(wrong, ['features', '--json', '--bundle', '/none', DEMO], /bundle \/none/);
test(wrong, ['features', '--parquet', '/none/f.parquet', DEMO], /cannot be written/);
test(wrong, ['features', '--json', '/none.pcap'], /none\.pcap/);
test(wrong, ['plot', DEMO], /--flow/);
test(wrong, ['plot', DEMO, '--flow', '0'], /whole number from 1/);
test(wrong, ['plot', DEMO, '--flow', '9999'], /no flow 9999, it has \d+/);
test(wrong, ['plot', DEMO, '--flow', '1', '--out', '/none/f.svg'], /cannot be written/);

test('a Parquet file that was not finished does not have its name', async (t) => {
  const out = join(folder, 'broken.parquet');
  const { code } = await sluice([
    'features',
    '--parquet',
    out,
    join(ROOT, 'package.json'),
  ]);
  t.is(code, 2);
  t.false(existsSync(`${out}.partial`));
});

test('plot draws a flow as SVG, on standard output or in a file', async (t) => {
  const { code, stdout } = await sluice(['plot', DEMO, '--flow', '1']);
  t.is(code, 0);
  t.regex(stdout, /^<svg xmlns[\s\S]*<\/svg>\n$/);
  const out = join(folder, 'flow.svg');
  const { stdout: none } = await sluice(['plot', DEMO, '--flow', '1', '--out', out]);
  t.is(none, '');
  t.is(readFileSync(out, 'utf8'), stdout);
  const byNumber = await sluice(['plot', DEMO, '--flow', '1', '--x', 'packet']);
  t.true(byNumber.stdout.includes('>packet</text>'));
});
