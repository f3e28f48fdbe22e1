// Rows written are the rows read, whatever they hold and whichever columns are asked for.

import { existsSync } from 'node:fs';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { fileSha256, ShardWriter, shardPath } from '../../src/dataset/dataset-file.ts';
import {
  CAPTURE_SOURCE,
  type CaptureEntry,
  type DatasetOptions,
  makeManifest,
  readManifest,
  writeManifest,
} from '../../src/dataset/dataset-manifest.ts';
import {
  checkSpec,
  holdsRule,
  readDataset,
  shardDescription,
  verifyDataset,
} from '../../src/dataset/dataset-reader.ts';
import {
  COLUMNS,
  type ColumnName,
  type DatasetRow,
} from '../../src/dataset/dataset-schema.ts';
import { FEATURE_VERSION, PAPER_PACKETS } from '../../src/features/features.ts';
import { PAPER_RULE, PAYLOAD_RULE } from '../../src/features/packet-rule.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { OCCLUSION_VERSION } from '../../src/handshake/occlusion.ts';
import { all } from '../helpers/dataset-build.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const ID = '0123456789abcdef';
const OPTIONS: DatasetOptions = {
  featureVersion: FEATURE_VERSION,
  occlusion: { version: OCCLUSION_VERSION, shown: ['cipherInfo'] },
  storedPackets: 128,
  looks: [3],
  keepSni: true,
  labelsSha256: null,
};
const DESCRIPTION = {
  recipe: 'r',
  digest: 'd',
  options: OPTIONS,
  source: 'capture',
  counters: { frames: 7 },
};
const ENTRY: CaptureEntry = {
  id: ID,
  name: 'some.pcap',
  source: 'capture',
  rows: 0,
  sha256: '0'.repeat(64),
  counters: { frames: 7 },
};

/** Any value of a column. */
function cell(name: ColumnName): fc.Arbitrary<unknown> {
  const column: { type: string; bytes?: number; nullable?: boolean } = COLUMNS[name];
  const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    string: fc.string({ unit: 'grapheme', maxLength: 12 }),
    int32: fc.integer(),
    int64: fc.maxSafeInteger(),
    boolean: fc.boolean(),
    bytes: fc.uint8Array(
      column.bytes === undefined
        ? { maxLength: 40 }
        : { minLength: column.bytes, maxLength: column.bytes },
    ),
  };
  const value = values[column.type] ?? fc.constant(null);
  return column.nullable === true ? fc.option(value) : value;
}

const anyRow = fc.record({
  ...Object.fromEntries(Object.keys(COLUMNS).map((n) => [n, cell(n as ColumnName)])),
  sni: fc.option(fc.string()),
  statistics_3: fc.constant(new Uint8Array(STATISTICS.length * 8).fill(3)),
  statistics: fc.constant(new Uint8Array(STATISTICS.length * 8)),
}) as unknown as fc.Arbitrary<DatasetRow>;

async function write(folder: string, rows: readonly DatasetRow[]): Promise<void> {
  const shard = new ShardWriter(folder, {
    id: ID,
    looks: OPTIONS.looks,
    keepSni: true,
    description: DESCRIPTION,
  });
  for (const row of rows) shard.add(row);
  shard.finish();
  const sha256 = await fileSha256(shardPath(folder, ID));
  const captures = [{ ...ENTRY, rows: rows.length, sha256 }];
  const sources = { capture: CAPTURE_SOURCE };
  await writeManifest(folder, makeManifest({ options: OPTIONS, sources, captures }));
}

const plain = (row: object) => Object.fromEntries(Object.entries(row));

test('rows come back as they were written, in their order', async (t) => {
  const folder = temporaryFolder('dataset');
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { maxLength: 5 }), async (rows) => {
      await write(folder, rows);
      const read = await all(readDataset(folder));
      t.deepEqual(read.map(plain), rows.map(plain));
    }),
    { numRuns: 40 },
  );
  await verifyDataset(folder, await readManifest(folder));
  t.deepEqual((await shardDescription(shardPath(folder, ID)))?.description, {
    datasetVersion: 1,
    ...DESCRIPTION,
  });
});

const [someRow] = fc.sample(anyRow, { numRuns: 1, seed: 1 });

test('row groups follow on each other, and columns can be chosen', async (t) => {
  const folder = temporaryFolder('dataset');
  if (someRow === undefined) return t.fail();
  const rows = Array.from({ length: 2_500 }, (_, flow) => ({ ...someRow, flow }));
  await write(folder, rows);
  const read = await all(readDataset(folder, { columns: ['flow', 'statistics_3'] }));
  t.deepEqual(
    read.map(({ flow }) => flow),
    rows.map(({ flow }) => flow),
  );
  t.deepEqual(Object.keys(read[0] ?? {}), ['flow', 'statistics_3']);
  const none = await all(readDataset(folder, { captures: () => false }));
  t.deepEqual(none, []);
});

test('the same rows give the same bytes', async (t) => {
  const folders = [temporaryFolder('dataset'), temporaryFolder('dataset')];
  const rows = fc.sample(anyRow, { numRuns: 20, seed: 5 });
  for (const folder of folders) await write(folder, rows);
  const [one, other] = await Promise.all(
    folders.map(async (folder) => [
      await readFile(shardPath(folder, ID)),
      await readFile(join(folder, 'dataset.json')),
    ]),
  );
  t.deepEqual(one, other);
});

