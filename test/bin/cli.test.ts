import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { classicPcap } from '../helpers/captures.ts';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const DEMO = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');
const BUNDLE = join(ROOT, 'models/bundles/router-cnn');

const folder = temporaryFolder('cli');

test('replay --json ends with a tally that its flows add up to', async (t) => {
  const { code, stdout } = await sluice(['replay', '--json', DEMO]);
  t.is(code, 0);
  const lines = jsonLines(stdout);
  const last = lines.pop() as {
    tally: Record<string, { flows: number; packets: number; bytes: number }>;
    notClassified: { flows: number };
    rates: { packetsPerSecond: number; flowsPerSecond: number };
  };
  const counted: Record<string, { flows: number; packets: number; bytes: number }> = {};
  for (const line of lines) {
    const name = line.class as string;
    const count = counted[name] ?? { flows: 0, packets: 0, bytes: 0 };
    counted[name] = count;
    count.flows++;
    count.packets += line.packets as number;
    count.bytes += line.bytes as number;
  }
  t.deepEqual({ ...last.tally }, counted);
  t.true(lines.length >= 20);
  t.true(last.notClassified.flows > 0, 'the demo holds flows without a handshake');
  t.true(last.rates.packetsPerSecond > 0 && last.rates.flowsPerSecond > 0);
});

test('a line of replay --json holds what scripts depend on', async (t) => {
  const { stdout } = await sluice(['replay', '--json', DEMO]);
  const [line] = jsonLines(stdout);
  const flow = line as { evidence: object; handshake: object };
  const has = (object: object, names: string): void => {
    for (const name of names.split(' ')) t.true(name in object, name);
  };
  has(
    flow,
    'file protocol client clientPort server serverPort packets bytes startUs durationUs',
  );
  has(flow, 'class likeliest probability');
  has(flow.evidence, 'packets handshake protocol model');
  has(flow.handshake, 'kind clientHello serverHello sni alpn version ech');
});

test('two replays of one capture say the same of each flow', async (t) => {
  const runs = await Promise.all([1, 2].map(() => sluice(['replay', '--json', DEMO])));
  const [first, second] = runs.map((run) => jsonLines(run.stdout).slice(0, -1));
  t.deepEqual(first, second);
});

test('the table for people has a row a flow and the tally', async (t) => {
  const { code, stdout, stderr } = await sluice(['replay', DEMO]);
  t.is(code, 0);
  t.regex(
    stdout,
    /^client +server +proto +packets +bytes +seconds +handshake +class +likeliest +probability\n/,
  );
  t.regex(stdout, /\nclass +flows +packets +bytes\n/);
  t.regex(stderr, /packets\/s, .* flows\/s/);
});

test('standard input is read, plain and gzip alike', async (t) => {
  const packed = await readFile(DEMO);
  const outputs = await Promise.all(
    [packed, gunzipSync(packed)].map((bytes) => sluice(['flows', '--json', '-'], bytes)),
  );
  t.deepEqual(
    outputs.map((o) => o.code),
    [0, 0],
  );
  t.is(outputs[0]?.stdout, outputs[1]?.stdout);
  t.true((outputs[0]?.stdout.length ?? 0) > 1000);
});

test('a truncated capture is read to its last whole packet, with a warning', async (t) => {
  const bytes = gunzipSync(await readFile(DEMO));
  const path = join(folder, 'truncated.pcap');
  await writeFile(path, bytes.subarray(0, bytes.byteLength - 5));
  const { code, stderr, stdout } = await sluice(['replay', '--summary', path]);
  t.is(code, 0);
  t.regex(stderr, /truncated\.pcap: warning: .*read to the last whole frame/);
  t.regex(stdout, /class +flows/);
});

const BAD_CAPTURES: readonly [
  title: string,
  make: () => Promise<string>,
  message: RegExp,
][] = [
  ['a missing file', async () => join(folder, 'nowhere.pcap'), /no such file/],
  ['a directory', async () => folder, /is a directory/],
  ['an empty file', () => made('empty.pcap', Buffer.alloc(0)), /the file is empty/],
  ['a text file', () => made('text.pcap', Buffer.from('not a capture')), /not a capture/],
  [
    'a capture without a handshake',
    () =>
      made(
        'none.pcap',
        classicPcap([], { littleEndian: true, nanoseconds: false, linkType: 1 }),
      ),
    /no handshake of TLS, DTLS or QUIC in it/,
  ],
];

