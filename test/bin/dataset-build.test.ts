// `sluice dataset build` as a user runs it: what it makes, and that it always makes the same.

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { readManifest } from '../../src/dataset/dataset-manifest.ts';
import { readDataset } from '../../src/dataset/dataset-reader.ts';
import { featuresOfRow } from '../../src/dataset/row-tensors.ts';
import { featuresOf, PAPER_PACKETS } from '../../src/features/features.ts';
import { SERIES_STEPS_MAX } from '../../src/features/shapes.ts';
import { emptySummary, readFlows } from '../../src/flow/read-flows.ts';
import { factsOf } from '../../src/handshake/facts.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import {
  all,
  build,
  contentOf,
  DEMO,
  dataset,
  LAB,
  sameContent,
} from '../helpers/dataset-build.ts';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Every name is of one class. */
const ALL_WEB =
  "version: 1\nrules:\n  - service: web\n    application: any\n    patterns: ['.']\n";
const DEMO_LABELS = join(ROOT, 'test/fixtures/lab-demo.labels.jsonl');

/** The demo without labels beside it, unpacked. */
async function plainDemo(folder: string, name = 'plain.pcap'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, gunzipSync(await readFile(DEMO)));
  return path;
}

test('neither the number of workers nor the order of captures changes a byte', async (t) => {
  t.timeout(600_000);
  const folder = temporaryFolder('build');
  const outs = [1, 2, 3].map((workers) => join(folder, String(workers)));
  const [one = '', two = '', three = ''] = outs;
  const summary = await build(t, one, '--workers', '1', LAB, DEMO);
  await build(t, two, '--workers', '2', DEMO, LAB);
  await build(t, three, '--workers', '3', DEMO, LAB, DEMO);
  t.is(summary.captures, 17);
  t.is(summary.built, 17);
  t.true((summary.rows as number) > 1_000);
  await sameContent(t, one, two);
  await sameContent(t, one, three);
});

test('a row holds the features of its flow, and the label beside its capture', async (t) => {
  const folder = temporaryFolder('build');
  await build(t, folder, DEMO);
  const rows = new Map(
    (await all(readDataset(folder))).map((row) => [`${row.startUs} ${row.bytesUp}`, row]),
  );
  const spec = {
    ...PAPER_PACKETS,
    seriesSteps: 128,
    packets: 128,
    occlusion: { shown: [] },
  };
  const table = { seriesPackets: SERIES_STEPS_MAX };
  const services = new Map(
    jsonLines(await readFile(DEMO_LABELS, 'utf8')).map((line) => [
      `${line.client} ${line.clientPort}`,
      line,
    ]),
  );
  const sessions = new Set<string>();
  let [flows, labelled] = [0, 0];
  for await (const batch of readFlows(DEMO, table, emptySummary())) {
    for (const flow of batch) {
      flows++;
      const row = rows.get(`${flow.startUs} ${flow.bytes.up}`);
      if (row === undefined) return t.fail('no row');
      const handshake = handshakeOf(flow);
      t.deepEqual(featuresOfRow(row, spec), featuresOf(flow, handshake, spec));
      const { state, alpn, version } = factsOf(handshake);
      t.is(row.handshakeState, state);
      t.is(row.alpn, alpn);
      t.is(row.version, version);
      const acted = services.get(`${flow.client} ${flow.clientPort}`);
      t.is(row.source, 'lab');
      if (acted === undefined) continue;
      labelled++;
      t.is(row.service, acted.service as string);
      t.is(row.labelSource, 'acted');
      t.is(row.seed, acted.seed as number);
      t.is(row.clientSoftware, acted.clientProfile as string);
      sessions.add(row.session);
    }
  }
  t.is(rows.size, flows);
  t.deepEqual(
    [...rows.values()].map(({ flow }) => flow),
    Array.from({ length: flows }, (_, i) => i),
  );
  t.is(labelled, services.size);
  // Sessions are those that were acted.
  const acted = new Set([...services.values()].map(({ session }) => session));
  t.is(sessions.size, acted.size);
});

