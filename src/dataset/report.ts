// A data set, and a split of it if wanted -> what is in it, how far it can be trusted, and what gives its classes away.

import type { CeilingAt } from './ceiling.ts';
import { type DatasetManifest, readManifest } from './dataset-manifest.ts';
import { QUANTILES, type Quantiles } from './distribution.ts';
import { NEAREST_PACKETS, type Nearest, nearestNeighbour } from './nearest.ts';
import { type Watch, watchedRows } from './read-progress.ts';
import {
  type Check,
  pseudonymChecks,
  shortcutCheck,
  splitChecks,
  twinCheck,
} from './report-checks.ts';
import { type Crossed, cross, REPORT_COLUMNS, ReportRows } from './report-rows.ts';
import { foldsOf, intervalField, trialsOf } from './report-trials.ts';
import { type Audit, auditShortcuts } from './shortcut-audit.ts';
import {
  openSplit,
  PARTS,
  partOf,
  readSplit,
  rowKey,
  type SplitFile,
} from './split-file.ts';
import { groupOf, type SplitField } from './split-groups.ts';
import { judgedAgainst } from './split-twins.ts';
import { TWIN } from './twin-flows.ts';
import { type Twins, twinsAcross, twinsWithin } from './twins.ts';

type Counts = Record<string, Record<string, number>>;

/** report.json. Names are a contract: docs/dataset-splits.md. */
export interface DatasetReport {
  readonly format: 'sluice-dataset-report';
  readonly version: 1;
  readonly dataset: {
    readonly contentSha256: string;
    readonly captures: number;
    readonly sources: readonly string[];
  };
  readonly split: {
    readonly name: string;
    readonly by: SplitField;
    readonly seed: number;
    readonly folds: number | null;
  } | null;
  readonly rows: {
    readonly all: number;
    readonly labelled: number;
    readonly unlabelled: number;
    readonly infrastructure: number;
  };
  /** Flows by part or fold, then by class. */
  readonly parts: Counts;
  /** Field, its value, class. */
  readonly balance: Readonly<Record<string, Counts>>;
  /** Flows by number of packets, then by class. */
  readonly packetBands: Counts;
  readonly quantiles: readonly number[];
  /** Measure, class. */
  readonly distributions: Readonly<Record<string, Readonly<Record<string, Quantiles>>>>;
  readonly duplicates: {
    readonly definition: typeof TWIN;
    /** Of labelled flows anywhere. */
    readonly within: TwinCounts;
    /** Of flows that judge, in what trains (and for test, in validation); null without a split. */
    readonly across: AcrossCounts | null;
  };
  readonly ceiling: readonly CeilingAt[];
  readonly checks: readonly Check[];
  readonly audit: Audit & {
    /** Which rows taught and which were asked. */
    readonly by: string;
    /** What the intervals go by. */
    readonly intervalBy: string;
  };
  readonly nearest: readonly Nearest[];
}

interface TwinCounts {
  /** Flows with a twin of the same label. */
  readonly rows: number;
  /** Flows whose only twins bear another label. */
  readonly contradicting: number;
  readonly cutShort: number;
}

interface AcrossCounts extends TwinCounts {
  /** Not dropped by the split. */
  readonly left: number;
}

/** Labelled flows that a split leaves out: dropped copies, or without a value. */
export const NO_PART = 'in no part';
/** Of what the report itself draws. */
const SEED = 1;

/** @throws InputError ERR_DATASET, ERR_SPLIT */
export async function reportOn(
  directory: string,
  splitName: string | undefined,
  watch: Watch,
): Promise<DatasetReport> {
  const manifest = await readManifest(directory);
  const file =
    splitName === undefined
      ? undefined
      : await readSplit(directory, splitName, manifest.contentSha256);
  const rows = new ReportRows();
  for await (const row of watchedRows(directory, manifest, REPORT_COLUMNS, watch)) {
    rows.add(row);
  }
  return makeReport(manifest, rows, file);
}

