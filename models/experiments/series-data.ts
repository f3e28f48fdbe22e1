// The public series of issue 10 -> data sets and splits, through the very import and the very split file that everyone uses.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { readManifest } from '../../src/dataset/dataset-manifest.ts';
import { readDataset } from '../../src/dataset/dataset-reader.ts';
import { parseAppTable, SHIPPED_APPS } from '../../src/dataset/import/apps.ts';
import { type SplitFile, splitPath, writeSplit } from '../../src/dataset/split-file.ts';
import { planSplit } from '../../src/dataset/split-plan.ts';
import { LABEL_COLUMNS, type LabelRow, type Level } from '../data/training-row.ts';
import { seededRandom, shuffledIndices } from '../random.ts';

const SLUICE = fileURLToPath(new URL('../../src/bin/sluice.js', import.meta.url));

export interface SeriesSource {
  readonly format: 'series-jsonl' | 'ucdavis-txt';
  readonly set: string;
  /** A file or a folder. */
  readonly path: string;
  /** Every app by itself, also where the shipped table joins several to one application. */
  readonly appsApart: boolean;
}

/** Imports the source into `directory` unless that is done. @throws Error with what the import said */
export async function importSeries(
  source: SeriesSource,
  directory: string,
): Promise<string> {
  if (existsSync(join(directory, 'dataset.json'))) return directory;
  await mkdir(directory, { recursive: true });
  const apps = join(directory, '..', `${source.set}-apps.yaml`);
  if (source.appsApart) await writeFile(apps, await appsApart());
  const args = [
    ...['dataset', 'import', source.format, source.path],
    ...['--set', source.set, '--out', directory],
    ...(source.appsApart ? ['--apps', apps] : []),
  ];
  runSluice(args);
  return directory;
}

/** The command line as a user runs it; gives what it printed. @throws Error with what it said */
export function runSluice(args: readonly string[]): string {
  const run = spawnSync(process.execPath, [SLUICE, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (run.status !== 0) throw new Error(`sluice ${args.join(' ')}: ${run.stderr}`);
  return run.stdout;
}

/** The shipped table with the set's own name as the application. */
async function appsApart(): Promise<string> {
  const text = await readFile(SHIPPED_APPS, 'utf8');
  const table = parseAppTable(text, 'apps.yaml');
  const names = [...text.matchAll(/names: \[([^\]]*)\]/g)].flatMap(([, list = '']) =>
    list.split(',').map((name) => name.trim()),
  );
  const apps = names.map((name) => ({
    service: table.find(name)?.service,
    application: name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
    names: [name],
  }));
  return stringify({ version: 1, apps });
}

async function labelRows(directory: string): Promise<LabelRow[]> {
  const rows: LabelRow[] = [];
  for await (const row of readDataset(directory, { columns: LABEL_COLUMNS })) {
    rows.push(row);
  }
  return rows;
}

/** Of train, validation and test. */
export type Shares = readonly [train: number, validation: number, test: number];

export interface SessionSplit {
  /** Sessions drawn at random, each class in its share; or in the order of their start, the last ones judge. */
  readonly by: 'session' | 'time';
  /** By time nothing is drawn. */
  readonly seed: number;
  readonly shares: Shares;
  readonly level: Level;
}

/** Makes DIR/splits/NAME.json of whole sessions. */
export async function splitSessions(
  directory: string,
  name: string,
  { by, seed, shares, level }: SessionSplit,
): Promise<void> {
  if (existsSync(splitPath(directory, name))) return;
  const rows = [];
  const columns = [...LABEL_COLUMNS, 'protocol'] as const;
  for await (const row of readDataset(directory, { columns })) rows.push(row);
  const stratify = by === 'time' ? [] : [level];
  const plan = planSplit(rows, { by, seed, stratify, shares });
  await write(directory, name, { by, seed, stratify, parts: plan.parts });
}

/**
 * Makes DIR/splits/NAME.json: `each` flows of every class, one fifth of them (`fold`, 0 to 4) for validation, the rest is in no part.
 * The seed draws the same flows for all folds. For sets in which every flow is a session of its own.
 */
export async function splitFew(
  directory: string,
  name: string,
  { seed, fold, each, level }: { seed: number; fold: number; each: number; level: Level },
): Promise<void> {
  if (existsSync(splitPath(directory, name))) return;
  const random = seededRandom(seed);
  const byClass = new Map<string, string[]>();
  for (const row of await labelRows(directory)) {
    const label = row[level];
    if (label === null) continue;
    byClass.set(label, [...(byClass.get(label) ?? []), row.session]);
  }
  const parts: Record<'train' | 'validation' | 'test', string[]> = {
    train: [],
    validation: [],
    test: [],
  };
  for (const [, sessions] of [...byClass].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const drawn = [...shuffledIndices(sessions.length, random)]
      .slice(0, each)
      .flatMap((i) => sessions[i] ?? []);
    const [from, to] = [fold, fold + 1].map((n) => Math.round((n * each) / 5));
    parts.validation.push(...drawn.slice(from, to));
    parts.train.push(...drawn.slice(0, from), ...drawn.slice(to));
  }
  await write(directory, name, { by: 'session', seed, stratify: [level], parts });
}

async function write(
  directory: string,
  name: string,
  { by, seed, stratify, parts }: Pick<SplitFile, 'by' | 'seed' | 'stratify' | 'parts'>,
): Promise<void> {
  const { contentSha256 } = await readManifest(directory);
  await writeSplit(directory, {
    format: 'sluice-split',
    version: 1,
    name,
    dataset: contentSha256,
    by,
    seed,
    stratify,
    ...(parts !== undefined && { parts }),
    dropped: [],
    torn: [],
    // The protocols of others that are compared with keep them.
    duplicatesKept: true,
    rows: { all: 0, unlabelled: 0, infrastructure: 0, withoutValue: 0 },
    classes: [],
  });
}
