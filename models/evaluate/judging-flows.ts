// Which flows judge a run: the test part of a split of its own data set or of another one, or every labelled row.

import { readManifest } from '../../src/dataset/dataset-manifest.ts';
import { checkSpec, readDataset } from '../../src/dataset/dataset-reader.ts';
import { isForTraining } from '../../src/dataset/split-groups.ts';
import { InputError } from '../../src/errors.ts';
import type { LabelledRow } from '../data/flow-source.ts';
import { classOf, openData, rowsOf } from '../data/open-data.ts';
import {
  labelOf,
  TRAINING_COLUMNS,
  type TrainingRow,
  trimRow,
} from '../data/training-row.ts';
import { featureSpecOf } from '../training/configured-network.ts';
import type { Run } from '../training/run.ts';
import type { JudgingFlows } from './evaluate-run.ts';

export interface JudgingChoice {
  /** The run's own unless given. */
  readonly data?: string;
  readonly split?: string;
  readonly allRows?: boolean;
}

/** @throws InputError: no such data or split, other features, or no flow that can be judged */
export async function judgingFlows(
  run: Run,
  choice: JudgingChoice,
): Promise<JudgingFlows> {
  const { data } = run.config;
  const directory = choice.data ?? data.directory;
  const manifest = await readManifest(directory);
  const spec = featureSpecOf(run.config);
  checkSpec(manifest, spec);
  const sameAsTraining = manifest.contentSha256 === run.data.sha256;
  if (choice.allRows === true && sameAsTraining) {
    throw new InputError(
      'ERR_EVALUATION',
      `--all-rows: ${directory} is what the run was trained on; name a split, whose test part judges`,
    );
  }
  const split = choice.split ?? data.split;
  const rows =
    choice.allRows === true
      ? everyRow(directory, run, spec.packets)
      : rowsOf(
          await openData({ ...data, directory, split, classes: run.classes }),
          'test',
          spec.packets,
        );
  const known: LabelledRow[] = [];
  const others: LabelledRow[] = [];
  for await (const row of rows) {
    const label = classOf(row, data.level, run.classes);
    (label < 0 ? others : known).push({ row, label });
  }
  if (known.length === 0) {
    throw new InputError(
      'ERR_EVALUATION',
      `${directory} has no flow to judge whose ${data.level} is one of ${run.classes.slice(0, 8).join(', ')}${run.classes.length > 8 ? ', …' : ''}`,
    );
  }
  return {
    known,
    others,
    data: {
      dataSha256: manifest.contentSha256,
      split: choice.allRows === true ? null : split,
      sources: Object.keys(manifest.sources),
      sameAsTraining,
    },
  };
}

async function* everyRow(
  directory: string,
  { config }: Run,
  packets: number,
): AsyncGenerator<TrainingRow> {
  for await (const row of readDataset(directory, { columns: TRAINING_COLUMNS })) {
    if (!isForTraining(row)) continue;
    if (labelOf(row, config.data.level) !== undefined) yield trimRow(row, packets);
  }
}
