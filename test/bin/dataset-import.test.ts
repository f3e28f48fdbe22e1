// `sluice dataset import` as a user runs it, on files written by hand (test/fixtures/README.md).

import { existsSync } from 'node:fs';
import { cp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { readManifest } from '../../src/dataset/dataset-manifest.ts';
import { checkSpec, readDataset } from '../../src/dataset/dataset-reader.ts';
import type { DatasetRow } from '../../src/dataset/dataset-schema.ts';
import { featuresOfRow } from '../../src/dataset/row-tensors.ts';
import { PAPER_RULE, PAYLOAD_RULE } from '../../src/features/packet-rule.ts';
import { paperSpec } from '../helpers/features.ts';
import { jsonLines, type Outcome, ROOT, sluice, startSluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const FIXTURES = join(ROOT, 'test/fixtures/import');

async function imported(
  t: ExecutionContext,
  args: readonly string[],
): Promise<Outcome & { readonly out: string }> {
  const out = temporaryFolder('import');
  const outcome = await sluice(['dataset', 'import', ...args, '--out', out]);
  t.is(outcome.code, 0, outcome.stderr);
  return { ...outcome, out };
}

async function rowsOf(out: string): Promise<DatasetRow[]> {
  const rows: DatasetRow[] = [];
  for await (const row of readDataset(out)) rows.push(row);
  return rows;
}

const uint16s = (bytes: Uint8Array | null): number[] =>
  bytes === null ? [] : [...new Uint16Array(new Uint8Array(bytes).buffer)];

test('UC Davis text files become rows by IP length, a folder a class', async (t) => {
  const { out, stderr } = await imported(t, ['ucdavis-txt', join(FIXTURES, 'ucdavis')]);
  t.regex(stderr, /google-doc: 1 flows of ucdavis-quic, 1 converted exactly/);
  const rows = await rowsOf(out);
  t.deepEqual(
    rows
      .map(({ service, application, labelSource, protocol }) => [
        service,
        application,
        labelSource,
        protocol,
      ])
      .sort(),
    [
      ['search', 'google-search', 'app', 'tcp'],
      ['web', 'google-docs', 'app', 'udp'],
    ],
  );
  const quic = rows.find(({ protocol }) => protocol === 'udp');
  t.deepEqual(uint16s(quic?.ipLengths ?? null), [1378, 1378, 53, 66]);
  t.is(quic?.payloadLengths, null);
  t.is(quic?.startUs, 1_527_853_149_448_858);
  t.is(quic?.serverPort, null);
  const { sources } = await readManifest(out);
  t.is(sources['ucdavis-quic']?.size, 'ip');
  t.is(sources['ucdavis-quic']?.conversion, 'exact');
});

test('a row of an import gives the features of its definition, and no other', async (t) => {
  const { out } = await imported(t, ['ucdavis-txt', join(FIXTURES, 'ucdavis')]);
  const manifest = await readManifest(out);
  const spec = { ...paperSpec(8), packets: 8, size: 'signed-bytes' as const };
  t.notThrows(() => checkSpec(manifest, { ...spec, counted: PAPER_RULE }));
  t.throws(() => checkSpec(manifest, { ...spec, counted: PAYLOAD_RULE }), {
    code: 'ERR_DATASET',
  });
  const quic = (await rowsOf(out)).find(({ protocol }) => protocol === 'udp');
  if (quic === undefined) return t.fail();
  const { series } = featuresOfRow(quic, { ...spec, counted: PAPER_RULE });
  const sizes = Array.from({ length: 5 }, (_, i) => series[3 * i + 1]);
  t.deepEqual(sizes, [1378, -1378, -53, 66, 0]);
});

const SERIES = ['series-jsonl', join(FIXTURES, 'series.jsonl'), '--set', 'fgnet-d1'];

test('a bad line is named and counted, the others are imported', async (t) => {
  const { out, stderr } = await imported(t, SERIES);
  t.regex(stderr, /series\.jsonl:3: left out: not JSON\n/);
  t.regex(stderr, /3 flows of fgnet-d1, 1 without a service, 1 could not be read/);
  const rows = await rowsOf(out);
  t.deepEqual(
    rows.map(({ service, application }) => [service, application]),
    [
      ['social', 'facebook'],
      [null, 'org.example.unheard'],
      ['streaming', 'youtube'],
    ],
  );
  t.deepEqual(uint16s(rows[0]?.payloadLengths ?? null), [517, 1448, 552, 93, 90]);
  const { captures } = await readManifest(out);
  t.is(captures[0]?.counters.bad, 1);
  t.is(captures[0]?.rows, 3);
});

test('too many bad lines are a fault, and leave nothing behind', async (t) => {
  const out = temporaryFolder('import');
  const bad = await sluice([
    'dataset',
    'import',
    ...SERIES,
    '--max-bad',
    '0',
    '--out',
    out,
  ]);
  t.is(bad.code, 2);
  t.regex(
    bad.stderr,
    /more than 0 flows could not be read.*series\.jsonl:3: not JSON.*--max-bad/,
  );
  t.false(existsSync(join(out, 'dataset.json')));
  t.deepEqual(await readdir(join(out, 'shards')), []);
});

test('fgnet files are imported by version of an app', async (t) => {
  const { out, stdout } = await imported(t, [
    'fgnet-json',
    join(FIXTURES, 'D1'),
    '--json',
  ]);
  const [unit, dataset] = jsonLines(stdout);
  t.like(unit, {
    unit: { name: 'com.spotify.music/8.5', source: 'fgnet-d1', rows: 1, stood: false },
  });
  t.like(dataset, { dataset: { rows: 1, captures: 1 } });
  const [row] = await rowsOf(out);
  t.is(row?.service, 'streaming');
  t.is(row?.durationUs, 750_019);
});

test('CESNET rows are labelled by application, else by server name, which goes no further', async (t) => {
  const csv = join(FIXTURES, 'quic22.csv');
  const { out } = await imported(t, [
    'cesnet-csv',
    csv,
    '--set',
    'cesnet-quic22',
    '--as',
    'ip',
  ]);
  const rows = await rowsOf(out);
  t.deepEqual(
    rows.map(({ service, application, labelSource }) => [
      service,
      application,
      labelSource,
    ]),
    [
      ['streaming', 'youtube', 'name'],
      [null, 'unheard-of', 'app'],
    ],
  );
  t.deepEqual(uint16s(rows[0]?.ipLengths ?? null), [1278, 1278, 628, 63]);
  t.deepEqual(uint16s(rows[1]?.ipLengths ?? null), [1228, 68]);
  t.is((await readManifest(out)).sources['cesnet-quic22']?.conversion, 'exact');
  t.not(rows[0]?.client, rows[1]?.client);
  const bytes = Buffer.from(JSON.stringify(rows));
  for (const word of ['googlevideo', 'example.invalid', '192.0.2', '2001:db8']) {
    t.false(bytes.includes(word), word);
  }
});

test('CESNET files do not tell their set', async (t) => {
  const csv = join(FIXTURES, 'quic22.csv');
  const { code, stderr } = await sluice([
    'dataset',
    'import',
    'cesnet-csv',
    csv,
    '-o',
    temporaryFolder('import'),
  ]);
  t.is(code, 2);
  t.regex(
    stderr,
    /^sluice: cesnet-csv files do not tell which set they are of: give --set/,
  );
});

test('the same files give the same bytes, packed or not', async (t) => {
  const [one, two] = [await imported(t, SERIES), await imported(t, SERIES)];
  const bytes = async (out: string): Promise<Buffer[]> =>
    Promise.all(
      [
        'dataset.json',
        ...(await readdir(join(out, 'shards'))).map((f) => `shards/${f}`),
      ].map((name) => readFile(join(out, name))),
    );
  t.deepEqual(await bytes(one.out), await bytes(two.out));
  const packed = join(temporaryFolder('import'), 'fgnet-d1.jsonl.gz');
  await writeFile(packed, gzipSync(await readFile(join(FIXTURES, 'series.jsonl'))));
  const three = await imported(t, ['series-jsonl', packed]);
  const plain = (rows: DatasetRow[]) => rows.map((row) => ({ ...row, capture: '' }));
  t.deepEqual(plain(await rowsOf(three.out)), plain(await rowsOf(one.out)));
});

test('what stands is not read again; what was made otherwise is made anew', async (t) => {
  const { out } = await imported(t, SERIES);
  const [name = ''] = await readdir(join(out, 'shards'));
  const shard = join(out, 'shards', name);
  const manifest = await readFile(join(out, 'dataset.json'));
  const before = await stat(shard);
  const again = await sluice(['dataset', 'import', ...SERIES, '--out', out]);
  t.regex(again.stderr, /3 flows of fgnet-d1 stood already/);
  t.is((await stat(shard)).mtimeMs, before.mtimeMs);
  t.deepEqual(await readFile(join(out, 'dataset.json')), manifest);
  const apps = join(temporaryFolder('import'), 'apps.yaml');
  await writeFile(
    apps,
    'version: 1\napps: [{application: meta, service: social, names: [com.facebook.katana]}]\n',
  );
  const other = await sluice([
    'dataset',
    'import',
    ...SERIES,
    '--out',
    out,
    '--apps',
    apps,
  ]);
  t.notRegex(other.stderr, /stood already/);
  t.deepEqual((await rowsOf(out))[0]?.application, 'meta');
});

test('definitions are never mixed: one line names both', async (t) => {
  const { out } = await imported(t, ['ucdavis-txt', join(FIXTURES, 'ucdavis')]);
  const manifest = await readFile(join(out, 'dataset.json'));
  const mixed = await sluice(['dataset', 'import', ...SERIES, '--out', out]);
  t.is(mixed.code, 2);
  t.regex(
    mixed.stderr,
    /^sluice: definitions would be mixed: ucdavis-quic in this data set is every packet, by ip length; fgnet-d1 would be packets with payload once each, by payload length\. .*\n$/,
  );
  t.deepEqual(await readFile(join(out, 'dataset.json')), manifest);
  const refused = await sluice([
    'dataset',
    'import',
    ...SERIES,
    '--as',
    'ip',
    '--out',
    out,
  ]);
  t.is(refused.code, 2);
  t.regex(refused.stderr, /fgnet-d1 left out packets/);
});

test('sources of one definition are pooled, and say how they came to it', async (t) => {
  const { out } = await imported(t, [...SERIES, '--as', 'ip-payload']);
  const joined = await sluice([
    ...['dataset', 'import', 'ucdavis-txt', join(FIXTURES, 'ucdavis')],
    ...['--as', 'ip-payload', '--out', out],
  ]);
  t.is(joined.code, 0, joined.stderr);
  const { sources, rows } = await readManifest(out);
  t.is(rows, 5);
  const info = await sluice(['dataset', 'info', out]);
  t.regex(
    info.stderr,
    /fgnet-d1: packets with payload once each, by IP and payload length; conversion: estimated; left out: zero-payload/,
  );
  const [told] = jsonLines((await sluice(['dataset', 'info', '--json', out])).stdout);
  t.like(told, { definitions: { 'fgnet-d1': { conversion: 'estimated' } } });
  t.deepEqual(
    Object.entries(sources).map(([name, { size, conversion }]) => [
      name,
      size,
      conversion,
    ]),
    [
      ['fgnet-d1', 'both', 'estimated'],
      ['ucdavis-quic', 'both', 'estimated'],
    ],
  );
});

test('SIGINT stops an import, and the same command goes on', async (t) => {
  const source = join(temporaryFolder('import'), 'ucdavis');
  await cp(join(FIXTURES, 'ucdavis'), source, { recursive: true });
  // A class of many packets, so that there is time to stop in it.
  const line = (i: number) => `1527853149.5\t${i / 1000}\t${100 + (i % 900)}\t${i % 2}\n`;
  const text = Array.from({ length: 20_000 }, (_, i) => line(i)).join('');
  for (let i = 0; i < 60; i++) {
    await writeFile(join(source, 'google-search', `Many-${i}.txt`), text);
  }
  const out = temporaryFolder('import');
  const args = ['dataset', 'import', 'ucdavis-txt', source, '--out', out];
  const running = startSluice(args);
  await running.said('google-doc: 1 flows');
  const ended = await running.stop('SIGINT');
  t.is(ended.code, 130, ended.stderr);
  t.regex(ended.stderr, /stopped; the same command goes on where it was/);
  t.false(existsSync(join(out, 'dataset.json')));
  t.is((await readdir(join(out, 'shards'))).length, 1);
  const again = await sluice(args);
  t.is(again.code, 0, again.stderr);
  t.regex(again.stderr, /google-doc: 1 flows of ucdavis-quic stood already/);
  t.is((await readManifest(out)).rows, 62);
});

const wrong = test.macro({
  title: (_, what: string) => `${what} is wrong input: one line, exit code 2`,
  async exec(t, _what: string, args: readonly string[], expected: RegExp) {
    const out = temporaryFolder('import');
    const { code, stderr } = await sluice(['dataset', 'import', ...args, '--out', out]);
    t.is(code, 2);
    t.regex(stderr, expected);
    t.notRegex(stderr, /\n\s+at /);
  },
});
test(wrong, 'an unknown format', ['pcap', 'x'], /Expected one of ucdavis-txt/);
test(
  wrong,
  'no such file',
  ['series-jsonl', '/nowhere.jsonl'],
  /nowhere\.jsonl: cannot be read \(ENOENT\)/,
);
test(
  wrong,
  'a folder without such files',
  ['cesnet-csv', FIXTURES, '--set', 'fgnet-d1', '--apps', '/nowhere'],
  /apps \/nowhere/,
);
test(
  wrong,
  'a set that nobody knows',
  ['series-jsonl', join(FIXTURES, 'series.jsonl')],
  /no set is called "series"/,
);
test(
  wrong,
  'a file of another format',
  ['cesnet-csv', join(FIXTURES, 'series.jsonl'), '--set', 'cesnet-quic22'],
  /series\.jsonl:1: no column PPI/,
);

test('gzip data that breaks off is a fault of the file', async (t) => {
  const path = join(temporaryFolder('import'), 'fgnet-d1.jsonl.gz');
  const packed = gzipSync(await readFile(join(FIXTURES, 'series.jsonl')));
  await writeFile(path, packed.subarray(0, packed.length - 20));
  const { code, stderr } = await sluice([
    'dataset',
    'import',
    'series-jsonl',
    path,
    '-o',
    temporaryFolder('import'),
  ]);
  t.is(code, 2);
  t.regex(stderr, /gzip data is damaged or breaks off/);
});
