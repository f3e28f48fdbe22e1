// From captures to labels by the command line alone: data set, split, training, export, replay, each a process of its own. The
// networks hardly learn anything here: what is tested is that nothing gets lost or mixed up on the way.

import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { OnnxModel } from '../../export/onnx-model.ts';
import type { Run } from '../../models/training/run.ts';
import { loadBundle } from '../../src/bundle/load-bundle.ts';
import type { Manifest } from '../../src/bundle/manifest.ts';
import { TRUST_ANY } from '../../src/bundle/trust.ts';
import { BATCH_FLOWS, Classifier } from '../../src/classify/classifier.ts';
import {
  allocateBatch,
  type FeatureSpec,
  type Features,
  featuresOf,
  writeRow,
} from '../../src/features/features.ts';
import { emptySummary, readFlows } from '../../src/flow/read-flows.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { DEMO, LAB } from '../helpers/dataset-build.ts';
import { jsonLines, type Outcome, sluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** A machine under load takes its time, and tfjs alone is slow to start. */
const LIMIT_MS = 10 * 60_000;

const long = (...args: readonly string[]): Promise<Outcome> =>
  sluice(args, undefined, LIMIT_MS);

async function done(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await long(...args);
  if (code !== 0) throw new Error(`sluice ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const folder = temporaryFolder('runs');
const data = join(folder, 'data');

test.before(async (t) => {
  t.timeout(LIMIT_MS);
  const captures = join(folder, 'captures');
  for (const name of ['lab-01', 'lab-02', 'lab-03']) await copyCapture(name, captures);
  await done('dataset', 'build', captures, '--out', data, '--workers', '1');
  await done('dataset', 'split', data, '--by', 'capture', '--parts', '34/33/33');
});

/** With an application beside each service: the lab names none. */
async function copyCapture(name: string, to: string): Promise<void> {
  await cp(join(LAB, `${name}.pcap.gz`), join(to, `${name}.pcap.gz`));
  const text = await readFile(join(LAB, `${name}.labels.jsonl`), 'utf8');
  const lines = jsonLines(text).map((line) =>
    JSON.stringify({ ...line, application: `${line.service}-app` }),
  );
  await writeFile(join(to, `${name}.labels.jsonl`), `${lines.join('\n')}\n`);
}

/** Trains on the CPU that every machine has. Thresholds of 0 let every guess through. */
async function trained(name: string, network: string, level = 'service') {
  const config = join(folder, `${name}.yaml`);
  await writeFile(
    config,
    `
name: ${name}
data: {directory: ${data}, split: capture, level: ${level}}
network: ${network}
training: {epochs: 2, int8Weights: true, seed: 5}
calibration: {thresholdPrecision: 0, thresholdFloor: 0}
`,
  );
  const directory = join(folder, 'runs', name);
  await done('train', '--config', config, '--out', directory, '--backend', 'wasm');
  const run: Run = JSON.parse(await readFile(join(directory, 'run.json'), 'utf8'));
  return { directory, run };
}

interface ExportResult {
  readonly parity: number;
  readonly int8Agreement: number;
  readonly accuracyLoss: number;
  readonly failed: readonly string[];
  readonly layers: readonly { readonly name: string }[];
}

/** Exports, by force where a check fails, as those of a network that has learnt nothing may. */
async function exported(t: ExecutionContext, directory: string) {
  const { code, stdout, stderr } = await long('export', '--run', directory, '--json');
  const [result] = jsonLines(stdout) as unknown as [ExportResult];
  t.is(code, result.failed.length === 0 ? 0 : 1, stderr);
  if (code === 1) {
    t.regex(stderr, /nothing was written/);
    await done('export', '--run', directory, '--force');
  }
  const bundle = join(directory, 'bundle');
  const { manifest } = await loadBundle(bundle, TRUST_ANY);
  const card = await readFile(join(bundle, 'card.md'), 'utf8');
  t.deepEqual(manifest.failedChecks, result.failed);
  for (const text of result.failed) t.true(card.includes(text), text);
  t.is(card.includes('was written by --force'), result.failed.length > 0);
  const names = result.layers.map(({ name }) => name);
  const files = names.length === 0 ? ['card.md'] : ['card.md', 'quantization.json'];
  t.deepEqual(Object.keys(manifest.files).sort(), files);
  for (const name of names) t.true(card.includes(`| ${name} |`), name);
  if (names.length > 0) {
    const text = await readFile(join(bundle, 'quantization.json'), 'utf8');
    const layers: { name: string }[] = JSON.parse(text).layers;
    t.deepEqual(
      layers.map(({ name }) => name),
      names,
    );
  }
  return { bundle, manifest, card, result };
}

/** Of classes that the manifest knows, whatever they are worth. */
async function labels(bundle: string): Promise<Record<string, unknown>[]> {
  const stdout = await done('replay', '--json', '--bundle', bundle, DEMO);
  return jsonLines(stdout).filter((line) => 'class' in line && 'probability' in line);
}

/** Flows of up to 32 packets: the classifier cuts their series where the model lets it, and must say what the model says of T steps. */
async function sameWithoutPadding(t: ExecutionContext, path: string): Promise<void> {
  const bundle = await loadBundle(path, TRUST_ANY);
  const { manifest } = bundle;
  const classifier = await Classifier.open(bundle);
  const { seriesSteps } = manifest.features;
  const flows = await shortFlows({ ...classifier.featureSpec, packets: 32 });
  const batch = allocateBatch(flows.length, seriesSteps);
  for (const [b, features] of flows.entries()) {
    writeRow(features, manifest.features.statistics, batch, b);
  }
  const model = await OnnxModel.open(bundle.model);
  const inputs = {
    handshake_bytes: batch.handshakeBytes,
    series: batch.series,
    statistics: batch.statistics,
  };
  const outputs = await model.run(inputs, flows.length);
  const whole = outputs[manifest.output.name] ?? new Float32Array(0);
  const width = manifest.classes.length;
  for (const [b, { probability }] of (await classifier.classify(flows)).entries()) {
    const row = whole.subarray(b * width, (b + 1) * width);
    t.true(Math.abs(probability - Math.max(...row)) < 1e-5);
  }
  await model.close();
  await classifier.close();
}

async function shortFlows(spec: FeatureSpec): Promise<Features[]> {
  const flows: Features[] = [];
  for await (const batch of readFlows(DEMO, {}, emptySummary())) {
    for (const flow of batch) {
      const handshake = handshakeOf(flow);
      if (handshake.kind !== undefined) flows.push(featuresOf(flow, handshake, spec));
    }
  }
  return flows.slice(0, BATCH_FLOWS);
}

function sameAsRun(t: ExecutionContext, manifest: Manifest, run: Run): void {
  t.deepEqual(manifest.classes, [...run.classes]);
  t.is(manifest.calibration.temperature, run.temperature);
  t.deepEqual(manifest.calibration.thresholds, run.thresholds);
  t.is(manifest.training.dataSha256, run.data.sha256);
  t.true(manifest.training.split.includes(run.data.splitSha256));
  t.is(manifest.training.seed, 5);
  t.is(manifest.training.backend, 'wasm');
  const options = JSON.parse(String(manifest.training.hyperParameters.networkOptions));
  t.deepEqual(options, run.config.network.options);
  t.deepEqual(manifest.features.statistics.mean, [...run.normaliser.mean]);
  t.is(manifest.model.parameters, run.parameters);
}

const journey = test.macro(
  async (
    t,
    [name, network, level]: readonly [name: string, network: string, level: string],
    inputs: readonly string[],
  ) => {
    t.timeout(4 * LIMIT_MS);
    const { directory, run } = await trained(name, network, level);
    const { bundle, manifest, card, result } = await exported(t, directory);
    t.log(`parity ${result.parity}, agreement ${result.int8Agreement}`, result.failed);
    t.true(result.parity <= 1e-5);
    sameAsRun(t, manifest, run);
    t.is(manifest.name, name.toLowerCase().replaceAll('_', '-'));
    t.deepEqual(Object.keys(manifest.inputs), inputs);
    // Where the data lay is nobody else's business.
    t.false(JSON.stringify(manifest).includes(folder));
    t.false(card.includes(folder));

    // Evaluation reads the same test flows on a way of its own.
    const [evaluation] = jsonLines(await done('evaluate', directory, '--json')) as [
      { figures: { accuracy: number; flows: number } },
    ];
    const { accuracy, flows } = evaluation.figures;
    t.is(manifest.metrics.flows, flows);
    t.true(
      card.includes(`| before export, whole flows | ${(100 * accuracy).toFixed(2)}% |`),
    );

    await sameWithoutPadding(t, bundle);
    const answers = await labels(bundle);
    t.is(answers.length, 40);
    t.true(answers.every(({ likeliest }) => run.classes.includes(String(likeliest))));
    t.true(answers.some(({ class: own }) => run.classes.includes(String(own))));
  },
);

test.serial(
  'router-cnn: captures, data set, training, bundle, labels',
  journey,
  ['small-cnn', '{name: router-cnn}', 'service'],
  ['handshakeBytes', 'series', 'statistics'],
);
test.serial(
  'router-lstm, narrow: the same way',
  journey,
  [
    'small-lstm',
    '{name: router-lstm, seriesSteps: 40, options: {series: {dense: 8, units: [8]}}}',
    'service',
  ],
  ['handshakeBytes', 'series', 'statistics'],
);
test.serial(
  'flow-cnn on embedded sizes and applications: a model without handshakes is served without them',
  journey,
  [
    'Small_Flow',
    '{name: flow-cnn, seriesSteps: 32, options: {series: {groups: [[[16, 3, 1]], [[16, 3, 1]]]}, statistics: [16], head: [16], sizes: {entries: [embedded]}}}',
    'application',
  ],
  ['series', 'statistics'],
);

test.serial(
  'c45: a tree goes the same way, its statistics as they are',
  journey,
  ['tree', '{name: c45}', 'service'],
  ['statistics'],
);

test.serial('what does not belong to the run is told in one line', async (t) => {
  t.timeout(4 * LIMIT_MS);
  const network =
    '{name: flow-cnn, seriesSteps: 16, options: {series: {groups: [[[4, 3, 1]]]}, statistics: [4], head: [4]}}';
  const { directory, run } = await trained('faults', network);
  const refused = async (expected: RegExp, ...args: readonly string[]) => {
    const { code, stderr } = await long('export', '--run', directory, ...args);
    t.is(code, 2, stderr);
    const lines = stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('export: reading'));
    t.is(lines.length, 1, stderr);
    t.regex(lines[0] ?? '', expected);
  };
  const nowhere = join(folder, 'nowhere');
  await refused(
    /nowhere.* cannot be read .*--data names where the data set of the run lies/,
    '--data',
    nowhere,
  );

  const other = join(folder, 'other');
  await done('dataset', 'build', join(LAB, 'lab-04.pcap.gz'), '--out', other);
  await refused(
    new RegExp(
      `other has content .*, the run was trained on ${run.data.sha256.slice(0, 12)}`,
    ),
    '--data',
    other,
  );

  // The same data in another place does, split anew it does not.
  const moved = join(folder, 'moved');
  await cp(data, moved, { recursive: true });
  const there = await long('export', '--run', directory, '--data', moved, '--force');
  t.is(there.code, 0, there.stderr);
  const split = ['--by', 'capture', '--parts', '34/33/33', '--seed', '2'];
  await done('dataset', 'split', moved, ...split);
  await refused(/capture\.json has SHA-256 .*put the old split back/, '--data', moved);

  const path = join(directory, 'run.json');
  const text = await readFile(path, 'utf8');
  const config = { ...run.config, network: { name: 'ucdavis-cnn-lstm', options: {} } };
  await writeFile(path, JSON.stringify({ ...run, config }));
  await refused(/ucdavis-cnn-lstm judges whole sessions/);
  await writeFile(path, text);

  const weights = join(directory, 'weights.bin');
  await writeFile(weights, (await readFile(weights)).subarray(4));
  await refused(/weights\.bin has \d+ bytes, weights\.json wants \d+; train it anew/);
});
