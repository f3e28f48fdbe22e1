// What a split promises, checked row by row, and how much the sides share beside that.

import type { Audit } from './shortcut-audit.ts';
import { isApart } from './split-dataset.ts';
import type { Part, SplitFile } from './split-file.ts';
import { groupOf, type SplitRow } from './split-groups.ts';

export interface Check {
  readonly name: string;
  /** null: nothing that is right or wrong, only to know. */
  readonly ok: boolean | null;
  readonly words: string;
}

/** A split as it lies on the rows: one of the parts, or a fold and the rest. */
export interface Sides {
  readonly rows: readonly SplitRow[];
  readonly parts: readonly (Part | undefined)[];
}

/** Fields of which a value on both sides is worth knowing. */
const SHARED_FIELDS = [
  'session',
  'capture',
  'client',
  'host',
  'seed',
  'scenario',
  'profile',
  'clientSoftware',
  'serverSoftware',
] as const;

export function splitChecks(file: SplitFile, sides: readonly Sides[]): Check[] {
  return [
    groupCheck(file, sides),
    ...SHARED_FIELDS.flatMap((field) => sharedCheck(field, sides)),
    ...(file.by === 'time' ? [timeCheck(sides)] : []),
    ...classChecks(sides),
  ];
}

/** No value of the field that the split goes by, on both sides. */
function groupCheck({ by }: SplitFile, sides: readonly Sides[]): Check {
  let shared = 0;
  for (const side of sides) {
    const of = (row: SplitRow): string | undefined => groupOf(by, row);
    const taught = valuesOf(side, 'train', of);
    const judged = valuesOf(side, 'test', of);
    for (const value of judged) if (taught.has(value)) shared++;
  }
  const words =
    shared === 0
      ? `no ${by === 'time' ? 'session' : by} both trains and judges`
      : `${shared} groups by ${by} train and judge: make the split anew`;
  return { name: 'whole groups', ok: shared === 0, words };
}

function valuesOf(
  { rows, parts }: Sides,
  part: Part,
  of: (row: SplitRow) => string | undefined,
): Set<string> {
  const values = new Set<string>();
  for (const [i, row] of rows.entries()) {
    const value = parts[i] === part ? of(row) : undefined;
    if (value !== undefined) values.add(value);
  }
  return values;
}

function sharedCheck(
  field: (typeof SHARED_FIELDS)[number],
  sides: readonly Sides[],
): Check[] {
  let [judged, shared] = [0, 0];
  for (const side of sides) {
    const taught = valuesOf(side, 'train', (row) => textOf(row[field]));
    for (const [i, row] of side.rows.entries()) {
      const value = textOf(row[field]);
      if (side.parts[i] !== 'test' || value === undefined) continue;
      judged++;
      if (taught.has(value)) shared++;
    }
  }
  if (judged === 0) return [];
  const ok = field === 'session' ? shared === 0 : null;
  const words = `${percent(shared / judged)} of the flows that judge have a ${field} that trains too`;
  return [{ name: `shared ${field}`, ok, words }];
}

function textOf(value: string | number | null): string | undefined {
  return value === null ? undefined : String(value);
}

/** Sessions are kept whole, so one that trains may still go on when what judges begins. */
function timeCheck(sides: readonly Sides[]): Check {
  let [judged, before] = [0, 0];
  for (const { rows, parts } of sides) {
    const lastTaught = rows.reduce(
      (last, { startUs }, i) =>
        parts[i] === 'train' && startUs !== null ? Math.max(last, startUs) : last,
      Number.NEGATIVE_INFINITY,
    );
    for (const [i, { startUs }] of rows.entries()) {
      if (parts[i] !== 'test' || startUs === null) continue;
      judged++;
      if (startUs < lastTaught) before++;
    }
  }
  return {
    name: 'order of time',
    ok: null,
    words: `${percent(judged === 0 ? 0 : before / judged)} of the flows that judge start before the last one that trains`,
  };
}

function classChecks(sides: readonly Sides[]): Check[] {
  const all = new Set(sides.flatMap(({ rows }) => rows.map(({ service }) => service)));
  return (['train', 'test'] as const).map((part) => {
    const missing = new Set<string>();
    for (const side of sides) {
      const there = valuesOf(side, part, ({ service }) => service ?? undefined);
      for (const service of all) {
        if (service !== null && !there.has(service)) missing.add(service);
      }
    }
    const ok = missing.size === 0;
    const words = ok
      ? `every class has flows in ${part}`
      : `no flow of ${[...missing].sort().join(', ')} in ${part}${sides.length > 1 ? ' of some fold' : ''}`;
    return { name: `classes in ${part}`, ok, words };
  });
}

export function twinCheck(rows: number, duplicatesKept: boolean): Check {
  return {
    name: 'near copies',
    ok: rows === 0,
    words:
      rows === 0
        ? 'no flow that judges has a near copy of the same label that trains'
        : `${rows} flows that judge have a near copy of the same label that trains${duplicatesKept ? ': the split keeps them' : ''}`,
  };
}

export function pseudonymChecks(rows: readonly SplitRow[]): Check[] {
  return (['client', 'host'] as const).flatMap((by) =>
    isApart(rows, by)
      ? [
          {
            name: `pseudonyms of ${by}s`,
            ok: null,
            words: `no ${by} is in two captures: told apart within a capture only, unless the data set was built with --key`,
          },
        ]
      : [],
  );
}

export function shortcutCheck({ fields }: Audit): Check {
  const flagged = new Set(
    fields.filter(({ verdict }) => verdict !== 'as chance').map(({ field }) => field),
  );
  return {
    name: 'shortcuts',
    ok: flagged.size === 0,
    words:
      flagged.size === 0
        ? 'no single field does well above chance'
        : `well above chance alone: ${[...flagged].join(', ')}`,
  };
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
