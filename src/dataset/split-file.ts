// DIR/splits/NAME.json: which rows of a data set train, which stop the training, which judge. The one place that knows the format;
// training reads it through `readSplit`, `openSplit` and `partOf`.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { groupOf, isForTraining, SPLIT_FIELDS, type SplitRow } from './split-groups.ts';

export const PARTS = ['train', 'validation', 'test'] as const;
export type Part = (typeof PARTS)[number];

/** What a split is called: a file's name without surprises. */
export const SPLIT_NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const groups = z.array(z.string());
const row = z.strictObject({ capture: z.string(), flow: z.int().min(0) });
const counts = z.record(z.string(), z.int().min(0));

const splitSchema = z
  .strictObject({
    format: z.literal('sluice-split'),
    version: z.literal(1),
    name: z.string().regex(SPLIT_NAME),
    /** contentSha256 of the data set. */
    dataset: z.string().regex(/^[0-9a-f]{64}$/),
    by: z.enum(SPLIT_FIELDS),
    seed: z.int().min(0),
    /** What every part was to have its share of. */
    stratify: z.array(z.string()),
    /** Groups of each part; rows of no group are in no part. */
    parts: z.strictObject({ train: groups, validation: groups, test: groups }).optional(),
    /** Or groups of each fold. */
    folds: z.array(groups).min(2).optional(),
    /** By time: the earliest start of each part's sessions, epoch in us; null for an empty part. */
    fromUs: z.array(z.number().nullable()).optional(),
    /** Near copies of rows of another part: never judged by. */
    dropped: z.array(row.extend({ twin: row })),
    /** In no part, because most of their session is in another one (--cut-sessions). */
    torn: z.array(row).default([]),
    /** Copies were looked for and left where they are. */
    duplicatesKept: z.boolean(),
    rows: z.strictObject({
      all: z.int().min(0),
      unlabelled: z.int().min(0),
      infrastructure: z.int().min(0),
      withoutValue: z.int().min(0),
    }),
    /** Rows by service, of each part or fold, dropped ones not counted. */
    classes: z.array(counts),
  })
  .refine(({ parts, folds }) => (parts === undefined) !== (folds === undefined), {
    message: 'has either parts or folds',
  });
export type SplitFile = z.infer<typeof splitSchema>;

export function splitPath(directory: string, name: string): string {
  return join(directory, 'splits', `${name}.json`);
}

/** @throws InputError ERR_SPLIT when it cannot be read, or is of another data set */
export async function readSplit(
  directory: string,
  name: string,
  contentSha256: string,
): Promise<SplitFile> {
  const path = splitPath(directory, name);
  const fault = (words: string, cause?: unknown): InputError =>
    new InputError('ERR_SPLIT', `${path}: ${words}`, { cause });
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw fault(
      `cannot be read (${code}); \`sluice dataset split ${directory} --by ... --name ${name}\` makes it`,
      cause,
    );
  }
  const split = parseSplit(text, fault);
  if (split.dataset !== contentSha256) {
    throw fault(
      `is of a data set with content ${split.dataset.slice(0, 12)}, this one has ${contentSha256.slice(0, 12)}; split it anew`,
    );
  }
  return split;
}

function parseSplit(
  text: string,
  fault: (words: string, cause?: unknown) => InputError,
): SplitFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fault('is no JSON; split the data set anew', cause);
  }
  const result = splitSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.join('.') || 'the file';
  throw fault(`${where}: ${issue?.message}; split the data set anew`);
}

/** Writes it whole or not at all. @throws InputError ERR_OUTPUT */
export async function writeSplit(directory: string, split: SplitFile): Promise<string> {
  const path = splitPath(directory, split.name);
  try {
    await mkdir(join(directory, 'splits'), { recursive: true });
    await writeFile(`${path}.partial`, `${JSON.stringify(split, null, 1)}\n`);
    await rename(`${path}.partial`, path);
  } catch (cause) {
    throw new InputError(
      'ERR_OUTPUT',
      `${path} cannot be written: ${(cause as Error).message}`,
      { cause },
    );
  }
  return path;
}

/** A split ready to be asked. */
export interface Split {
  readonly by: SplitFile['by'];
  readonly parts: ReadonlyMap<string, Part>;
  readonly dropped: ReadonlySet<string>;
  readonly torn: ReadonlySet<string>;
}

/**
 * @param fold of a split with folds: that one judges, the next one is for validation, the others train
 * @throws InputError ERR_SPLIT when a fold is missing, too many or too large
 */
export function openSplit(file: SplitFile, fold?: number): Split {
  const parts = new Map<string, Part>();
  if (file.parts !== undefined) {
    if (fold !== undefined) throw foldFault(file, 'has parts, no folds');
    for (const part of PARTS) {
      for (const name of file.parts[part]) parts.set(name, part);
    }
  } else {
    const folds = file.folds ?? [];
    if (fold === undefined || !Number.isInteger(fold) || fold < 0 || !(fold in folds)) {
      throw foldFault(file, `has folds 0 to ${folds.length - 1}, asked for ${fold}`);
    }
    for (const [i, names] of folds.entries()) {
      const part = partOfFold(i, fold, folds.length);
      for (const name of names) parts.set(name, part);
    }
  }
  return {
    by: file.by,
    parts,
    dropped: new Set(file.dropped.map(rowKey)),
    torn: new Set(file.torn.map(rowKey)),
  };
}

function foldFault({ name }: SplitFile, words: string): InputError {
  return new InputError('ERR_SPLIT', `split ${name} ${words}`);
}

/** With two folds there is none to spare for validation. */
function partOfFold(i: number, fold: number, folds: number): Part {
  if (i === fold) return 'test';
  return folds > 2 && i === (fold + 1) % folds ? 'validation' : 'train';
}

/** undefined: the row is in no part (no label, infrastructure, no value, a torn session), or it judges nothing because a near copy trains. */
export function partOf(split: Split, row: SplitRow): Part | undefined {
  if (!isForTraining(row) || split.torn.has(rowKey(row))) return undefined;
  const group = groupOf(split.by, row);
  const part = group === undefined ? undefined : split.parts.get(group);
  return part !== 'train' && split.dropped.has(rowKey(row)) ? undefined : part;
}

/** A row's name in its data set. */
export function rowKey({ capture, flow }: Pick<SplitRow, 'capture' | 'flow'>): string {
  return `${capture} ${flow}`;
}