async function made(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

for (const [title, make, message] of BAD_CAPTURES) {
  test(`${title} gets one clear line and exit code 2`, async (t) => {
    const { code, stderr } = await sluice(['replay', '--json', await make()]);
    t.is(code, 2);
    t.regex(stderr, message);
    t.is(stderr.trim().split('\n').length, 1, stderr);
  });
}

test('a capture that cannot be read does not keep the next one from being read', async (t) => {
  const { code, stdout } = await sluice([
    'flows',
    '--json',
    join(folder, 'gone.pcap'),
    DEMO,
  ]);
  t.is(code, 2);
  t.true(jsonLines(stdout).length > 20);
});

const BAD_BUNDLES: readonly [
  title: string,
  spoil: (directory: string) => Promise<void>,
  message: RegExp,
][] = [
  [
    'without a manifest',
    async (directory) => {
      await writeFile(join(directory, 'manifest.json'), '');
    },
    /manifest\.json is no JSON/,
  ],
  [
    'with a model of other bytes',
    async (directory) => {
      const path = join(directory, 'model.onnx');
      const bytes = await readFile(path);
      bytes.writeUInt8(bytes.readUInt8(1000) ^ 1, 1000);
      await writeFile(path, bytes);
    },
    /is damaged: model\.onnx has SHA-256/,
  ],
  [
    'of another feature version',
    (directory) =>
      changed(directory, (m) => ({ ...m, features: { ...m.features, version: 99 } })),
    /wants feature version 99/,
  ],
  [
    'of a later manifest version',
    (directory) => changed(directory, (m) => ({ ...m, manifestVersion: 99 })),
    /manifest version 99/,
  ],
];

interface LooseManifest {
  features: Record<string, unknown>;
  [key: string]: unknown;
}

async function changed(
  directory: string,
  change: (manifest: LooseManifest) => LooseManifest,
): Promise<void> {
  const path = join(directory, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as LooseManifest;
  await writeFile(path, JSON.stringify(change(manifest)));
}

for (const [title, spoil, message] of BAD_BUNDLES) {
  test(`a bundle ${title} gets one clear line and exit code 2`, async (t) => {
    const directory = temporaryFolder('bundle');
    await cp(BUNDLE, directory, { recursive: true });
    await spoil(directory);
    const { code, stderr, stdout } = await sluice([
      'replay',
      '--bundle',
      directory,
      DEMO,
    ]);
    t.is(code, 2);
    t.regex(stderr, message);
    t.is(stderr.trim().split('\n').length, 1, stderr);
    t.is(stdout, '');
  });
}

test('a bundle that is not there gets one clear line and exit code 2', async (t) => {
  const { code, stderr } = await sluice([
    'replay',
    '--bundle',
    join(folder, 'none'),
    DEMO,
  ]);
  t.is(code, 2);
  t.regex(stderr, /no such file or directory, expected a directory with manifest\.json/);
});

const USAGES: readonly [args: readonly string[], code: number, output: RegExp][] = [
  [['--help'], 0, /replay .*\n.*flows/s],
  [['replay', '--help'], 0, /--bundle <path>/],
  [['flows', '--help'], 0, /--json/],
  [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
  [[], 2, /Usage: sluice/],
  [['replay'], 2, /missing required argument 'file'/],
  [['replya', 'x'], 2, /unknown command 'replya'/],
  [['replay', '--jsn', 'x'], 2, /unknown option '--jsn'/],
];
for (const [args, want, output] of USAGES) {
  test(`\`sluice ${args.join(' ')}\` ends with exit code ${want} and says why`, async (t) => {
    const { code, stdout, stderr } = await sluice(args);
    t.is(code, want);
    t.regex(stdout + stderr, output);
  });
}
