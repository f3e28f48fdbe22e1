// `sluice export`: a run of `sluice train` -> a bundle: model, manifest, card.

import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseBackend } from '../models/backend.ts';
import { InputError } from '../src/errors.ts';
import type { Sample } from './calibrate.ts';
import { cardOf } from './card.ts';
import { failedChecks } from './checks.ts';
import { openDatasetRun } from './dataset-run.ts';
import { type LayerSpeed, layerSpeeds } from './layer-speed.ts';
import { manifestOf, namingFiles } from './manifest.ts';
import { type Measured, measure } from './measure.ts';
import { type BuiltModel, buildModel, type Int8Model } from './model-files.ts';
import { layersWritten, parseLayers, type QuantizationOptions } from './quantization.ts';
import { parseRangeMethods, rangeWords } from './ranges.ts';
import { measureSpeed, type Speed } from './speed.ts';
import type { TrainedModel } from './trained-model.ts';

const USAGE = `Exports a trained run as a bundle: int8 model (of a tree, the tree), manifest, card, report of the quantization.

usage: sluice export [options]
  --run DIR        what sluice train has written (default runs/router-cnn)
  --data DIR       where the data set lies that it was trained on (default: where it lay)
  --out DIR        the bundle (default: bundle in the run's folder)
  --range METHODS  how ranges of activations are chosen: squared-error, percentile:P or largest; of several
                   (default squared-error,largest) the one is taken that moves answers on validation least
  --layers FILE    JSON: {"LAYER": {"precision": "int8" or "float", "range": METHOD}}
  --speed          measure int8 against fp32 here, too
  --json           print what came of it as one JSON object
  --force          write the bundle although a check fails; manifest and card then say so
  --help

Exit code 0: written; 1: a check failed, nothing was written; 2: wrong input.
`;

interface Options {
  readonly run: string;
  readonly data: string | undefined;
  readonly out: string | undefined;
  readonly quantization: QuantizationOptions;
  readonly speed: boolean;
  readonly json: boolean;
  readonly force: boolean;
}

function say(text: string): void {
  process.stderr.write(`export: ${text}\n`);
}

function readOptions(): Options | undefined {
  const { values } = parsedArguments();
  if (values.help) return undefined;
  const { run, data, out, speed, json, force, range, layers } = values;
  const quantization = {
    ranges: parseRangeMethods(range),
    layers: layers === undefined ? {} : readLayers(layers),
  };
  return { run, data, out, speed, json, force, quantization };
}

