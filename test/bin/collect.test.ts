// `sluice collect` as a user runs it: on a capture, and on a wire of the test's own (needs root: else skipped).

import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { readManifest } from '../../src/dataset/dataset-manifest.ts';
import { readDataset } from '../../src/dataset/dataset-reader.ts';
import { collectedFiles, collectedRows, unpackedBytes } from '../helpers/collected.ts';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { type Inside, VethPair, vethObstacle } from '../helpers/veth.ts';

const PROGRAM = fileURLToPath(new URL('../../src/bin/sluice.js', import.meta.url));
const DEMO = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');

/** The lab's hosts have names of their own: everything with a name is a flow of the web. */
async function anyName(): Promise<readonly string[]> {
  const path = join(temporaryFolder('collect'), 'labels.yaml');
  await writeFile(path, "version: 1\nrules:\n  - service: web\n    patterns: ['.']\n");
  return ['--labels', path];
}

interface Counters {
  readonly flows: number;
  readonly byName: number;
  readonly written: number;
  readonly filesWritten: number;
  readonly rowsLost: number;
}

test('a capture is collected, and what is collected becomes a data set', async (t) => {
  const out = temporaryFolder('collect');
  const labels = await anyName();
  const args = ['collect', '--read', DEMO, '--out', out, '--stats', '0', '--json'];
  const { code, stdout, stderr } = await sluice([...args, ...labels]);
  t.is(code, 0, stderr);
  t.regex(stderr, /packets; \d+ flows; \d+ labelled by name.* written \(web \d+\)/);
  const lines = jsonLines(stdout);
  const [{ file } = {}, { counters } = {}] = lines as {
    file?: { rows: number };
    counters?: Counters;
  }[];
  t.is(lines.length, 2);
  t.true((counters?.byName ?? 0) > 0);
  t.is(file?.rows ?? -2, counters?.written ?? -1);
  const rows = await collectedRows(out);
  t.is(rows.length, counters?.written ?? -1);
  t.true(rows.every(({ source, capture }) => source === 'collect' && capture === ''));

  const dataset = temporaryFolder('collect');
  const imported = await sluice([
    'dataset',
    'import',
    'collected',
    out,
    '--out',
    dataset,
  ]);
  t.is(imported.code, 0, imported.stderr);
  const manifest = await readManifest(dataset);
  t.is(manifest.rows, rows.length);
  t.is(manifest.sources.collect?.size, 'both');
  for await (const row of readDataset(dataset)) {
    const { capture, flow, statistics_10 } = row;
    t.is(capture, manifest.captures[0]?.id ?? '');
    t.true(statistics_10 !== undefined && flow < rows.length);
  }
});

test('collected flows and built captures are one data set, in either order', async (t) => {
  const out = temporaryFolder('collect');
  await sluice(['collect', '-r', DEMO, '-o', out, ...(await anyName())]);
  const builds = ['dataset', 'build', DEMO, '--workers', '1', '--out'];
  const imports = ['dataset', 'import', 'collected', out, '--out'];
  const contents: string[] = [];
  for (const order of [
    [builds, imports],
    [imports, builds],
  ]) {
    const dataset = temporaryFolder('collect');
    for (const command of order) {
      const { code, stderr } = await sluice([...command, dataset]);
      t.is(code, 0, stderr);
    }
    const { sources, captures, contentSha256 } = await readManifest(dataset);
    t.deepEqual(Object.keys(sources), ['collect', 'lab']);
    t.is(captures.length, 2);
    contents.push(contentSha256);
  }
  t.is(contents[0], contents[1]);
});

test('a build with other options does not join what was imported', async (t) => {
  const [out, dataset] = [temporaryFolder('collect'), temporaryFolder('collect')];
  await sluice(['collect', '-r', DEMO, '-o', out, ...(await anyName())]);
  await sluice(['dataset', 'import', 'collected', out, '--out', dataset]);
  const before = await readManifest(dataset);
  const build = ['dataset', 'build', DEMO, '--workers', '1', '--out', dataset];
  const { code, stderr } = await sluice([...build, '--packets', '64']);
  t.is(code, 2);
  t.regex(stderr, /the data set that stands there is of 1024 packets a flow/);
  t.deepEqual(await readManifest(dataset), before);
});

const wrong = test.macro({
  title: (_, what: string) => `${what} is wrong input: one line, exit code 2`,
  async exec(t, _what: string, args: readonly string[], expected: RegExp) {
    const out = temporaryFolder('collect');
    const { code, stderr } = await sluice([...args, '--out', out]);
    t.is(code, 2);
    t.regex(stderr, expected);
    t.is(stderr.trim().split('\n').length, 1, stderr);
  },
});
test(wrong, 'neither interface nor capture', ['collect'], /no interface: name one/);
test(
  wrong,
  'both interface and capture',
  ['collect', '-i', 'lo', '-r', DEMO],
  /cannot be used with/,
);
test(
  wrong,
  'room for less than two files',
  ['collect', '-r', DEMO, '--max-bytes', '3M', '--rotate-bytes', '2M'],
  /room for two/,
);
test(
  wrong,
  'a key that is too short',
  ['collect', '-r', DEMO, '--key', '/dev/null'],
  /holds 0 bytes, expected at least 16/,
);
test(
  wrong,
  'a file that is none of collect',
  ['dataset', 'import', 'collected', DEMO],
  /no whole file of `sluice collect`/,
);

