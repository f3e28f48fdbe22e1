// `npm run train`: the lab's data set -> runs/router-cnn/. SIGINT ends it early and keeps the best weights so far.

import { parseArgs } from 'node:util';
import { BACKENDS, chooseBackend, describeBackend, type tf } from './backend.ts';
import { atTemperature, fitTemperature } from './calibration.ts';
import { baselines, evaluate } from './evaluation.ts';
import { gitCommit } from './git-commit.ts';
import { HYPER_PARAMETERS } from './hyper-parameters.ts';
import {
  flowsOf,
  type LabelledCapture,
  readLabData,
  type Split,
  splitByCapture,
} from './lab-data.ts';
import { SERVICES } from './labels.ts';
import { networkNamed } from './networks/networks.ts';
import { featureSpec, type PreparedData, prepare } from './prepared-data.ts';
import { type RunConfig, type RunMetrics, saveRun } from './run-directory.ts';
import { classWeights, countsOf } from './samples.ts';
import { type EpochReport, predict, type TrainingResult, train } from './trainer.ts';

const USAGE = `Trains router-cnn on the lab's data set.

usage: npm run train -- [options]
  --data DIR       data set (default lab/dataset)
  --out DIR        where the run is written (default runs/router-cnn)
  --epochs N       at most so many epochs (default ${HYPER_PARAMETERS.epochs})
  --seed N         (default ${HYPER_PARAMETERS.seed})
  --backend NAME   native or wasm (default: native where it is in place)
`;

interface Options {
  readonly data: string;
  readonly out: string;
  readonly epochs: number;
  readonly seed: number;
  readonly backend: (typeof BACKENDS)[number] | undefined;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Throws with a usable message on what is no option. */
function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: 'lab/dataset' },
      out: { type: 'string', default: 'runs/router-cnn' },
      epochs: { type: 'string', default: String(HYPER_PARAMETERS.epochs) },
      seed: { type: 'string', default: String(HYPER_PARAMETERS.seed) },
      backend: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const backend = BACKENDS.find((name) => name === values.backend);
  if (values.backend !== undefined && backend === undefined) {
    throw new Error(`--backend ${values.backend}: expected ${BACKENDS.join(' or ')}`);
  }
  const { data, out } = values;
  const epochs = wholeNumber('--epochs', values.epochs);
  return { data, out, epochs, seed: wholeNumber('--seed', values.seed), backend };
}

