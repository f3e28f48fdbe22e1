// Sums of the storage -> a regular axis of points for a chart, with zeros where nothing was reported.

import { z } from 'zod';
import type { ClassCount } from '../report/report.ts';
import { Problem } from './problem.ts';
import type { ClassRow, LossRow, Window } from './storage.ts';

export const POINTS_MOST = 2000;
const STEP_DEFAULT_MS = 60_000;
const SPAN_DEFAULT_MS = 3_600_000;
/** What agents call flows that no class is sure enough of. */
const UNKNOWN_CLASS = 'unknown';
/** Timestamps of reports stay below (report.ts). */
const TIME_MOST_MS = 4_733_510_400_000;

const wholeMs = (least: number) =>
  z
    .string()
    .regex(/^\d{1,13}$/, 'expected milliseconds, a whole number')
    .transform(Number)
    .pipe(z.number().int().min(least).max(TIME_MOST_MS));

export const windowQuerySchema = z.strictObject({
  from: wholeMs(0).optional().describe('ms since the epoch; default: an hour before to'),
  to: wholeMs(0).optional().describe('ms since the epoch; default: now, up to a step'),
  step: wholeMs(1).optional().describe(`ms a point; default ${STEP_DEFAULT_MS}`),
});

/** Sums have no upper limit, which a report's counts have. */
const sum = z.number().min(0);
const classesOf = z.record(
  z.string(),
  z.strictObject({
    flows: sum,
    packetsUp: sum,
    packetsDown: sum,
    bytesUp: sum,
    bytesDown: sum,
  }),
);

const pointSchema = z.strictObject({
  startMs: z.number().int(),
  flows: sum,
  bytes: sum,
  unknownFlows: sum,
  classes: classesOf,
  drops: sum,
  lost: sum,
});
type Point = z.infer<typeof pointSchema>;

export const classesSchema = z.strictObject({
  site: z.string(),
  fromMs: z.number().int(),
  toMs: z.number().int(),
  stepMs: z.number().int(),
  classes: z.array(z.string()).describe('by flows, most first'),
  points: z
    .array(pointSchema)
    .describe(
      'a report is in the point in which it ends: startMs < end <= startMs + step',
    ),
  totals: classesOf,
});

/** The window that a query asks for. Throws a Problem 400 when it makes no sense. */
export function windowOf(
  query: z.output<typeof windowQuerySchema>,
  nowMs: number,
): Window {
  const stepMs = query.step ?? STEP_DEFAULT_MS;
  // Up to a whole step, so that the points of two calls are the same ones.
  const latestMs = Math.ceil(nowMs / stepMs) * stepMs;
  const toMs = query.to ?? Math.max(latestMs, (query.from ?? 0) + stepMs);
  const fromMs = query.from ?? Math.max(0, toMs - Math.max(SPAN_DEFAULT_MS, stepMs));
  if (fromMs >= toMs) {
    throw new Problem(
      400,
      'request',
      `from is ${fromMs}, to is ${toMs}: from has to be earlier`,
    );
  }
  const points = Math.ceil((toMs - fromMs) / stepMs);
  if (points > POINTS_MOST) {
    const least = Math.ceil((toMs - fromMs) / POINTS_MOST);
    throw new Problem(
      400,
      'request',
      `from ${fromMs} to ${toMs} by ${stepMs} ms makes ${points} points, at most ${POINTS_MOST} are given: ask for a step of ${least} or more`,
    );
  }
  return { fromMs, toMs, stepMs };
}

/** Rows of one site and window -> what GET /v1/sites/{site}/classes answers. */
export function classPoints(
  site: string,
  window: Window,
  rows: { readonly classes: readonly ClassRow[]; readonly losses: readonly LossRow[] },
): z.infer<typeof classesSchema> {
  const { fromMs, toMs, stepMs } = window;
  const points = Array.from(
    { length: Math.ceil((toMs - fromMs) / stepMs) },
    (_, i) => new PointSum(fromMs + i * stepMs),
  );
  const totals = new Map<string, ClassCount>();
  for (const row of rows.classes) {
    points[row.point]?.add(row);
    addTo(totals, row);
  }
  for (const loss of rows.losses) points[loss.point]?.lose(loss);
  const byFlows = [...totals].sort(
    ([a, { flows: m }], [b, { flows: n }]) => n - m || (a < b ? -1 : 1),
  );
  return {
    site,
    ...window,
    classes: byFlows.map(([name]) => name),
    points: points.map((point) => point.result()),
    totals: Object.fromEntries(byFlows),
  };
}

class PointSum {
  readonly #startMs: number;
  // A Map, for a class may be called `constructor`.
  readonly #classes = new Map<string, ClassCount>();
  #drops = 0;
  #lost = 0;

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  add(row: ClassRow): void {
    addTo(this.#classes, row);
  }

  lose({ drops, lost }: LossRow): void {
    this.#drops += drops;
    this.#lost += lost;
  }

  result(): Point {
    const counts = [...this.#classes.values()];
    return {
      startMs: this.#startMs,
      flows: counts.reduce((sum, { flows }) => sum + flows, 0),
      bytes: counts.reduce((sum, { bytesUp, bytesDown }) => sum + bytesUp + bytesDown, 0),
      unknownFlows: this.#classes.get(UNKNOWN_CLASS)?.flows ?? 0,
      classes: Object.fromEntries(this.#classes),
      drops: this.#drops,
      lost: this.#lost,
    };
  }
}

function addTo(sums: Map<string, ClassCount>, row: ClassRow): void {
  const sum = sums.get(row.class);
  sums.set(row.class, {
    flows: (sum?.flows ?? 0) + row.flows,
    packetsUp: (sum?.packetsUp ?? 0) + row.packetsUp,
    packetsDown: (sum?.packetsDown ?? 0) + row.packetsDown,
    bytesUp: (sum?.bytesUp ?? 0) + row.bytesUp,
    bytesDown: (sum?.bytesDown ?? 0) + row.bytesDown,
  });
}
