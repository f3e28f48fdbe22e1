// A run of `npm run train` (runs/router-cnn, lab/dataset) -> what export wants of it.

import { HYPER_PARAMETERS } from '../models/hyper-parameters.ts';
import { readLabData, splitByCapture } from '../models/lab-data.ts';
import { networkNamed } from '../models/networks/networks.ts';
import { featureSpec, type PreparedData, prepare } from '../models/prepared-data.ts';
import { seededRandom, shuffledIndices } from '../models/random.ts';
import {
  loadWeights,
  type RunConfig,
  readRun,
  type SavedRun,
} from '../models/run-directory.ts';
import { pick, type Samples } from '../models/samples.ts';
import { InputError } from '../src/errors.ts';
import { table } from './card-table.ts';
import type { Exported, ExportFlows, Origin, TrainedModel } from './trained-model.ts';

/**
 * @param dataDirectory the captures that it was trained on
 * @throws InputError: no such run or data, or other data
 */
export async function openLabRun(
  runDirectory: string,
  dataDirectory: string,
): Promise<Exported> {
  const run = await readRun(runDirectory);
  const data = await readData(dataDirectory, run);
  const trained = await trainedModelOf(runDirectory, run, data);
  return { trained, flows: flowsOf(data, run.config) };
}

async function trainedModelOf(
  directory: string,
  { config, metrics }: SavedRun,
  data: PreparedData,
): Promise<TrainedModel> {
  const { network: name, classes, seed, normaliser, seriesSteps } = config;
  const network = networkNamed(name);
  const statistics = normaliser.mean.length;
  const shape = { seriesSteps, statistics, classes: classes.length, seed };
  const model = network.build(shape, config.networkOptions);
  await loadWeights(directory, model);
  return {
    name,
    network: name,
    networkOptions: network.resolve(config.networkOptions),
    inputs: network.inputs(config.networkOptions),
    classes,
    features: featureSpec(config),
    normaliser,
    temperature: metrics.temperature,
    thresholds: undefined,
    model,
    seed,
    commit: config.commit,
    backend: config.backend,
    startedAt: config.startedAt,
    hyperParameters: config.hyperParameters,
    origin: originOf(config, metrics.baselines, data.test.whole.count),
  };
}

/** The very data that the run was trained on, prepared in the same way. */
async function readData(directory: string, { config }: SavedRun): Promise<PreparedData> {
  const data = await readLabData(directory, {
    spec: featureSpec(config),
    cuts: config.cuts,
  });
  if (data.sha256 !== config.data.sha256) {
    throw new InputError(
      'ERR_DATA',
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

function flowsOf(
  { train, validation, test }: PreparedData,
  config: RunConfig,
): ExportFlows {
  return {
    calibration: drawnSample(train.samples, config.seed),
    validationWhole: wholeFlows(validation, config.cuts.length),
    validation,
    test,
  };
}

/** The same seed draws the same flows. */
function drawnSample(train: Samples, seed: number): Samples {
  const count = Math.min(HYPER_PARAMETERS.calibrationFlows, train.count);
  const drawn = shuffledIndices(train.count, seededRandom(seed)).subarray(0, count);
  return pick(train, drawn);
}

/** Whole flows stand first, then the same after so many packets: early looks are undecided, and rounding may decide them. */
function wholeFlows(looks: Samples, cuts: number): Samples {
  const count = looks.count / (1 + cuts);
  return pick(
    looks,
    Int32Array.from({ length: count }, (_, b) => b),
  );
}

function originOf(
  { data }: RunConfig,
  baselines: Origin['baselines'],
  testFlows: number,
): Origin {
  return {
    data: 'lab captures: real TLS clients and servers acting out services in network namespaces',
    dataSha256: data.sha256,
    split: `by capture: trained on ${data.train.join(', ')}; validated on ${data.validation.join(', ')}; tested on ${data.test.join(', ')}`,
    flows: data.trainFlows,
    testData: `lab captures ${data.test.join(', ')}, never trained on`,
    baselines,
    card: {
      data: dataSection(data, testFlows),
      limits: [
        '- Lab traffic only. On a real network expect less: other clients, other servers, other people. Measure there, with',
        '  labels of your own, before anything acts on the labels.',
        '- Trained on TLS over TCP only: flows of QUIC and DTLS are labelled too, by a model that has seen none.',
      ],
      recipe:
        'npm run setup:training && npm run build && npm run train && npm run export',
    },
  };
}

function dataSection(data: RunConfig['data'], testFlows: number): string {
  const captures = (names: readonly string[]) =>
    names.map((name) => `\`${name}\``).join(', ');
  return [
    'Captures made by this repository’s lab (`lab/`): real TLS clients and servers in network namespaces act out the',
    'services. The traffic is real, the behaviour behind it is a model of people, with the assumptions that `lab/` states.',
    '',
    table(
      ['split', 'captures', 'flows'],
      [
        ['train', captures(data.train), String(data.trainFlows)],
        ['validation', captures(data.validation), String(data.validationFlows)],
        ['test', captures(data.test), String(testFlows)],
      ],
    ),
    '',
    'Split by whole captures in the order of time, never by flow: flows of one session resemble each other so much that',
    'a split by flow measures memory. Weights, normaliser and int8 ranges come from the training captures; early',
    'stopping, temperature and thresholds from the validation captures; the test captures decided nothing.',
    `SHA-256 over the data set: \`${data.sha256}\`.`,
  ].join('\n');
}