test('without labels beside a capture names decide, and sessions spread them', async (t) => {
  const folder = temporaryFolder('build');
  const capture = await plainDemo(folder);
  const labels = join(folder, 'labels.yaml');
  await writeFile(labels, ALL_WEB);
  await build(t, join(folder, 'out'), capture, '--labels', labels);
  const every = await all(readDataset(join(folder, 'out')));
  t.true(every.every(({ source }) => source === 'capture'));
  t.true(every.every(({ kind, service }) => (kind !== null) === (service !== null)));
  const rows = every.filter(({ kind }) => kind !== null);
  t.true(rows.length >= 40);
  t.true(rows.every(({ service }) => service === 'web'));
  t.true(rows.every((row) => row.labelSource === 'name' && row.application === 'any'));
  const info = await dataset('info', '--json', '--labels', labels, capture);
  t.is(
    new Set(rows.map(({ session }) => session)).size,
    oneLine(info.stdout).sessions ?? 0,
  );
});

const oneLine = (text: string): Record<string, number> =>
  jsonLines(text)[0] as Record<string, number>;

test('what is built stands: only what changed is built again', async (t) => {
  const folder = temporaryFolder('build');
  const [out, captures] = [join(folder, 'out'), join(folder, 'captures')];
  await mkdir(captures);
  await copyFile(DEMO, join(captures, 'a.pcap.gz'));
  await copyFile(DEMO_LABELS, join(captures, 'a.labels.jsonl'));
  await plainDemo(captures, 'b.pcap');
  const labels = join(folder, 'labels.yaml');
  await writeFile(labels, ALL_WEB);
  const args = [captures, '--labels', labels];
  const counts = async (...more: string[]) => {
    const { built, kept } = await build(t, out, ...args, ...more);
    return [built, kept];
  };
  t.deepEqual(await counts(), [2, 0]);
  const before = await contentOf(out);
  t.deepEqual(await counts(), [0, 2]);
  t.deepEqual(await contentOf(out), before);
  // Labels beside one capture.
  const sidecar = await readFile(DEMO_LABELS, 'utf8');
  await writeFile(
    join(captures, 'a.labels.jsonl'),
    sidecar.replaceAll('"web"', '"mail"'),
  );
  t.deepEqual(await counts(), [1, 1]);
  // The table of all.
  await writeFile(labels, ALL_WEB.replace('any', 'other'));
  t.deepEqual(await counts(), [2, 0]);
  t.deepEqual(await counts('--looks', '7'), [2, 0]);
  t.deepEqual(await counts('--looks', '7', '--min-packets', '30'), [2, 0]);
});

test('what a killed build left is removed, and shards of other captures stay outside', async (t) => {
  const folder = temporaryFolder('build');
  const out = join(folder, 'out');
  const plain = await plainDemo(folder);
  await build(t, out, DEMO, plain);
  const dead = `0123456789abcdef.${(await import('node:os')).hostname()}.999999999.partial`;
  const elsewhere = '0123456789abcdef.another.1.partial';
  for (const name of [dead, elsewhere]) await writeFile(join(out, 'shards', name), 'x');
  const { code, stderr } = await dataset('build', plain, '--out', out);
  t.is(code, 0);
  t.regex(stderr, /1 shards are of captures that were not named/);
  const names = [...(await contentOf(join(out, 'shards'))).keys()];
  t.false(names.some((name) => name.includes(dead)));
  // Another machine may be at work there.
  t.true(names.some((name) => name.includes(elsewhere)));
  t.is((await readManifest(out)).captures.length, 1);
});

test('two captures with the same content are one, which is said', async (t) => {
  const folder = temporaryFolder('build');
  await plainDemo(folder, 'b.pcap');
  await plainDemo(folder, 'a.pcap');
  const out = join(folder, 'out');
  const { stderr } = await dataset('build', folder, '--out', out);
  t.regex(stderr, /b\.pcap: the same content as .*a\.pcap, built once/);
  const { captures } = await readManifest(out);
  t.deepEqual(
    captures.map(({ name }) => name),
    ['a.pcap'],
  );
});

