// A run of `sluice train` and the data set and split that it names -> what export wants of it. Data sets may be larger than
// memory: flows are drawn while their files are read.

import type { LabelledRow } from '../models/data/flow-source.ts';
import { drawLook } from '../models/data/looks.ts';
import { classOf, type OpenData, openData, rowsOf } from '../models/data/open-data.ts';
import { modelKindNamed } from '../models/networks/networks.ts';
import { type Random, seededRandom } from '../models/random.ts';
import { type Samples, samplesOf } from '../models/samples.ts';
import { featureSpecOf } from '../models/training/configured-network.ts';
import { loadTrained, type Run, readRun } from '../models/training/run.ts';
import { fileSha256 } from '../src/dataset/dataset-file.ts';
import { readManifest } from '../src/dataset/dataset-manifest.ts';
import { checkSpec } from '../src/dataset/dataset-reader.ts';
import { featuresOfRow } from '../src/dataset/row-tensors.ts';
import { type Part, splitPath } from '../src/dataset/split-file.ts';
import { InputError } from '../src/errors.ts';
import { type DrawnFlows, originOf } from './dataset-origin.ts';
import type { Exported, ExportFlows, TrainedModel } from './trained-model.ts';

/** Flows of validation and of test at most: figures get no better by more, and memory is bounded. */
const FLOWS_MOST = 10_000;
/** Looks at training flows from which int8 ranges are found: more change nothing. */
const CALIBRATION_FLOWS = 512;

/**
 * @param dataDirectory where the data set lies now; where it lay in training unless given
 * @throws InputError: no such run, a network that no router can feed, no such data or split, others than it was trained on
 */
export async function openDatasetRun(
  runDirectory: string,
  dataDirectory: string | undefined,
): Promise<Exported> {
  const run = await readRun(runDirectory);
  refuseSessions(run);
  const data = await openTrainingData(run, dataDirectory);
  const drawn = await drawnFlows(run, data);
  const trained = await trainedModelOf(runDirectory, run, { data, drawn });
  return { trained, flows: exportFlows(run, drawn, trained) };
}

function refuseSessions({ config }: Run): void {
  if (modelKindNamed(config.network.name).row === 'flow') return;
  throw new InputError(
    'ERR_EXPORT_NETWORK',
    `network ${config.network.name} judges whole sessions, and a bundle labels flows as they come; export a run of a network that judges flows`,
  );
}

/** The very data set and split that the run was trained on. */
async function openTrainingData(
  { config, classes, data: trainedOn }: Run,
  dataDirectory: string | undefined,
): Promise<OpenData> {
  const directory = dataDirectory ?? config.data.directory;
  const fault = (words: string) => new InputError('ERR_DATA', words);
  const manifest = await readManifest(directory).catch((cause: Error) => {
    if (!(cause instanceof InputError)) throw cause;
    throw new InputError(
      'ERR_DATA',
      `${cause.message}; --data names where the data set of the run lies`,
      { cause },
    );
  });
  if (manifest.contentSha256 !== trainedOn.sha256) {
    throw fault(
      `data set ${directory} has content ${manifest.contentSha256.slice(0, 12)}, the run was trained on ${trainedOn.sha256.slice(0, 12)}; name that one with --data, or train again`,
    );
  }
  checkSpec(manifest, featureSpecOf(config));
  const data = await openData({ ...config.data, directory, classes });
  const split = splitPath(directory, config.data.split);
  const splitSha256 = await fileSha256(split);
  if (splitSha256 !== trainedOn.splitSha256) {
    throw fault(
      `${split} has SHA-256 ${splitSha256.slice(0, 12)}, the run was trained on ${trainedOn.splitSha256.slice(0, 12)}; its test flows may be ones that the run has seen: put the old split back, or train again`,
    );
  }
  return data;
}

