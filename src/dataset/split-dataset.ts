// A data set on disk and wishes -> a split: which groups go where, which near copies must not judge, and what came out.

import { type DatasetManifest, readManifest } from './dataset-manifest.ts';
import { SIZE_COLUMNS } from './flow-sizes.ts';
import { type Watch, watchedRows } from './read-progress.ts';
import { PARTS, type SplitFile } from './split-file.ts';
import {
  groupOf,
  isForTraining,
  type SplitField,
  type SplitRow,
} from './split-groups.ts';
import {
  PLAN_COLUMNS,
  type Plan,
  type PlanOptions,
  type PlanRow,
  planSplit,
} from './split-plan.ts';
import { addTwin, judgedAgainst } from './split-twins.ts';
import { TwinFlows } from './twin-flows.ts';
import { type Twins, twinsAcross } from './twins.ts';

export interface SplitOptions extends PlanOptions {
  readonly name: string;
  /** Near copies are told, and judge all the same. */
  readonly keepDuplicates: boolean;
}

/** What came out; the object of `sluice dataset split --json`. Names are a contract. */
export interface SplitSummary {
  readonly name: string;
  readonly by: SplitField;
  readonly seed: number;
  readonly groups: number;
  /** Groups that stay together because a session spans them. */
  readonly tied: number;
  /** What could be divided: groups that are alone, and those that stay together. */
  readonly clusters: number;
  readonly rows: SplitFile['rows'];
  /** Rows in no part because most of their session is in another one. */
  readonly torn: number;
  /** By part or fold. */
  readonly parts: readonly PartSummary[];
  readonly duplicates: DuplicateSummary;
  /** What a reader of figures has to know. */
  readonly words: readonly string[];
}

interface PartSummary {
  readonly part: string;
  readonly groups: number;
  /** Rows by service; dropped ones are not among them. */
  readonly classes: Readonly<Record<string, number>>;
}

interface DuplicateSummary {
  readonly kept: boolean;
  /** Rows that judge with a twin of the same label where they must be new: they are dropped unless kept. */
  readonly rows: number;
  /** Rows that judge whose only twins bear another label: no model gets both right by sizes. They judge. */
  readonly contradicting: number;
  /** Of the former. */
  readonly classes: Readonly<Record<string, number>>;
  /** Rows with a key that so many share that not all were compared. */
  readonly cutShort: number;
}

const TWIN_COLUMNS = ['bytesUp', 'bytesDown'] as const;
const COLUMNS = [...PLAN_COLUMNS, ...SIZE_COLUMNS, ...TWIN_COLUMNS] as const;

/** @throws InputError ERR_DATASET, ERR_SPLIT */
export async function splitDataset(
  directory: string,
  options: SplitOptions,
  watch: Watch,
): Promise<{ readonly file: SplitFile; readonly summary: SplitSummary }> {
  const manifest = await readManifest(directory);
  const rows: PlanRow[] = [];
  const flows = new TwinFlows();
  for await (const row of watchedRows(directory, manifest, COLUMNS, watch)) {
    addTwin(flows, row);
    rows.push(planRow(row));
  }
  const plan = planSplit(rows, options);
  const twins = twinsAcross(flows, plan.partOfRow, judgedAgainst(plan.folds?.length));
  const summary = summaryOf(rows, plan, twins, options);
  return { file: fileOf(manifest, rows, { plan, twins, summary, options }), summary };
}

/** Without the packets, which would be most of the memory. */
function planRow(row: PlanRow): PlanRow {
  return Object.fromEntries(PLAN_COLUMNS.map((name) => [name, row[name]])) as PlanRow;
}

function summaryOf(
  rows: readonly PlanRow[],
  plan: Plan,
  twins: Twins,
  options: SplitOptions,
): SplitSummary {
  const { found, cutShort } = twins;
  const agreeing = found.filter(({ agrees }) => agrees);
  const serviceOf = (i: number): string => rows[i]?.service ?? '';
  const dropped = options.keepDuplicates
    ? new Set<number>()
    : new Set(agreeing.map(({ flow }) => flow));
  const names = plan.folds?.map((_, i) => `fold ${i}`) ?? PARTS;
  const lists = plan.folds ?? PARTS.map((part) => plan.parts?.[part] ?? []);
  const classes = names.map(() => new Map<string, number>());
  for (const [i, part] of plan.partOfRow.entries()) {
    if (part !== -1 && !dropped.has(i)) count(classes[part], serviceOf(i));
  }
  const twinned = new Map<string, number>();
  for (const { flow } of agreeing) count(twinned, serviceOf(flow));
  const summary = {
    name: options.name,
    by: options.by,
    seed: options.seed,
    groups: plan.groups,
    tied: plan.tied,
    clusters: plan.clusters,
    rows: plan.rows,
    torn: plan.torn.length,
    parts: names.map((part, i) => ({
      part,
      groups: lists[i]?.length ?? 0,
      classes: sorted(classes[i]),
    })),
    duplicates: {
      kept: options.keepDuplicates,
      rows: agreeing.length,
      contradicting: found.length - agreeing.length,
      classes: sorted(twinned),
      cutShort,
    },
  };
  return { ...summary, words: wordsOf(summary, rows) };
}