test(
  wrong,
  'a definition for collected files',
  ['dataset', 'import', 'collected', DEMO, '--as', 'ip'],
  /leave out --as, --set and --sets/,
);

const obstacle = vethObstacle();
if (obstacle !== undefined) console.log(`skipped: live collection: ${obstacle}`);
const liveTest = obstacle === undefined ? test.serial : test.serial.skip;

const NAME = 'planted-name.youtube.com';
const [CLIENT, SERVER] = ['198.18.77.1', '198.18.77.2'];

/** TLS 1.2 by a key that both have, so that no certificate is needed; 20 connections, one after the other. */
const TLS = `
import tls from 'node:tls';
const key = Buffer.alloc(16, 1);
const shared = { ciphers: 'PSK-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
if (process.argv.at(-1) === 'server') {
  tls.createServer({ ...shared, pskCallback: () => key }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.end(Buffer.alloc(50_000)));
  }).listen(443, '${SERVER}', () => console.error('ready'));
} else {
  const pskCallback = () => ({ psk: key, identity: 'me' });
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => {
      const socket = tls.connect({ ...shared, pskCallback, host: '${SERVER}', port: 443, servername: '${NAME}', checkServerIdentity: () => {} });
      socket.write('hello');
      socket.resume();
      socket.on('close', resolve);
    });
  }
}`;

/** Both ends with addresses, and a server that listens. */
async function tlsPair(t: {
  teardown: (fn: () => void) => void;
}): Promise<{ readonly pair: VethPair; readonly connect: () => void }> {
  const pair = new VethPair();
  t.teardown(() => pair.close());
  pair.ip('left', 'addr', 'add', `${CLIENT}/24`, 'dev', 'left0');
  pair.ip('right', 'addr', 'add', `${SERVER}/24`, 'dev', 'right0');
  const node = ['--input-type=module', '-e', TLS, '--'];
  const server = pair.start('right', process.execPath, ...node, 'server');
  t.teardown(() => server.child.kill());
  await server.said('ready');
  return {
    pair,
    connect: () => {
      pair.run('left', process.execPath, ...node, 'client');
    },
  };
}

async function collecting(pair: VethPair, out: string): Promise<Inside> {
  const args = ['collect', '-i', 'right0', '--out', out, '--stats', '0', '--json'];
  const running = pair.start('right', process.execPath, PROGRAM, ...args);
  await running.said('listening');
  return running;
}

/** Packets are on their way to the ring for less. */
const SETTLE_MS = 500;
const settle = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

liveTest('flows of a wire are labelled, written and whole at SIGTERM', async (t) => {
  t.timeout(120_000);
  const { pair, connect } = await tlsPair(t);
  const out = temporaryFolder('collect');
  const running = await collecting(pair, out);
  connect();
  await settle();
  const { code, stdout, stderr } = await running.stop('SIGTERM');
  t.is(code, 0, stderr);
  const { counters } = jsonLines(stdout).at(-1) as { counters?: Counters };
  t.is(counters?.written, 20);
  t.is(counters?.rowsLost, 0);
  const rows = await collectedRows(out);
  t.is(rows.length, 20);
  for (const row of rows) {
    t.is(row.service, 'streaming');
    t.is(row.application, 'youtube');
    t.is(row.kind, 'tls');
    t.is((row.startUs ?? 1) % 3_600_000_000, 0);
    t.true(row.bytesDown > 50_000);
  }
  t.is(new Set(rows.map(({ client }) => client)).size, 1);
  for (const file of collectedFiles(out)) {
    const bytes = await unpackedBytes(file);
    for (const word of ['planted-name', CLIENT, SERVER]) {
      t.false(bytes.includes(word), word);
    }
    for (const address of [CLIENT, SERVER]) {
      t.false(bytes.includes(Buffer.from(address.split('.').map(Number))), address);
    }
  }
});

liveTest('after kill -9 the next run removes what has no end, and goes on', async (t) => {
  t.timeout(120_000);
  const { pair, connect } = await tlsPair(t);
  const out = temporaryFolder('collect');
  const killed = await collecting(pair, out);
  connect();
  // A flow is written once it has ended: some seconds behind its last packet.
  while (!readdirSync(out).some((name) => name.endsWith('.partial'))) await settle();
  await killed.stop('SIGKILL');
  t.is(collectedFiles(out).length, 0);
  const running = await collecting(pair, out);
  connect();
  await settle();
  const { code, stderr } = await running.stop('SIGINT');
  t.is(code, 0, stderr);
  t.regex(stderr, /1 files removed that a run left without their end/);
  t.is((await collectedRows(out)).length, 20);
  t.true(readdirSync(out).every((name) => name.endsWith('.parquet')));
  t.true(existsSync(out));
});
