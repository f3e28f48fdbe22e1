// Which rows teach and which are asked in a report: as a split says, or in folds where there is none.

import type { Sides } from './report-checks.ts';
import type { Trial } from './shortcut-audit.ts';
import { openSplit, type Part, partOf, type SplitFile } from './split-file.ts';
import { groupOf, type SplitField, type SplitRow } from './split-groups.ts';
import { type PlanRow, planSplit } from './split-plan.ts';

const TRIAL_SEED = 1;

export interface Trials {
  readonly trials: readonly Trial[];
  readonly sides: readonly Sides[];
  readonly by: SplitField;
  readonly words: string;
}

export function trialsOf(rows: readonly PlanRow[], file: SplitFile): Trials {
  const sides = (file.folds?.map((_, fold) => fold) ?? [undefined]).map((fold) => {
    const split = openSplit(file, fold);
    return { rows, parts: rows.map((row) => partOf(split, row)) };
  });
  const judge = file.folds === undefined ? 'its test part' : 'each fold in turn';
  return {
    sides,
    by: file.by,
    trials: sides.map(trialOf),
    words: `Split ${file.name}: fitted on what trains, asked of ${judge}`,
  };
}

function trialOf({ parts }: Sides): Trial {
  const of = (part: Part): Int32Array =>
    Int32Array.from(parts.flatMap((p, i) => (p === part ? [i] : [])));
  return { train: of('train'), test: of('test') };
}

const FOLDS = 5;

/** Without a split: folds by capture, or by session where there are too few captures. */
export function foldsOf(rows: readonly PlanRow[]): Trials {
  const captures = new Set(rows.map(({ capture }) => capture)).size;
  const sessions = new Set(rows.map(({ session }) => session)).size;
  const by = captures >= FOLDS ? 'capture' : 'session';
  if (Math.max(captures, sessions) < FOLDS) {
    return {
      trials: [],
      sides: [],
      by,
      words: `Too few captures and sessions to try it`,
    };
  }
  const { partOfRow } = planSplit(rows, {
    by,
    seed: TRIAL_SEED,
    stratify: ['service'],
    shares: [1, 0, 0],
    folds: FOLDS,
  });
  const sides = Array.from({ length: FOLDS }, (_, fold) => ({
    rows,
    parts: Array.from(partOfRow, (part): Part => (part === fold ? 'test' : 'train')),
  }));
  const words = `No split given: ${FOLDS} folds by ${by}, each asked in turn`;
  return { sides, by, trials: sides.map(trialOf), words };
}

/** The split's own groups where enough of them judge, else sessions. */
export function intervalField(
  rows: readonly PlanRow[],
  { trials, by }: Trials,
): SplitField {
  const groups = new Set<string | undefined>();
  for (const { test } of trials) {
    for (const row of test) {
      const of: SplitRow | undefined = rows[row];
      if (of !== undefined) groups.add(groupOf(by, of));
    }
  }
  return groups.size >= LEAST_INTERVAL_GROUPS ? by : 'session';
}
const LEAST_INTERVAL_GROUPS = 10;