function parsedArguments() {
  try {
    return parseArgs({
      options: {
        run: { type: 'string', default: 'runs/router-cnn' },
        data: { type: 'string' },
        out: { type: 'string' },
        range: { type: 'string', default: 'squared-error,largest' },
        layers: { type: 'string' },
        speed: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (cause) {
    const [why = ''] = (cause as Error).message.split('\n');
    throw new InputError('ERR_ARGUMENTS', `${why} (--help tells what there is)`, {
      cause,
    });
  }
}

function readLayers(path: string): QuantizationOptions['layers'] {
  try {
    return parseLayers(readFileSync(path, 'utf8'), path);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new InputError('ERR_LAYERS', `${path} cannot be read (${code})`, { cause });
  }
}

/** The files of a bundle, the manifest with the hashes of the others. */
function bundleFiles(
  trained: TrainedModel,
  built: BuiltModel,
  { measured, failed }: { readonly measured: Measured; readonly failed: string[] },
): Map<string, Uint8Array> {
  const described = { ...manifestOf(trained, built, measured), failedChecks: failed };
  const card = cardOf({ manifest: described, trained, measured, built });
  const files = {
    'card.md': Buffer.from(card),
    ...(built.int8 && { 'quantization.json': json(reportOf(built, built.int8)) }),
  };
  const manifest = namingFiles(described, files);
  return new Map([
    ['model.onnx', built.served],
    ...Object.entries(files),
    // Last: a directory with a manifest is whole.
    ['manifest.json', json(manifest)],
  ]);
}

function reportOf({ limits }: BuiltModel, { quantized }: Int8Model) {
  const { layers, fallbacks, first, range, asked } = quantized;
  return {
    limits,
    range: rangeWords(range),
    asked: layersWritten(asked),
    validation: first,
    fallbacks,
    layers,
  };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

/** Each file whole or not at all; a signature of what was there before is void and goes. */
async function writeBundle(out: string, files: ReadonlyMap<string, Uint8Array>) {
  await mkdir(out, { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(out, `.${name}.new`), bytes);
  await rm(join(out, 'manifest.json.minisig'), { force: true });
  for (const name of files.keys())
    await rename(join(out, `.${name}.new`), join(out, name));
}

async function main(options: Options): Promise<void> {
  const { force } = options;
  const start = performance.now();
  const out = options.out ?? join(options.run, 'bundle');
  say(`reading ${options.run} and its data`);
  await chooseBackend();
  const exported = await openDatasetRun(options.run, options.data);
  const { trained, flows } = exported;
  if (trained.trained.kind === 'network') {
    say('finding ranges, and what int8 costs each layer');
  }
  const built = await buildModel(exported, options.quantization);
  const measured = await measure(built, exported);
  const { layers = [], fallbacks = [] } = built.int8?.quantized ?? {};
  const floatLayers = layers
    .filter(({ precision }) => precision === 'float')
    .map(({ name }) => name);
  const failed = await failedChecks({
    parity: measured.parity,
    agreement: measured.int8Agreement,
    accuracyLoss: measured.accuracyLoss,
    limits: built.limits,
    floatLayers,
    served: built.served,
  });
  const { speed, layerSpeed } = await speeds(built, flows.test.whole, options);
  for (const line of resultLines(built, measured, speed)) say(line);
  for (const line of layerLines(layerSpeed)) say(line);
  for (const text of failed) say(`CHECK FAILED: ${text}`);
  if (options.json) {
    const { parity, int8Agreement, accuracyLoss } = measured;
    const result = {
      flows: measured.test.whole.flows,
      accuracy: measured.test.whole.accuracy,
      macroF1: measured.test.whole.macroF1,
      fp32Bytes: built.fp32.byteLength,
      sizeBytes: built.served.byteLength,
      parity,
      int8Agreement,
      accuracyLoss,
      failed,
      fallbacks,
      layers,
      speed,
      layerSpeed,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  if (failed.length > 0 && !force) {
    say(
      `nothing was written to ${out}; --force writes it, and the card then says what failed`,
    );
    process.exitCode = 1;
    return;
  }
  await writeBundle(out, bundleFiles(trained, built, { measured, failed }));
  const seconds = Math.round((performance.now() - start) / 1000);
  say(`${out}: ${built.served.byteLength} bytes of model, ${seconds} s`);
}

/** Nothing where it was not asked for, or where there is but one model. */
async function speeds(
  { fp32, served, int8 }: BuiltModel,
  sample: Sample,
  { speed }: Options,
): Promise<{ speed: Speed[]; layerSpeed: LayerSpeed[] }> {
  if (!speed) return { speed: [], layerSpeed: [] };
  if (int8 === undefined) {
    say('--speed compares int8 with fp32; a tree is neither');
    return { speed: [], layerSpeed: [] };
  }
  const files = { fp32, int8: served };
  return {
    speed: await measureSpeed(files, sample),
    layerSpeed: await layerSpeeds(int8.network, files, sample),
  };
}

function resultLines(
  { precision, int8 }: BuiltModel,
  measured: Measured,
  speed: readonly Speed[],
) {
  const { accuracy, macroF1, flows } = measured.test.whole;
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
  return [
    `as trained against fp32 ONNX: largest difference ${measured.parity}`,
    ...(int8 === undefined ? [] : int8Lines(int8, measured)),
    `${precision} on ${flows} test flows: accuracy ${percent(accuracy)}, macro-F1 ${percent(macroF1)}`,
    ...speed.map(
      ({ batch, fp32Us, int8Us, ratio }) =>
        `batch ${batch}: fp32 ${fp32Us.toFixed(1)}, int8 ${int8Us.toFixed(1)} µs a flow, ${ratio.toFixed(2)} times faster`,
    ),
  ];
}

function int8Lines({ quantized }: Int8Model, measured: Measured): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
  const { layers, fallbacks } = quantized;
  const worst = layers.reduce((a, b) => (b.shift > a.shift ? b : a));
  return [
    `fp32 against int8: the same class on ${percent(measured.int8Agreement)}, accuracy ${percent(measured.accuracyLoss)} less`,
    `ranges by ${rangeWords(quantized.range)}`,
    `int8 costs most in ${worst.name}: it alone moves a probability by ${worst.shift.toFixed(5)}`,
    ...fallbacks.map(
      ({ layer, agreement }) =>
        `${layer} stays in float: then ${percent(agreement)} agree`,
    ),
  ];
}

function layerLines(speeds: readonly LayerSpeed[]): string[] {
  if (speeds.length === 0) return [];
  const cell = (us: number | undefined) => (us === undefined ? '-' : us.toFixed(2));
  return [
    'a layer, µs a flow in batches of 32: fp32, int8',
    ...speeds.map(
      ({ layer, fp32Us, int8Us }) =>
        `  ${(layer || 'no layer').padEnd(28)} ${cell(fp32Us).padStart(8)} ${cell(int8Us).padStart(8)}`,
    ),
  ];
}

try {
  const options = readOptions();
  if (options === undefined) process.stdout.write(USAGE);
  else await main(options);
} catch (error) {
  say((error as Error).message);
  process.exitCode = error instanceof InputError ? 2 : 1;
}
