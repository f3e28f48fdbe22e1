// A configuration and its data -> what the training loop takes: the network, batches of looks at flows, validation.

import { checkSpec } from '../../src/dataset/dataset-reader.ts';
import { InputError } from '../../src/errors.ts';
import type { StatisticsNormaliser } from '../../src/features/normalise.ts';
import { augmentationSchema, lookRandom } from '../augment.ts';
import { batchOf, type Example, type InputSpec } from '../data/batch.ts';
import { refuseStreamedSessions, sessionExamples } from '../data/examples.ts';
import { fitNormaliser } from '../data/fit-normaliser.ts';
import {
  epochRandom,
  type FlowSource,
  type LabelledRow,
  memorySource,
  streamedSource,
} from '../data/flow-source.ts';
import { drawLook, type LookChoice } from '../data/looks.ts';
import { classOf, type OpenData, rowsOf } from '../data/open-data.ts';
import { modelKindNamed } from '../networks/networks.ts';
import { seededRandom, shuffledIndices } from '../random.ts';
import type { Batch } from '../training-step.ts';
import { C45, RAW_STATISTICS } from '../tree/c45-kind.ts';
import { featureSpecOf, inputSpecOf, withOwnRows } from './configured-network.ts';
import type { FitData } from './fit.ts';
import type { TrainingConfig } from './training-config.ts';

/** Ratio by which a class is shown or weighs more: (largest / own)^power. [K] */
export function balanceFactors(counts: readonly number[], power: number): number[] {
  const largest = Math.max(...counts);
  return counts.map((count) => (count === 0 ? 0 : (largest / count) ** power));
}

interface Prepared {
  /** With the sizes that have rows of their own, where those were to be found. */
  readonly config: TrainingConfig;
  readonly fit: FitData;
  readonly normaliser: StatisticsNormaliser;
  /** [K], for the loss. */
  readonly classWeights: number[];
  readonly kept: FlowSource['kept'];
  /** Examples of an epoch, about. */
  readonly examplesAnEpoch: number;
}

/** @throws InputError: the data set cannot give these features, or there is nothing to validate with */
export async function prepareTraining(
  given: TrainingConfig,
  data: OpenData,
): Promise<Prepared> {
  const spec = featureSpecOf(given);
  checkSpec(data.manifest, spec);
  const source = await sourceOf(given, data, spec.packets);
  const config = await withOwnRows(given, source, spec);
  const looks: LookChoice = config.data;
  const { seed, balance, balancePower } = config.training;
  const normaliser =
    config.network.name === C45.name
      ? RAW_STATISTICS
      : await fitNormaliser(source, spec, {
          ...looks,
          seed,
          clip: config.data.statisticsClip,
        });
  const inputs = inputSpecOf(config, normaliser);
  const factors = balanceFactors(data.counts.train, balancePower);
  const repeats = balance === 'upsample' ? factors : undefined;
  return {
    config,
    normaliser,
    classWeights: weightsOf(
      balance === 'weights' ? factors : factors.map(() => 1),
      data.counts.train,
    ),
    kept: source.kept,
    examplesAnEpoch: data.counts.train.reduce(
      (sum, count, k) => sum + count * (repeats?.[k] ?? 1),
      0,
    ),
    fit: {
      spec: inputs,
      epoch: (epoch) => epochBatches(config, { source, inputs, data, repeats }, epoch),
      validation: await validationBatches(config, data, inputs),
    },
  };
}

async function sourceOf(
  config: TrainingConfig,
  data: OpenData,
  packets: number,
): Promise<FlowSource> {
  const { row } = modelKindNamed(config.network.name);
  const kept =
    data.bytes('train', packets) > config.data.memoryMb * 1e6 ? 'streamed' : 'memory';
  refuseStreamedSessions(row, kept);
  if (kept === 'streamed') return streamedSource(data, { packets });
  return memorySource(await labelledRows(data, 'train', packets));
}

/** The rows of a part whose class the network knows, in memory. */
export async function labelledRows(
  data: OpenData,
  part: 'train' | 'validation' | 'test',
  packets: number,
): Promise<LabelledRow[]> {
  const rows: LabelledRow[] = [];
  for await (const row of rowsOf(data, part, packets)) {
    const label = classOf(row, data.choice.level, data.classes);
    if (label >= 0) rows.push({ row, label });
  }
  return rows;
}