test('a shard that was not finished does not have its name', async (t) => {
  const folder = temporaryFolder('dataset');
  const shard = new ShardWriter(folder, {
    id: ID,
    looks: [3],
    keepSni: true,
    description: {},
  });
  if (someRow !== undefined) shard.add(someRow);
  t.false(existsSync(shardPath(folder, ID)));
  shard.discard();
  t.deepEqual(await readdir(join(folder, 'shards')), []);
});

test('a folder that cannot be written, or read, gets its line', async (t) => {
  const folder = temporaryFolder('dataset');
  await writeFile(join(folder, 'shards'), '');
  const options = { id: ID, looks: [3], keepSni: true, description: {} };
  t.throws(() => new ShardWriter(folder, options), { code: 'ERR_OUTPUT' });
  await t.throwsAsync(all(readDataset(folder)), {
    code: 'ERR_DATASET',
    message: /dataset\.json cannot be read \(ENOENT\); expected a folder/,
  });
});

type Damage = (folder: string) => Promise<void>;
const DAMAGES: readonly [title: string, damage: Damage, message: RegExp][] = [
  [
    'a shard is gone',
    (folder) => rm(shardPath(folder, ID)),
    /shard .*parquet cannot be read \(ENOENT\)/,
  ],
  [
    'a shard breaks off',
    (folder) => truncate(shardPath(folder, ID), 900),
    /no whole Parquet/,
  ],
  [
    'the manifest is no JSON',
    (folder) => writeFile(join(folder, 'dataset.json'), '{'),
    /no JSON/,
  ],
  [
    'the manifest is of another version',
    (folder) => writeFile(join(folder, 'dataset.json'), '{"datasetVersion":99}'),
    /version is 99, this program reads 1/,
  ],
  [
    'the manifest lacks something',
    (folder) => writeFile(join(folder, 'dataset.json'), '{"datasetVersion":1}'),
    /dataset\.json: format: /,
  ],
];
for (const [title, damage, message] of DAMAGES) {
  test(`reading says what is wrong: ${title}`, async (t) => {
    const folder = temporaryFolder('dataset');
    await write(folder, someRow === undefined ? [] : [someRow]);
    await damage(folder);
    await t.throwsAsync(all(readDataset(folder)), {
      code: 'ERR_DATASET',
      message,
    });
  });
}

test('a column that is not there is named, with those that are', async (t) => {
  const folder = temporaryFolder('dataset');
  await write(folder, someRow === undefined ? [] : [someRow]);
  await t.throwsAsync(all(readDataset(folder, { columns: ['statistics_7'] })), {
    message: /no column statistics_7; there are flow, capture, /,
  });
});

test('a changed byte is found by --verify', async (t) => {
  const folder = temporaryFolder('dataset');
  await write(folder, someRow === undefined ? [] : [someRow]);
  const bytes = await readFile(shardPath(folder, ID));
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  await writeFile(shardPath(folder, ID), bytes);
  const manifest = await readManifest(folder);
  await t.throwsAsync(verifyDataset(folder, manifest), { message: /has the hash / });
});

test('the content hash goes by ids, not by the order of captures', (t) => {
  const captures = ['aa', 'bb', 'cc'].map((two) => ({ ...ENTRY, id: two.repeat(8) }));
  const of = (list: CaptureEntry[]) =>
    makeManifest({ options: OPTIONS, sources: {}, captures: list });
  t.deepEqual(of(captures), of(captures.toReversed()));
  t.not(of(captures).contentSha256, of(captures.slice(1)).contentSha256);
});

test('a spec that the data set cannot serve is refused', (t) => {
  const manifest = makeManifest({
    options: OPTIONS,
    sources: { capture: CAPTURE_SOURCE },
    captures: [],
  });
  const spec = {
    ...PAPER_PACKETS,
    seriesSteps: 64,
    packets: 128,
    occlusion: { shown: ['cipherInfo'] as const },
  };
  t.notThrows(() => checkSpec(manifest, spec));
  t.throws(() => checkSpec(manifest, { ...spec, occlusion: { shown: [] } }), {
    message: /shows the canary fields "cipherInfo", wanted are ""/,
  });
  t.throws(() => checkSpec(manifest, { ...spec, packets: 129 }), {
    message: /stores 128/,
  });
  const old = { ...manifest, featureVersion: 1 };
  t.throws(() => checkSpec(old, spec), { message: /feature version 1/ });
  const sources = { x: { ...CAPTURE_SOURCE, size: 'payload' as const } };
  t.throws(() => checkSpec({ ...manifest, sources }, spec), { message: /source x/ });
});

test('a source holds a rule where nothing of it was left out', (t) => {
  const payload = {
    ...CAPTURE_SOURCE,
    size: 'payload' as const,
    kinds: 'payload' as const,
  };
  t.true(holdsRule(CAPTURE_SOURCE, PAPER_RULE));
  t.true(holdsRule(CAPTURE_SOURCE, PAYLOAD_RULE));
  t.true(holdsRule(payload, PAYLOAD_RULE));
  t.false(holdsRule(payload, PAPER_RULE));
  t.false(holdsRule({ ...payload, repeats: false }, { ...PAYLOAD_RULE, repeats: true }));
  // Without payload lengths nobody can tell which packets carry any.
  const byIp = { ...CAPTURE_SOURCE, size: 'ip' as const };
  t.true(holdsRule(byIp, PAPER_RULE));
  t.false(holdsRule(byIp, { ...PAPER_RULE, kinds: 'payload' }));
});