function makeReport(
  manifest: DatasetManifest,
  rows: ReportRows,
  file: SplitFile | undefined,
): DatasetReport {
  const trial = file === undefined ? foldsOf(rows.rows) : trialsOf(rows.rows, file);
  const intervalBy = intervalField(rows.rows, trial);
  const table = rows.table((row) => groupOf(intervalBy, row) ?? '');
  const audit = auditShortcuts(table, trial.trials, SEED);
  const nearest = NEAREST_PACKETS.map((packets) =>
    nearestNeighbour(table, rows.sizes, trial.trials, { packets, seed: SEED }),
  );
  const across = file === undefined ? null : twinsOfSplit(rows, file);
  return {
    format: 'sluice-dataset-report',
    version: 1,
    dataset: {
      contentSha256: manifest.contentSha256,
      captures: manifest.captures.length,
      sources: Object.keys(manifest.sources),
    },
    split: file === undefined ? null : splitFacts(file),
    rows: {
      all: rows.all,
      labelled: rows.rows.length,
      unlabelled: rows.unlabelled,
      infrastructure: rows.infrastructure,
    },
    parts: plain(partsOf(rows, file)),
    balance: Object.fromEntries([...rows.crossed].map(([name, c]) => [name, plain(c)])),
    packetBands: plain(rows.bands),
    quantiles: QUANTILES,
    distributions: rows.distributions(),
    duplicates: {
      definition: TWIN,
      within: countsOf(twinsWithin(rows.twins)),
      across,
    },
    ceiling: rows.ceiling.summary(),
    checks: [
      ...(file === undefined || across === null
        ? []
        : [
            ...splitChecks(file, trial.sides),
            twinCheck(across.left, file.duplicatesKept),
          ]),
      ...pseudonymChecks(rows.rows),
      shortcutCheck(audit),
    ],
    audit: { ...audit, by: trial.words, intervalBy },
    nearest,
  };
}

function splitFacts({ name, by, seed, folds }: SplitFile): DatasetReport['split'] {
  return { name, by, seed, folds: folds?.length ?? null };
}

function partsOf({ rows }: ReportRows, file: SplitFile | undefined): Crossed {
  const crossed: Crossed = new Map();
  if (file?.folds !== undefined) {
    for (const fold of file.folds.keys()) {
      const split = openSplit(file, fold);
      for (const row of rows) {
        if (partOf(split, row) === 'test')
          cross(crossed, `fold ${fold}`, row.service ?? '');
      }
    }
    return crossed;
  }
  const split = file === undefined ? undefined : openSplit(file);
  for (const part of split === undefined ? [] : PARTS) crossed.set(part, new Map());
  for (const row of rows) {
    const part = split === undefined ? 'all' : (partOf(split, row) ?? NO_PART);
    cross(crossed, part, row.service ?? '');
  }
  return crossed;
}

/** Looked for anew, so that a split is not believed what it says of itself. */
function twinsOfSplit(rows: ReportRows, file: SplitFile): AcrossCounts {
  const places = new Map<string, number>();
  const lists = file.folds ?? PARTS.map((part) => file.parts?.[part] ?? []);
  for (const [place, list] of lists.entries()) {
    for (const name of list) places.set(name, place);
  }
  const parts = Int32Array.from(rows.rows, (row) => {
    const group = groupOf(file.by, row);
    return group === undefined ? -1 : (places.get(group) ?? -1);
  });
  const twins = twinsAcross(rows.twins, parts, judgedAgainst(file.folds?.length));
  const dropped = new Set(file.dropped.map(rowKey));
  const left = twins.found.filter(({ flow, agrees }) => {
    const row = rows.rows[flow];
    return agrees && row !== undefined && !dropped.has(rowKey(row));
  });
  return { ...countsOf(twins), left: left.length };
}

function countsOf({ found, cutShort }: Twins): TwinCounts {
  const rows = found.filter(({ agrees }) => agrees).length;
  return { rows, contradicting: found.length - rows, cutShort };
}

function plain(crossed: Crossed): Counts {
  const sorted = <V>(map: ReadonlyMap<string, V>): [string, V][] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    [...crossed].map(([value, counts]) => [value, Object.fromEntries(sorted(counts))]),
  );
}
