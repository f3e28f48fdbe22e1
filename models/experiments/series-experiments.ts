// The experiments of issue 10 on public series: (a) UC Davis QUIC split at random, as the paper did; (b) 100 flows a class of
// it, tested on flows that were captured separately; (c) fgnet D1 split by session, services and apps; and (d) split by time:
// what lasts.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readDataset } from '../../src/dataset/dataset-reader.ts';
import {
  PAPER_RULE,
  PAYLOAD_RULE,
  type PacketRule,
} from '../../src/features/packet-rule.ts';
import type { Flows } from '../baselines/baseline-models.ts';
import type { LabelledRow } from '../data/flow-source.ts';
import { openData } from '../data/open-data.ts';
import { type Level, labelOf, TRAINING_COLUMNS, trimRow } from '../data/training-row.ts';
import { labelledRows } from '../training/preparation.ts';
import { importSeries, type Shares, splitFew, splitSessions } from './series-data.ts';

export interface SeriesExperiment {
  readonly name: string;
  /** Of the corpus folder, what has to be there. */
  readonly needs: readonly string[];
  readonly level: Level;
  readonly packets: PacketRule;
  readonly looks: readonly number[];
  /** T of the networks; later packets are in their statistics alone, if at all. */
  readonly seriesSteps: number;
  readonly augment: Record<string, unknown>;
  readonly learningRate: number;
  readonly epochs: number;
  readonly batchFlows: number;
  readonly halveEveryEpochs: number;
  /** Makes data set and split; gives the flows. */
  readonly open: (places: Places, seed: number) => Promise<OpenedExperiment>;
}

export interface Places {
  /** `../shared/corpus`, or one like it. */
  readonly corpus: string;
  /** Where data sets are made. */
  readonly work: string;
}

export interface OpenedExperiment {
  readonly directory: string;
  readonly split: string;
  /** Further splits of the same flows, each with another fifth of them for validation: none where flows abound. */
  readonly folds: readonly string[];
  /** Training and validation together are what baselines learn from: they choose nothing by validation. */
  readonly flows: Flows;
}

const UCDAVIS = 'series/ucdavis-quic.jsonl.gz';
const UCDAVIS_APART = 'ucdavis-quic';
const FGNET = 'series/fgnet-d1.jsonl.gz';
/** As the paper: a fifth of what trains validates. */
const SHARES: Shares = [0.64, 0.16, 0.2];
const FGNET_SHARES = {
  session: [0.72, 0.08, 0.2],
  // Five days: flows of the last ones judge what those of the first taught. Few validate, because they are the newest, and baselines
  // learn from them where networks do not.
  time: [0.58, 0.02, 0.4],
} as const satisfies Record<string, Shares>;
/** Flows of a class in (b), as in the studies that are compared with. */
const EACH = 100;

async function ucdavis({ corpus, work }: Places): Promise<string> {
  return await importSeries(
    {
      format: 'series-jsonl',
      set: 'ucdavis-quic',
      path: join(corpus, UCDAVIS),
      appsApart: false,
    },
    join(work, 'ucdavis'),
  );
}

async function fgnet({ corpus, work }: Places): Promise<string> {
  return await importSeries(
    {
      format: 'series-jsonl',
      set: 'fgnet-d1',
      path: join(corpus, FGNET),
      appsApart: true,
    },
    join(work, 'fgnet'),
  );
}

/** Training and validation flows, and those to be tested, of a split. */
async function flowsOf(
  directory: string,
  split: string,
  options: { readonly level: Level; readonly packets: number },
): Promise<Flows> {
  const data = await openData({ directory, split, level: options.level });
  const [train, validation, test] = [
    await labelledRows(data, 'train', options.packets),
    await labelledRows(data, 'validation', options.packets),
    await labelledRows(data, 'test', options.packets),
  ];
  return { train: [...train, ...validation], test, classes: data.classes };
}