/** The same seed draws the same flows. */
async function drawnFlows({ config }: Run, data: OpenData): Promise<DrawnFlows> {
  const { packets } = featureSpecOf(config);
  const { seed } = config.training;
  const draw = (part: Part, most: number) =>
    drawnOf(labelled(data, part, packets), most, seededRandom(seed));
  const drawn = {
    train: await draw('train', CALIBRATION_FLOWS),
    validation: await draw('validation', FLOWS_MOST),
    test: await draw('test', FLOWS_MOST),
  };
  for (const part of ['validation', 'test'] as const) {
    if (drawn[part].length > 0) continue;
    throw new InputError(
      'ERR_DATA',
      `split ${config.data.split} has no labelled flows for ${part}; export checks int8 on them: split with a share for it, and train again`,
    );
  }
  return drawn;
}

async function* labelled(
  data: OpenData,
  part: Part,
  packets: number,
): AsyncGenerator<LabelledRow> {
  for await (const row of rowsOf(data, part, packets)) {
    const label = classOf(row, data.choice.level, data.classes);
    if (label >= 0) yield { row, label };
  }
}

/** At most so many, each with the same chance (reservoir sampling). */
async function drawnOf<A>(
  items: AsyncIterable<A>,
  most: number,
  random: Random,
): Promise<A[]> {
  const drawn: A[] = [];
  let seen = 0;
  for await (const item of items) {
    seen++;
    if (drawn.length < most) {
      drawn.push(item);
      continue;
    }
    const at = Math.floor(random() * seen);
    if (at < most) drawn[at] = item;
  }
  return drawn;
}

function exportFlows(
  { config }: Run,
  { train, validation, test }: DrawnFlows,
  { features: spec, normaliser, inputs }: TrainedModel,
): ExportFlows {
  type CutOf = (flow: LabelledRow) => number | undefined;
  const samples = (
    rows: readonly LabelledRow[],
    ...cutsOf: readonly CutOf[]
  ): Samples => {
    const looks = cutsOf.flatMap((cutOf) =>
      rows.map((flow) => ({
        features: featuresOfRow(flow.row, spec, { cut: cutOf(flow) }),
        label: flow.label,
      })),
    );
    return samplesOf(looks, normaliser, spec.seriesSteps);
  };
  const whole: CutOf = () => undefined;
  const random = seededRandom(config.training.seed);
  const cuts = config.data.looks.filter((packets) => packets < spec.packets);
  return {
    calibration: samples(train, ({ row }) => drawLook(row, config.data, random)),
    // Some hundred whole flows say too little of an answer that differs for one in a hundred.
    validation: samples(validation, whole, ...cuts.map((cut) => () => cut)),
    wholeOfValidation: validation.length,
    test: {
      flows: test.map(({ row, label }) => ({ session: row.session, label })),
      whole: samples(test, whole),
      cuts: new Map(cuts.map((cut) => [cut, samples(test, () => cut)])),
      inputs,
    },
  };
}

async function trainedModelOf(
  directory: string,
  run: Run,
  { data, drawn }: { readonly data: OpenData; readonly drawn: DrawnFlows },
): Promise<TrainedModel> {
  const { config, classes, normaliser, temperature, thresholds } = run;
  const network = modelKindNamed(config.network.name);
  const { options } = config.network;
  return {
    name: bundleName(config.name),
    network: network.name,
    networkOptions: network.resolve(options),
    inputs: network.inputs(options),
    classes,
    features: featureSpecOf(config),
    normaliser,
    temperature,
    thresholds,
    trained: await loadTrained(directory, run),
    seed: config.training.seed,
    commit: run.commit,
    backend: run.backend,
    startedAt: run.startedAt,
    hyperParameters: hyperParametersOf(run),
    origin: originOf(run, data, drawn),
  };
}

/** Runs may have names that bundles may not. */
function bundleName(run: string): string {
  return run.toLowerCase().replaceAll('_', '-');
}

/** All of the configuration that decided the weights, but for where the data lay. */
function hyperParametersOf({ config }: Run): TrainedModel['hyperParameters'] {
  const { directory: _directory, ...data } = config.data;
  const { options: _options, ...network } = config.network;
  return {
    ...config.training,
    data: JSON.stringify(data),
    networkConfiguration: JSON.stringify(network),
    augment: JSON.stringify(config.augment),
    calibration: JSON.stringify(config.calibration),
  };
}
