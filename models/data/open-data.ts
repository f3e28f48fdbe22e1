// A data set and one of its splits -> classes, and the rows of each part. The first reading takes labels only, so that a set of
// any size can be opened.

import {
  type DatasetManifest,
  readManifest,
} from '../../src/dataset/dataset-manifest.ts';
import { readDataset } from '../../src/dataset/dataset-reader.ts';
import {
  openSplit,
  PARTS,
  type Part,
  partOf,
  readSplit,
  type Split,
} from '../../src/dataset/split-file.ts';
import { InputError } from '../../src/errors.ts';
import {
  LABEL_COLUMNS,
  type Level,
  labelOf,
  rowBytes,
  TRAINING_COLUMNS,
  type TrainingRow,
  trimRow,
} from './training-row.ts';

export interface DataChoice {
  readonly directory: string;
  /** Name of a split: DIR/splits/NAME.json. */
  readonly split: string;
  /** Of a split with folds: the one that judges. */
  readonly fold?: number | undefined;
  readonly level: Level;
  /** Classes that training never sees: evaluation asks whether they are told as unknown. */
  readonly heldOut?: readonly string[] | undefined;
  /** Given: a trained model's own, in the order of its outputs. Else those of the training rows, in alphabetical order. */
  readonly classes?: readonly string[] | undefined;
}

export interface OpenData {
  readonly manifest: DatasetManifest;
  readonly choice: DataChoice;
  readonly classes: readonly string[];
  readonly split: Split;
  /** [K] rows of each class. */
  readonly counts: Readonly<Record<Part, readonly number[]>>;
  /** Rows of validation and test whose class is none of `classes`. */
  readonly ofOtherClasses: number;
  /** Memory that the rows of each part would take, with up to so many packets each. */
  readonly bytes: (part: Part, packets: number) => number;
}

/**
 * @throws InputError ERR_DATASET, ERR_SPLIT: none there, damaged, of other data
 * @throws InputError ERR_TRAINING_DATA: no rows to train with, fewer than two classes
 */
export async function openData(choice: DataChoice): Promise<OpenData> {
  const { directory, level } = choice;
  const manifest = await readManifest(directory);
  const file = await readSplit(directory, choice.split, manifest.contentSha256);
  const split = openSplit(file, choice.fold);
  const seen: Record<Part, { label: string; packets: number }[]> = {
    train: [],
    validation: [],
    test: [],
  };
  for await (const row of readDataset(directory, { columns: LABEL_COLUMNS })) {
    const part = partOf(split, row);
    const label = labelOf(row, level);
    if (part !== undefined && label !== undefined) {
      seen[part].push({ label, packets: row.seen });
    }
  }
  const classes = choice.classes ?? classesOf(seen.train, choice);
  const numbers = new Map(classes.map((name, k) => [name, k]));
  const countsOf = (part: Part) => {
    const counts = new Array<number>(classes.length).fill(0);
    for (const { label } of seen[part]) {
      const k = numbers.get(label);
      if (k !== undefined) counts[k] = (counts[k] ?? 0) + 1;
    }
    return counts;
  };
  return {
    manifest,
    choice,
    classes,
    split,
    counts: {
      train: countsOf('train'),
      validation: countsOf('validation'),
      test: countsOf('test'),
    },
    ofOtherClasses: PARTS.filter((part) => part !== 'train')
      .flatMap((part) => seen[part])
      .filter(({ label }) => !numbers.has(label)).length,
    bytes: (part, packets) =>
      seen[part].reduce((sum, row) => sum + rowBytes(Math.min(row.packets, packets)), 0),
  };
}

function classesOf(
  rows: readonly { readonly label: string }[],
  { directory, split, level, heldOut = [] }: DataChoice,
): string[] {
  const names = [...new Set(rows.map(({ label }) => label))];
  const unknown = heldOut.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new InputError(
      'ERR_TRAINING_DATA',
      `heldOut "${unknown}" is no class of the training rows; these are ${names.sort().join(', ')}`,
    );
  }
  const classes = names.filter((name) => !heldOut.includes(name)).sort();
  if (classes.length < 2) {
    throw new InputError(
      'ERR_TRAINING_DATA',
      `split ${split} of ${directory} has ${rows.length} training rows of ${classes.length} classes at level ${level}; expected two classes at least: label more flows (\`sluice dataset label\`), or choose another split or level`,
    );
  }
  return classes;
}

/** The rows of one part that have a label, in the data set's order, without packets that no model looks at. */
export async function* rowsOf(
  data: OpenData,
  part: Part,
  packets: number,
): AsyncGenerator<TrainingRow, void, undefined> {
  const { directory, level } = data.choice;
  for await (const row of readDataset(directory, { columns: TRAINING_COLUMNS })) {
    if (partOf(data.split, row) !== part) continue;
    if (labelOf(row, level) !== undefined) yield trimRow(row, packets);
  }
}

/** Index of a row's class; -1: none of them. */
export function classOf(
  row: Pick<TrainingRow, 'service' | 'application'>,
  level: Level,
  classes: readonly string[],
): number {
  const label = labelOf(row, level);
  return label === undefined ? -1 : classes.indexOf(label);
}