test('no address and no name is in a data set, unless names are asked for', async (t) => {
  const folder = temporaryFolder('build');
  const capture = await plainDemo(folder);
  const [out, open] = [join(folder, 'out'), join(folder, 'open')];
  await build(t, out, capture);
  await build(t, open, capture, '--keep-sni');
  const secrets = new Set<string>();
  let named = 0;
  for await (const batch of readFlows(capture, {}, emptySummary())) {
    for (const flow of batch) {
      const { sni } = factsOf(handshakeOf(flow));
      if (sni !== null) named++;
      for (const secret of [flow.client, flow.server, sni ?? '']) secrets.add(secret);
    }
  }
  secrets.delete('');
  t.true(secrets.size > 20);
  for await (const row of readDataset(out)) {
    t.false('sni' in row);
    for (const [name, value] of Object.entries(row)) {
      const text =
        value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : `${value}`;
      for (const secret of secrets) t.false(text.includes(secret), `${name}: ${secret}`);
    }
  }
  const kept = await all(readDataset(open, { columns: ['sni'] }));
  const names = kept.flatMap(({ sni }) => sni ?? []);
  t.is(names.length, named);
  t.true(names.length > 0 && names.every((sni) => secrets.has(sni)));
});

test('a key links clients over captures; without one they are told apart in one capture only', async (t) => {
  const folder = temporaryFolder('build');
  const first = await plainDemo(folder, 'first.pcap');
  // The same traffic a second later is another capture.
  const second = await readFile(first);
  for (let at = 24; at < second.length; at += 16 + second.readUInt32LE(at + 8)) {
    second.writeUInt32LE(second.readUInt32LE(at) + 1, at);
  }
  await writeFile(join(folder, 'second.pcap'), second);
  const key = join(folder, 'key');
  await writeFile(key, 'a key of thirty-two bytes, or so');
  const clientsOf = async (out: string, column: 'client' | 'host' | 'session') => {
    const byCapture = new Map<string, Set<string>>();
    for await (const row of readDataset(out, { columns: ['capture', column] })) {
      const seen = byCapture.get(row.capture) ?? new Set();
      byCapture.set(row.capture, seen.add(row[column]));
    }
    return [...byCapture.values()];
  };
  const captures = [first, join(folder, 'second.pcap')];
  const [apart, linked] = [join(folder, 'apart'), join(folder, 'linked')];
  await build(t, apart, ...captures);
  await build(t, linked, ...captures, '--key', key);
  for (const column of ['client', 'host'] as const) {
    const [a, b] = await clientsOf(linked, column);
    t.deepEqual(a, b);
    const [c, d] = await clientsOf(apart, column);
    t.is(c?.size, a?.size);
    t.true([...(c ?? [])].every((pseudonym) => !d?.has(pseudonym)));
  }
  const [a, b] = await clientsOf(linked, 'session');
  t.true([...(a ?? [])].every((session) => !b?.has(session)));
});

test('options choose rows and columns', async (t) => {
  const folder = temporaryFolder('build');
  const capture = await plainDemo(folder);
  const out = join(folder, 'out');
  await build(
    t,
    out,
    capture,
    '--min-packets',
    '40',
    '--packets',
    '20',
    '--looks',
    '9,4',
  );
  const rows = await all(readDataset(out));
  t.true(rows.length > 0);
  t.true(rows.every((row) => row.packetsUp + row.packetsDown >= 40 && row.seen === 20));
  t.true(rows.every((row) => row.statistics_4 !== undefined && !('statistics_3' in row)));
  // Names of the lab are in no list.
  await build(t, out, capture, '--only-labelled');
  t.true((await all(readDataset(out))).every(({ service }) => service !== null));
});

test('shards of several processes and one finishing step are the data set of one', async (t) => {
  const folder = temporaryFolder('build');
  const plain = await plainDemo(folder);
  const [whole, parts] = [join(folder, 'whole'), join(folder, 'parts')];
  await build(t, whole, plain, DEMO);
  const lines = await Promise.all(
    [plain, DEMO].map(async (capture) => {
      const args = ['--shards-only', capture, '--out', parts];
      return (await dataset('build', ...args)).stdout;
    }),
  );
  const { code, stdout, stderr } = await sluice(
    ['dataset', 'finish', '--json', '--out', parts, '-'],
    Buffer.from(lines.join('')),
  );
  t.is(code, 0, stderr);
  t.is(oneLine(stdout).rows, (await readManifest(whole)).rows);
  await sameContent(t, whole, parts);
});

