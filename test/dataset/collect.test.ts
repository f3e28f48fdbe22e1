// What `sluice collect` writes: labels, bounds, and nothing that names anybody.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { type CollectOptions, Collector } from '../../src/dataset/collect.ts';
import { parseLabelTable } from '../../src/dataset/label-table.ts';
import type { InputError } from '../../src/errors.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { collectedFiles, collectedRows, unpackedBytes } from '../helpers/collected.ts';
import { CONVERSATION } from '../helpers/packets.ts';
import { makeRecord, type TestRecord } from '../helpers/records.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { clientHello, records } from '../helpers/tls.ts';

const MIB = 1024 * 1024;
const LABELS = parseLabelTable(
  'version: 1\nrules:\n  - {service: mail, application: post, suffixes: [post.example]}\n  - {service: web, suffixes: [example]}\n',
  'test',
);

function collector(own: Partial<CollectOptions> = {}) {
  const directory = temporaryFolder('collect');
  const faults: InputError[] = [];
  const made = new Collector({
    directory,
    labels: LABELS,
    labelsSha256: '0'.repeat(64),
    key: Buffer.alloc(32, 7),
    packets: 128,
    startGrainUs: 3_600_000_000,
    perClass: 0,
    unlabelled: false,
    // Records of tests have no counters.
    minPackets: 0,
    maxSessions: 1_000,
    maxBytes: 64 * MIB,
    rotateBytes: 16 * MIB,
    rotateMs: 60_000,
    finished: () => {},
    failed: (fault) => faults.push(fault),
    ...own,
  });
  return { collector: made, directory, faults };
}

function flowOf(sni: string | undefined, own: Partial<TestRecord> = {}): FlowRecord {
  const hello = records(clientHello(sni === undefined ? {} : { sni }));
  return makeRecord({
    packets: CONVERSATION,
    segments: [{ direction: 'up', sequence: 1, bytes: hello }],
    initialSequenceUp: 1,
    ...own,
  });
}

test('a flow is labelled by its name, and so are those of its session', async (t) => {
  const { collector: made, directory } = collector();
  made.take(flowOf('post.example'), 0);
  made.take(flowOf(undefined), 0);
  made.take(flowOf('www.example', { clientAddress: Uint8Array.of(10, 0, 0, 9) }), 0);
  made.take(flowOf('nobody.test', { clientAddress: Uint8Array.of(10, 0, 0, 8) }), 0);
  made.finish();
  const rows = await collectedRows(directory);
  t.deepEqual(
    rows.map(({ service, application, labelSource }) => [
      service,
      application,
      labelSource,
    ]),
    [
      ['mail', 'post', 'name'],
      ['mail', 'post', 'session'],
      ['web', null, 'name'],
    ],
  );
  t.is(rows[0]?.session, rows[1]?.session);
  t.is(rows[0]?.client, rows[1]?.client);
  t.not(rows[0]?.client, rows[2]?.client);
  t.like(made.counters(), {
    flows: 4,
    byName: 2,
    bySession: 1,
    unlabelled: 1,
    written: 3,
    services: { mail: 2, web: 1 },
  });
});

test('flows without a label are written where they are wanted', async (t) => {
  const { collector: made, directory } = collector({ unlabelled: true });
  made.take(flowOf('nobody.test'), 0);
  made.finish();
  const [row] = await collectedRows(directory);
  t.is(row?.service, null);
  t.is(row?.labelSource, null);
});

test('a frequent class does not drown a rare one', async (t) => {
  const { collector: made } = collector({ perClass: 24 });
  for (let i = 0; i < 50; i++) made.take(flowOf('www.example'), 0);
  const other = Uint8Array.of(10, 0, 0, 9);
  made.take(flowOf('post.example', { clientAddress: other }), 0);
  const { services, sampledOut } = made.counters();
  t.deepEqual(services, { mail: 1, web: 1 });
  t.is(sampledOut, 49);
});

const grain = test.macro({
  title: (_, seconds: number) => `starts with a grain of ${seconds} s`,
  async exec(t, seconds: number, expected: number | null) {
    const { collector: made, directory } = collector({
      startGrainUs: seconds * 1e6,
    });
    const record = flowOf('www.example');
    // 2026-11-25 22:41:32.5 UTC
    new DataView(record.raw.buffer).setBigInt64(48, 1_795_646_492_500_000_000n, true);
    made.take(record, 0);
    made.finish();
    t.is((await collectedRows(directory))[0]?.startUs, expected);
  },
});
test(grain, 3_600, Date.UTC(2026, 10, 25, 22) * 1000);
test(grain, 86_400, Date.UTC(2026, 10, 25) * 1000);
test(grain, 0, null);

/** Bytes that stand nowhere by chance. */
const planted = fc
  .nat()
  .map((seed) => createHash('sha256').update(String(seed)).digest());