function wholeNumber(flag: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${flag} ${text}: expected a whole number`);
  return Number(text);
}

async function readSplit(directory: string): Promise<{ split: Split; sha256: string }> {
  const data = await readLabData(directory, {
    spec: featureSpec(HYPER_PARAMETERS),
    cuts: HYPER_PARAMETERS.cuts,
    onCapture: ({ name, flows, unmatched }) => {
      say(
        `  ${name}: ${flows.length} labelled flows, ${unmatched} labels without a flow`,
      );
    },
  });
  return { split: splitByCapture(data.captures), sha256: data.sha256 };
}

function namesOf(captures: readonly LabelledCapture[]): string[] {
  return captures.map(({ name }) => name);
}

function describe(split: Split, data: PreparedData): void {
  const counts = (labels: Int32Array) =>
    countsOf(labels, SERVICES.length).map((n, k) => `${SERVICES[k]} ${n}`);
  const line = (captures: readonly LabelledCapture[]) =>
    `${namesOf(captures).join(', ')}: ${flowsOf(captures).length} flows`;
  say(`train       ${line(split.train)} (${counts(data.trainWhole.labels).join(', ')})`);
  say(`validation  ${line(split.validation)}`);
  say(`test        ${line(split.test)} (${counts(data.test.whole.labels).join(', ')})`);
}

function reporter(epochs: number): (report: EpochReport) => void {
  let spent = 0;
  return (report) => {
    spent += report.seconds;
    const left = Math.round((spent / report.epoch) * (epochs - report.epoch));
    const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
    say(
      `epoch ${String(report.epoch).padStart(2)}/${epochs}  loss ${report.trainLoss.toFixed(3)}` +
        `  validation loss ${report.validationLoss.toFixed(3)}` +
        `  accuracy ${percent(report.validationAccuracy)}` +
        `  macro-F1 ${percent(report.validationMacroF1)}` +
        `  ${report.seconds.toFixed(1)} s, at most ${left} s left${report.best ? '  *' : ''}`,
    );
  };
}

/** Aborts on the first SIGINT; the second one kills as usual. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    say('stopping; the best weights so far are kept (again to give up at once)');
    controller.abort();
  });
  return controller.signal;
}

async function fit(
  model: tf.LayersModel,
  data: PreparedData,
  options: Options,
): Promise<TrainingResult> {
  const { classWeightPower } = HYPER_PARAMETERS;
  const { labels } = data.trainWhole;
  return await train(model, data.train, data.validation, {
    ...HYPER_PARAMETERS,
    epochs: options.epochs,
    seed: options.seed,
    classes: SERVICES,
    classWeights: classWeights(labels, SERVICES.length, classWeightPower),
    signal: interruption(),
    onEpoch: reporter(options.epochs),
  });
}

/** Temperature from validation, figures from the test captures. */
async function judge(
  model: tf.LayersModel,
  data: PreparedData,
): Promise<Pick<RunMetrics, 'temperature' | 'test' | 'baselines'>> {
  const { validation, test, trainWhole } = data;
  const classes = SERVICES.length;
  const probabilities = predict(model, validation);
  const temperature = fitTemperature(probabilities, validation.labels, classes);
  const calibrated = async (samples: typeof validation) =>
    atTemperature(predict(model, samples), classes, temperature);
  return {
    temperature,
    test: await evaluate(calibrated, test, SERVICES),
    baselines: baselines(trainWhole, test.whole, SERVICES),
  };
}

function configOf(
  options: Options,
  data: PreparedData,
  split: Split,
  facts: Pick<RunConfig, 'backend' | 'startedAt'> & { readonly sha256: string },
): RunConfig {
  const { seriesSteps, packets, shownCanaries, cuts } = HYPER_PARAMETERS;
  const { sha256, ...rest } = facts;
  return {
    ...rest,
    network: 'router-cnn',
    classes: SERVICES,
    seed: options.seed,
    seriesSteps,
    packets,
    shownCanaries,
    cuts,
    normaliser: data.normaliser,
    hyperParameters: {
      ...HYPER_PARAMETERS,
      packets: JSON.stringify(packets),
      cuts: cuts.join(' '),
      shownCanaries: shownCanaries.join(' '),
      epochs: options.epochs,
      seed: options.seed,
    },
    data: {
      sha256,
      train: namesOf(split.train),
      validation: namesOf(split.validation),
      test: namesOf(split.test),
      trainFlows: flowsOf(split.train).length,
      validationFlows: flowsOf(split.validation).length,
    },
    commit: gitCommit(),
  };
}

async function main(options: Options): Promise<void> {
  const start = performance.now();
  const startedAt = new Date().toISOString();
  const backend = await chooseBackend(options.backend);
  say(`backend     ${describeBackend(backend)}`);
  say(`data set    ${options.data}`);
  const { split, sha256 } = await readSplit(options.data);
  const data = prepare(split, HYPER_PARAMETERS);
  describe(split, data);
  const model = networkNamed('router-cnn').build({
    seriesSteps: HYPER_PARAMETERS.seriesSteps,
    statistics: data.normaliser.mean.length,
    classes: SERVICES.length,
    seed: options.seed,
  });
  say(`network     router-cnn, ${model.countParams()} parameters`);
  const { history, bestEpoch, stopped } = await fit(model, data, options);
  const judged = await judge(model, data);
  const config = configOf(options, data, split, { backend, startedAt, sha256 });
  const seconds = (performance.now() - start) / 1000;
  await saveRun(options.out, model, config, {
    bestEpoch,
    stopped,
    seconds,
    history,
    ...judged,
  });
  const { whole } = judged.test;
  say(`best epoch ${bestEpoch} (${stopped}), ${Math.round(seconds)} s in all`);
  say(
    `test: accuracy ${(100 * whole.accuracy).toFixed(2)}%, macro-F1 ${(100 * whole.macroF1).toFixed(2)}%` +
      ` on ${whole.flows} flows of ${namesOf(split.test).join(', ')}`,
  );
  for (const [name, accuracy] of Object.entries(judged.baselines)) {
    say(`  baseline ${name}: accuracy ${(100 * accuracy).toFixed(2)}%`);
  }
  say(`written to ${options.out}; npm run export makes the bundle of it`);
}

try {
  const options = readOptions();
  if (options === undefined) process.stdout.write(USAGE);
  else await main(options);
} catch (error) {
  say(`train: ${(error as Error).message}`);
  process.exitCode = 1;
}