/** Every flow of a data set whose class is one of `classes`. */
async function allFlows(
  directory: string,
  classes: readonly string[],
  options: { readonly level: Level; readonly packets: number },
): Promise<LabelledRow[]> {
  const flows: LabelledRow[] = [];
  for await (const row of readDataset(directory, { columns: TRAINING_COLUMNS })) {
    const label = classes.indexOf(labelOf(row, options.level) ?? '');
    if (label >= 0) flows.push({ row: trimRow(row, options.packets), label });
  }
  return flows;
}

const quic = {
  level: 'application',
  packets: PAPER_RULE,
  looks: [10, 30, 100],
  seriesSteps: 100,
  // Another path, another server load: what differs between two captures of the same services.
  augment: {
    timeStretch: { share: 0.5, factor: 2 },
    jitter: { share: 0.3, meanMs: 2 },
    loss: { share: 0.2, rate: 0.02 },
  },
  learningRate: 0.001,
} as const;

function fgnetExperiment(
  name: string,
  by: 'session' | 'time',
  level: Level,
): SeriesExperiment {
  return {
    name,
    needs: [FGNET],
    level,
    packets: PAYLOAD_RULE,
    looks: [3, 5, 10, 30, 100],
    // A network of 32 steps costs a third of one of 100, and what tells apps apart comes early.
    seriesSteps: 32,
    augment: { timeStretch: { share: 0.3, factor: 1.5 } },
    learningRate: 0.002,
    epochs: 24,
    batchFlows: 128,
    halveEveryEpochs: 6,
    open: async (places, seed) => {
      const directory = await fgnet(places);
      const split = `${by}-${level}-${seed}`;
      await splitSessions(directory, split, {
        by,
        seed,
        shares: FGNET_SHARES[by],
        level,
      });
      const flows = await flowsOf(directory, split, { level, packets: 100 });
      return { directory, split, folds: [], flows };
    },
  };
}

export const SERIES_EXPERIMENTS: readonly SeriesExperiment[] = [
  {
    ...quic,
    name: 'a: UC Davis QUIC, split at random',
    needs: [UCDAVIS],
    // Paper 4: 20 epochs on QUIC.
    epochs: 20,
    batchFlows: 64,
    halveEveryEpochs: 7,
    open: async (places, seed) => {
      const directory = await ucdavis(places);
      const split = `random-${seed}`;
      await splitSessions(directory, split, {
        by: 'session',
        seed,
        shares: SHARES,
        level: quic.level,
      });
      const flows = await flowsOf(directory, split, { level: quic.level, packets: 100 });
      return { directory, split, folds: [], flows };
    },
  },
  {
    ...quic,
    name: 'b: UC Davis QUIC, 100 flows a class, tested on flows captured separately',
    needs: [UCDAVIS, UCDAVIS_APART],
    epochs: 60,
    batchFlows: 32,
    halveEveryEpochs: 20,
    open: async (places, seed) => {
      const directory = await ucdavis(places);
      const apart = await importSeries(
        {
          format: 'ucdavis-txt',
          set: 'ucdavis-quic',
          path: join(places.corpus, UCDAVIS_APART),
          appsApart: false,
        },
        join(places.work, 'ucdavis-apart'),
      );
      const split = `few-${seed}`;
      const folds = [1, 2, 3, 4].map((fold) => `${split}-${fold}`);
      for (const [fold, name] of [split, ...folds].entries()) {
        await splitFew(directory, name, { seed, fold, each: EACH, level: quic.level });
      }
      const options = { level: quic.level, packets: 100 };
      const few = await flowsOf(directory, split, options);
      const test = await allFlows(apart, few.classes, options);
      return { directory, split, folds, flows: { ...few, test } };
    },
  },
  fgnetExperiment('c: fgnet D1 by session, 6 services', 'session', 'service'),
  fgnetExperiment('c: fgnet D1 by session, 53 apps', 'session', 'application'),
  fgnetExperiment('d: fgnet D1 by time, 6 services', 'time', 'service'),
  fgnetExperiment('d: fgnet D1 by time, 53 apps', 'time', 'application'),
];

/** What is missing of an experiment's data; undefined: nothing. */
export function missing({ needs }: SeriesExperiment, corpus: string): string | undefined {
  return needs.find((name) => !existsSync(join(corpus, name)));
}
