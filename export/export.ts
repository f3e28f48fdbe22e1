// `npm run export`: a run of `npm run train` -> a bundle: int8 model, manifest, card.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseBackend } from '../models/backend.ts';
import { HYPER_PARAMETERS } from '../models/hyper-parameters.ts';
import { readLabData, splitByCapture } from '../models/lab-data.ts';
import { featureSpec, type PreparedData, prepare } from '../models/prepared-data.ts';
import { readRun, type SavedRun } from '../models/run-directory.ts';
import { cardOf } from './card.ts';
import { manifestOf, namingFiles } from './manifest.ts';
import { type Measured, measure } from './measure.ts';
import { buildModel } from './model-files.ts';

const USAGE = `Exports a trained router-cnn as a bundle.

usage: npm run export -- [options]
  --run DIR    what npm run train has written (default runs/router-cnn)
  --data DIR   the data set that it was trained on (default lab/dataset)
  --out DIR    the bundle (default models/bundles/router-cnn)
`;

/** tfjs and ONNX compute the same in float32, in another order. */
const PARITY_LIMIT = 1e-5;
/** Below it the quantization is broken, not merely coarse. */
const AGREEMENT_LIMIT = 0.99;

interface Options {
  readonly run: string;
  readonly data: string;
  readonly out: string;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      run: { type: 'string', default: 'runs/router-cnn' },
      data: { type: 'string', default: 'lab/dataset' },
      out: { type: 'string', default: 'models/bundles/router-cnn' },
      help: { type: 'boolean', default: false },
    },
  });
  const { help, ...options } = values;
  return help ? undefined : options;
}

/** The very data that the run was trained on, prepared in the same way. */
async function readData(directory: string, { config }: SavedRun): Promise<PreparedData> {
  const data = await readLabData(directory, {
    spec: featureSpec(config),
    cuts: config.cuts,
  });
  if (data.sha256 !== config.data.sha256) {
    throw new Error(
      `data set "${directory}" has SHA-256 ${data.sha256.slice(0, 12)}…, the run was trained on ` +
        `${config.data.sha256.slice(0, 12)}…; train again, or name the right one with --data`,
    );
  }
  return prepare(splitByCapture(data.captures), {
    seriesSteps: config.seriesSteps,
    cuts: config.cuts,
    statisticsClip: HYPER_PARAMETERS.statisticsClip,
    normaliser: config.normaliser,
  });
}

/** Throws rather than write a bundle that does not compute what was trained. */
function check({ parity, int8Agreement }: Measured): void {
  if (!(parity <= PARITY_LIMIT)) {
    throw new Error(
      `fp32 ONNX differs from tfjs by ${parity} in a probability, at most ${PARITY_LIMIT}`,
    );
  }
  if (int8Agreement < AGREEMENT_LIMIT) {
    throw new Error(
      `int8 agrees with fp32 on ${(100 * int8Agreement).toFixed(2)}% of the test flows, at least ${100 * AGREEMENT_LIMIT}%`,
    );
  }
}

async function main({ run: runDirectory, data: dataDirectory, out }: Options) {
  const start = performance.now();
  const run = await readRun(runDirectory);
  await chooseBackend();
  const data = await readData(dataDirectory, run);
  const built = await buildModel(runDirectory, run, data.train.samples);
  const measured = await measure(built, run, data);
  check(measured);
  const described = manifestOf(run, built, measured);
  const card = Buffer.from(cardOf(described, run, measured));
  const manifest = namingFiles(described, { 'card.md': card });
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'model.onnx'), built.int8);
  await writeFile(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await writeFile(join(out, 'card.md'), card);
  const { accuracy, macroF1, flows } = measured.test.whole;
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
  say(`tfjs against fp32 ONNX: largest difference ${measured.parity}`);
  say(`fp32 against int8: the same class on ${percent(measured.int8Agreement)}`);
  say(
    `int8 on ${flows} test flows: accuracy ${percent(accuracy)}, macro-F1 ${percent(macroF1)}`,
  );
  say(
    `${out}: ${built.int8.byteLength} bytes of model, ${Math.round((performance.now() - start) / 1000)} s`,
  );
}

try {
  const options = readOptions();
  if (options === undefined) process.stdout.write(USAGE);
  else await main(options);
} catch (error) {
  say(`export: ${(error as Error).message}`);
  process.exitCode = 1;
}