const name = planted.map((bytes) => `${bytes.toString('hex').slice(0, 24)}.mail.example`);
const address = planted.map((bytes) => bytes.subarray(0, 16));

/** As the record writes it. */
function textOf(client: Uint8Array): string {
  return makeRecord({ clientAddress: client }).client;
}

test('no file holds a planted name or address, in whatever way it is packed', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, address), { minLength: 1, maxLength: 20 }),
      async (flows) => {
        const { collector: made, directory } = collector();
        for (const [sni, client] of flows) {
          made.take(flowOf(sni, { clientAddress: client }), 0);
        }
        made.finish();
        const [file = ''] = collectedFiles(directory);
        const bytes = await unpackedBytes(file);
        t.true(bytes.includes('collect'));
        for (const [sni, client] of flows) {
          const [first = ''] = sni.split('.');
          t.false(bytes.includes(first), sni);
          t.false(bytes.includes(client), textOf(client));
          t.false(bytes.includes(textOf(client)), textOf(client));
        }
      },
    ),
    { numRuns: 30 },
  );
});

test('pseudonyms of one key are the same over runs, of two keys they are not', async (t) => {
  const clients: string[] = [];
  const sessions = new Set<string>();
  for (const fill of [7, 7, 8]) {
    const { collector: made, directory } = collector({
      key: Buffer.alloc(32, fill),
    });
    made.take(flowOf('www.example'), 0);
    made.finish();
    const [row] = await collectedRows(directory);
    clients.push(row?.client ?? '');
    sessions.add(row?.session ?? '');
  }
  const [one, again, other] = clients;
  t.is(one, again);
  t.not(one, other);
  t.is(sessions.size, 3, "the first session of a run is no other run's");
});

test('a file is ended after its time, and one without rows leaves nothing', async (t) => {
  const { collector: made, directory } = collector();
  made.take(flowOf('www.example'), 1_000);
  made.tick(60_999);
  t.is(collectedFiles(directory).length, 0);
  made.tick(61_000);
  t.is(collectedFiles(directory).length, 1);
  made.tick(200_000);
  made.finish();
  t.is(readdirSync(directory).length, 1);
});

test('files stay within their bounds: the oldest goes first, all rows of the others stand', async (t) => {
  const whole: number[] = [];
  const { collector: made, directory } = collector({
    maxBytes: 150_000,
    rotateBytes: 60_000,
    finished: ({ bytes }) => whole.push(bytes),
  });
  for (let i = 0; i < 10_000; i++) {
    made.take(flowOf('www.example'), i);
    if (i % 1_000 !== 0) continue;
    const total = readdirSync(directory).reduce(
      (sum, file) => sum + statSync(join(directory, file)).size,
      0,
    );
    t.true(total <= 150_000, `${total} bytes after ${i} rows`);
  }
  made.finish();
  t.log(`files of ${whole.join(', ')} bytes`);
  t.true(whole.length >= 4);
  t.true(whole.every((bytes) => bytes <= 60_000));
  const { filesDropped, filesWritten, bytesOnDisk } = made.counters();
  t.true(filesDropped > 0);
  t.is(collectedFiles(directory).length, filesWritten - filesDropped);
  t.true(bytesOnDisk <= 150_000);
  t.is((await collectedRows(directory)).length % 1_000, made.counters().written % 1_000);
});

test('a disk that cannot be written to costs rows, not the run', async (t) => {
  const { collector: made, directory, faults } = collector();
  rmSync(directory, { recursive: true });
  made.take(flowOf('www.example'), 0);
  made.take(flowOf('www.example'), 1_000);
  t.is(faults.length, 1);
  t.regex(faults[0]?.message ?? '', /cannot be written|ENOENT/);
  t.is(made.counters().rowsLost, 2);
  mkdirSync(directory);
  made.take(flowOf('www.example'), 61_000);
  made.finish();
  t.is((await collectedRows(directory)).length, 1);
  t.is(made.counters().written, 1);
});

test('what a run that was killed has left goes at the next start, and nothing else', async (t) => {
  const { collector: made, directory } = collector();
  // A process that has gone, one that lives, another machine's, and files that are not ours.
  const { pid: gone } = spawnSync('true');
  const files = {
    [`collect-1Z-aa-000001.${hostname()}.${gone}.partial`]: true,
    [`collect-1Z-bb-000001.${hostname()}.${process.pid}.partial`]: true,
    [`collect-1Z-cc-000001.elsewhere.${process.ppid}.partial`]: true,
    [`collect-1Z-dd-000001.${hostname()}.${process.ppid}.partial`]: false,
    'notes.partial': false,
    'collect-1Z-ee-000001.parquet': false,
  };
  for (const file of Object.keys(files)) writeFileSync(join(directory, file), 'PAR1');
  t.is(made.removeStale(), 3);
  t.deepEqual(
    readdirSync(directory).sort(),
    Object.keys(files)
      .filter((file) => !files[file])
      .sort(),
  );
});
