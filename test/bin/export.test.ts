// `sluice export` as a user runs it: a child of its own, whose exit code and signals are those of the command; and a run of
// one epoch all the way to a bundle.

import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { loadBundle } from '../../src/bundle/load-bundle.ts';
import { TRUST_ANY } from '../../src/bundle/trust.ts';
import { Classifier } from '../../src/classify/classifier.ts';
import { jsonLines, ROOT, sluice, startSluice } from '../helpers/sluice.ts';

const run = promisify(execFile);

let folder: string;
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-export-'));
});

test('help and faults of the exporter are those of the command', async (t) => {
  t.timeout(120_000);
  const help = await sluice(['export', '--help']);
  t.is(help.code, 0);
  t.regex(help.stdout, /usage: sluice export/);
  for (const [args, message] of [
    [['--nonsense'], /Unknown option '--nonsense'/],
    [['--run', join(folder, 'none')], /none holds no finished run: neither run\.json of/],
    [['--range', 'best'], /expected squared-error/],
    [['--layers', join(folder, 'none')], /cannot be read \(ENOENT\)/],
  ] as const) {
    const { code, stderr } = await sluice(['export', ...args]);
    t.is(code, 2, stderr);
    t.regex(stderr, message);
    t.is(
      stderr
        .trim()
        .split('\n')
        .filter((line) => !line.includes('reading')).length,
      1,
    );
  }
});

test('a signal reaches the exporter, and the exit code tells of it', async (t) => {
  t.timeout(120_000);
  // A pipe that nobody writes to keeps the exporter waiting for its run.
  await mkdir(join(folder, 'waiting'));
  execFileSync('mkfifo', [join(folder, 'waiting/config.json')]);
  const program = startSluice(['export', '--run', join(folder, 'waiting')]);
  await program.said('reading');
  program.child.kill('SIGTERM');
  t.is((await program.ended).code, 128 + 15);
});

test('a run of one epoch becomes a bundle, if need be by force, and the bundle says so', async (t) => {
  t.timeout(900_000);
  const runs = join(folder, 'run');
  const train = [
    'dist/models/train.js',
    '--epochs',
    '1',
    '--backend',
    'wasm',
    '--out',
    runs,
  ];
  await run(process.execPath, train, { cwd: ROOT, maxBuffer: 1 << 24 });
  const out = join(folder, 'bundle');
  const exporter = [
    'dist/export/export.js',
    '--run',
    runs,
    '--out',
    out,
    '--json',
    '--force',
  ];
  const { stdout } = await run(process.execPath, exporter, {
    cwd: ROOT,
    maxBuffer: 1 << 24,
  });
  const [result] = jsonLines(stdout) as unknown as [
    { parity: number; failed: string[]; layers: { name: string; precision: string }[] },
  ];
  t.true(result.parity <= 1e-5);
  const bundle = await loadBundle(out, TRUST_ANY);
  await (await Classifier.open(bundle)).close();
  const { failedChecks, files } = bundle.manifest;
  t.deepEqual(failedChecks, result.failed);
  t.deepEqual(Object.keys(files).sort(), ['card.md', 'quantization.json']);
  const card = await readFile(join(out, 'card.md'), 'utf8');
  t.is(card.includes('written by --force'), failedChecks.length > 0);
  for (const { name } of result.layers) t.true(card.includes(`| ${name} |`), name);
  const report = JSON.parse(await readFile(join(out, 'quantization.json'), 'utf8'));
  t.deepEqual(
    report.layers.map((layer: { name: string }) => layer.name),
    result.layers.map(({ name }) => name),
  );
});