function count(counts: Map<string, number> | undefined, name: string): void {
  counts?.set(name, (counts.get(name) ?? 0) + 1);
}

function sorted(counts: ReadonlyMap<string, number> = new Map()): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function wordsOf(
  { by, parts, tied, torn, clusters, duplicates, rows }: Omit<SplitSummary, 'words'>,
  all: readonly PlanRow[],
): string[] {
  const classes = new Set(parts.flatMap((part) => Object.keys(part.classes)));
  const words = parts
    .filter(({ groups }) => groups > 0)
    .flatMap(({ part, classes: there }) => {
      const missing = [...classes].filter((name) => !Object.hasOwn(there, name)).sort();
      return missing.length === 0 ? [] : [`${part} has no flow of ${missing.join(', ')}`];
    });
  words.push(...lumpWords(all, by));
  for (const [name, copies] of Object.entries(duplicates.classes)) {
    const judge = parts.reduce(
      (sum, { part, classes: there }) =>
        sum + (part === 'train' ? 0 : (there[name] ?? 0)),
      0,
    );
    if (!duplicates.kept && copies > judge) {
      words.push(
        `of ${name} more flows were dropped as copies (${copies}) than are left to judge (${judge})`,
      );
    }
  }
  if (tied > 0) {
    words.push(
      `${tied} groups stay together with others, as sessions span them: ${clusters} are left to divide`,
    );
  }
  if (torn > 0) {
    words.push(`${torn} flows are in no part: most of their session is in another one`);
  }
  if (rows.withoutValue > 0) {
    words.push(`${rows.withoutValue} labelled flows lack a ${by} and are in no part`);
  }
  if (duplicates.cutShort > 0) {
    words.push(
      `of ${duplicates.cutShort} flows not all candidates for a twin were compared: too many look alike`,
    );
  }
  if ((by === 'client' || by === 'host') && isApart(all, by)) {
    words.push(
      `no ${by} is in two captures: unless the data set was built with --key, pseudonyms tell ${by}s apart within a capture only, and one of several captures may stand on both sides`,
    );
  }
  return words;
}

/** Classes that no split by the field can divide well, because most of their flows are of one group. */
function lumpWords(rows: readonly SplitRow[], by: SplitField): string[] {
  const classes = new Map<string, Map<string, number>>();
  for (const row of rows.filter(isForTraining)) {
    const group = groupOf(by, row);
    if (group === undefined || row.service === null) continue;
    const groups = classes.get(row.service) ?? new Map<string, number>();
    classes.set(row.service, groups);
    count(groups, group);
  }
  const unit = by === 'time' ? 'session' : by;
  return [...classes].sort().flatMap(([name, groups]) => {
    const counts = [...groups.values()];
    const all = counts.reduce((sum, flows) => sum + flows, 0);
    const most = counts.reduce((a, b) => Math.max(a, b), 0);
    return most > all / 2 && all > 1
      ? [`of the ${all} flows of ${name} ${most} are of one ${unit}`]
      : [];
  });
}

/** Whether pseudonyms never link captures, of which there are several. */
export function isApart(
  rows: readonly Pick<SplitRow, 'capture' | 'client' | 'host'>[],
  by: 'client' | 'host',
): boolean {
  const captures = new Map<string, string>();
  for (const { capture, [by]: value } of rows) {
    if ((captures.get(value) ?? capture) !== capture) return false;
    captures.set(value, capture);
  }
  return new Set(captures.values()).size > 1;
}

function fileOf(
  { contentSha256 }: DatasetManifest,
  rows: readonly PlanRow[],
  made: {
    readonly plan: Plan;
    readonly twins: Twins;
    readonly summary: SplitSummary;
    readonly options: SplitOptions;
  },
): SplitFile {
  const { plan, twins, summary, options } = made;
  const idOf = (i: number): { capture: string; flow: number } => ({
    capture: rows[i]?.capture ?? '',
    flow: rows[i]?.flow ?? 0,
  });
  return {
    format: 'sluice-split',
    version: 1,
    name: options.name,
    dataset: contentSha256,
    by: options.by,
    seed: options.seed,
    stratify: [...options.stratify],
    ...(plan.parts !== undefined && { parts: plan.parts }),
    ...(plan.folds !== undefined && { folds: plan.folds }),
    ...(plan.fromUs !== undefined && { fromUs: plan.fromUs }),
    dropped: options.keepDuplicates
      ? []
      : twins.found
          .filter(({ agrees }) => agrees)
          .map(({ flow, twin }) => ({ ...idOf(flow), twin: idOf(twin) })),
    torn: plan.torn.map(idOf),
    duplicatesKept: options.keepDuplicates,
    rows: plan.rows,
    classes: summary.parts.map(({ classes }) => ({ ...classes })),
  };
}