/** Weights with mean 1 over the flows, so that the learning rate means the same. */
function weightsOf(factors: readonly number[], counts: readonly number[]): number[] {
  const flows = counts.reduce((a, b) => a + b, 0);
  const sum = factors.reduce((total, factor, k) => total + factor * (counts[k] ?? 0), 0);
  return factors.map((factor) => (factor * flows) / sum);
}

interface EpochParts {
  readonly source: FlowSource;
  readonly inputs: InputSpec;
  readonly data: OpenData;
  readonly repeats: readonly number[] | undefined;
}

async function* epochBatches(
  config: TrainingConfig,
  { source, inputs, data, repeats }: EpochParts,
  epoch: number,
): AsyncGenerator<readonly Example[], void, undefined> {
  const { seed, batchFlows } = config.training;
  const random = epochRandom(seed, epoch);
  if (inputs.sessionFlows !== undefined) {
    yield* sessionBatches(config, { source, inputs, data, repeats }, epoch);
    return;
  }
  const changes = changesOf(config, epoch);
  let [batch, number]: [Example[], number] = [[], 0];
  for await (const { row, label } of source.epoch({ random, repeats })) {
    const cut = drawLook(row, config.data, random);
    batch.push({ rows: [row], label, cut, changes: changes?.(number++) });
    if (batch.length < batchFlows) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** What changes the n-th look of an epoch; undefined: nothing is to be changed. */
function changesOf(
  { augment, training: { seed } }: TrainingConfig,
  epoch: number,
): ((number: number) => NonNullable<Example['changes']>) | undefined {
  if (Object.values(augment).every(({ share }) => share === 0)) return undefined;
  const options = augmentationSchema.parse(augment);
  return (number) => ({ options, random: lookRandom(seed, epoch, number) });
}

/** Sessions in an order that is drawn; small classes more often, as flows would be. */
async function* sessionBatches(
  config: TrainingConfig,
  { source, data, repeats }: EpochParts,
  epoch: number,
): AsyncGenerator<readonly Example[], void, undefined> {
  const { seed, batchFlows } = config.training;
  const random = epochRandom(seed, epoch);
  const flows: LabelledRow[] = [];
  for await (const flow of source.epoch({ random })) flows.push(flow);
  const sessions = sessionExamples(flows, data.classes.length);
  const drawn = sessions.flatMap((session) => {
    const wanted = repeats?.[session.label] ?? 1;
    const times = Math.floor(wanted) + (random() < wanted % 1 ? 1 : 0);
    return new Array<Example>(times).fill(session);
  });
  const order = shuffledIndices(drawn.length, random);
  for (let at = 0; at < order.length; at += batchFlows) {
    yield [...order.subarray(at, at + batchFlows)].flatMap((i) => {
      const session = drawn[i];
      return session === undefined ? [] : [session];
    });
  }
}

/** Batches of this many, whatever training takes. */
const VALIDATION_BATCH = 256;

/** Each flow in one look, drawn once and for all as training draws: epochs are compared on the same. */
async function validationBatches(
  config: TrainingConfig,
  data: OpenData,
  inputs: InputSpec,
): Promise<Batch[]> {
  const all = await labelledRows(data, 'validation', inputs.features.packets);
  if (all.length === 0) {
    throw new InputError(
      'ERR_TRAINING_DATA',
      `split ${config.data.split} has no labelled flows for validation, by which the best weights are chosen; split with a share for it`,
    );
  }
  const random = seededRandom(config.training.seed);
  const order = shuffledIndices(all.length, random).subarray(
    0,
    config.data.validationFlows,
  );
  const flows = [...order].flatMap((i) => all[i] ?? []);
  const examples =
    inputs.sessionFlows === undefined
      ? flows.map(({ row, label }) => ({
          rows: [row],
          label,
          cut: drawLook(row, config.data, random),
        }))
      : sessionExamples(all, data.classes.length);
  const batches: Batch[] = [];
  for (let at = 0; at < examples.length; at += VALIDATION_BATCH) {
    batches.push(batchOf(examples.slice(at, at + VALIDATION_BATCH), inputs));
  }
  return batches;
}