test('info tells what a data set holds, and --verify reads it all', async (t) => {
  const folder = temporaryFolder('build');
  await build(t, folder, DEMO);
  const { code, stdout } = await dataset('info', '--json', '--verify', folder);
  t.is(code, 0);
  const [told = {}] = jsonLines(stdout);
  t.is(told.labelled, 40);
  t.deepEqual(told.sources, { lab: told.rows });
  t.deepEqual(told.labelSources, { acted: told.labelled });
  t.true(told.verified);
  const [shard = ''] = [...(await contentOf(join(folder, 'shards'))).keys()];
  await writeFile(join(folder, 'shards', shard), 'nothing');
  const broken = await dataset('info', '--verify', folder);
  t.is(broken.code, 2);
  t.regex(broken.stderr, /has the hash \w+, dataset\.json says/);
});

const OUT = ['--out', '/nowhere/at/all'];
const WRONG: readonly [title: string, args: readonly string[], message: RegExp][] = [
  ['no folder to write to', [DEMO], /required option '--out/],
  [
    'no number of workers',
    [DEMO, ...OUT, '--workers', '0'],
    /whole number from 1 to 256/,
  ],
  ['no look', [DEMO, ...OUT, '--looks', '3,x'], /whole number from 1 to 1024/],
  ['no canary field', [DEMO, ...OUT, '--show', 'x'], /No canary field is called 'x'/],
  [
    'no key',
    [DEMO, ...OUT, '--key', '/nowhere'],
    /key \/nowhere: cannot be read \(ENOENT\)/,
  ],
  [
    'no table',
    [DEMO, ...OUT, '--labels', '/nowhere'],
    /labels \/nowhere: cannot be read/,
  ],
  ['no captures', [join(ROOT, 'docs'), ...OUT], /no captures in .*docs: expected files/],
  ['a file for a folder', [DEMO, '--out', DEMO], /shards cannot be written: /],
];
for (const [title, args, message] of WRONG) {
  test(`wrong input ends with 2 and one line: ${title}`, async (t) => {
    const { code, stdout, stderr } = await dataset('build', ...args);
    t.is(code, 2, stderr);
    t.is(stdout, '');
    t.regex(stderr, message);
    t.is(stderr.trimEnd().split('\n').length, 1, stderr);
  });
}

test('a short key is refused, with how to make one', async (t) => {
  const folder = temporaryFolder('build');
  const key = join(folder, 'key');
  await writeFile(key, 'short');
  const args = [DEMO, '--out', join(folder, 'out'), '--key', key];
  const { code, stderr } = await dataset('build', ...args);
  t.is(code, 2);
  t.regex(stderr, /holds 5 bytes, expected at least 16, as `openssl rand/);
});

test('captures that cannot be read get a line each, and the others are built', async (t) => {
  const folder = temporaryFolder('build');
  const good = await plainDemo(folder);
  await writeFile(join(folder, 'text.pcap'), 'no capture at all, but some text');
  await copyFile(DEMO, join(folder, 'labelled.pcap.gz'));
  await writeFile(join(folder, 'labelled.labels.jsonl'), '{"client":1}\n');
  const out = join(folder, 'out');
  const { code, stderr } = await dataset(
    'build',
    folder,
    '/nowhere.pcap',
    '-',
    '--out',
    out,
  );
  t.is(code, 2);
  t.regex(stderr, /sluice: \/nowhere\.pcap: no such file or directory/);
  t.regex(stderr, /sluice: -: standard input cannot be built/);
  t.regex(stderr, /text\.pcap: /);
  t.regex(
    stderr,
    /labelled\.pcap\.gz: labels .*labelled\.labels\.jsonl line 1: client: /,
  );
  const { captures } = await readManifest(out);
  t.deepEqual(
    captures.map(({ name }) => name),
    [good.slice(folder.length + 1)],
  );
});

test('a capture that breaks off is built as far as it goes, which is said', async (t) => {
  const folder = temporaryFolder('build');
  const capture = await plainDemo(folder);
  const bytes = await readFile(capture);
  await writeFile(capture, bytes.subarray(0, bytes.length >> 1));
  const out = join(folder, 'out');
  const { code, stderr } = await dataset('build', capture, '--out', out);
  t.is(code, 0);
  t.regex(stderr, /plain\.pcap: warning: .*read to the last whole frame/);
  const [entry] = (await readManifest(out)).captures;
  t.is(entry?.counters.truncated, 1);
});
