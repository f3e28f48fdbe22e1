// How sure a figure is: 95% intervals by drawing whole sessions anew, because flows of one session stand or fall together.
// And over seeds: Student's t. Axes: B flows, K classes.

import { seededRandom } from '../random.ts';

/** 95% lie between. */
export type Interval = readonly [low: number, high: number];

export interface Headline {
  readonly accuracy: number;
  /** Mean of the classes' F1, each class counting the same. */
  readonly macroF1: number;
  /** The same, each class counting as many times as it has flows. */
  readonly weightedF1: number;
}

const RESAMPLINGS = 1_000;

/** Figures of a confusion matrix: rows labels, columns predictions, row-major [K, K]. */
function headlineOf(confusion: Float64Array, classes: number): Headline {
  let [right, all, macro, met, weighted] = [0, 0, 0, 0, 0];
  for (let k = 0; k < classes; k++) {
    const hit = confusion[k * classes + k] ?? 0;
    let [flows, said] = [0, 0];
    for (let j = 0; j < classes; j++) {
      flows += confusion[k * classes + j] ?? 0;
      said += confusion[j * classes + k] ?? 0;
    }
    right += hit;
    all += flows;
    // A class without flows has no F1 to speak of.
    if (flows === 0) continue;
    const f1 = (2 * hit) / (flows + said);
    met++;
    macro += f1;
    weighted += f1 * flows;
  }
  return {
    accuracy: right / Math.max(all, 1),
    macroF1: macro / Math.max(met, 1),
    weightedF1: weighted / Math.max(all, 1),
  };
}

/** The figures, and between what they lie when sessions are drawn anew. */
export function bootstrap(
  predicted: Int32Array,
  labels: Int32Array,
  sessions: readonly string[],
  classes: number,
): { readonly headline: Headline; readonly intervals: Record<keyof Headline, Interval> } {
  const cells = sessionCells(predicted, labels, sessions, classes);
  const whole = new Float64Array(classes * classes);
  for (const own of cells) for (const cell of own) whole[cell] = (whole[cell] ?? 0) + 1;
  const random = seededRandom(1);
  const drawn: Headline[] = [];
  const confusion = new Float64Array(classes * classes);
  for (let n = 0; n < RESAMPLINGS; n++) {
    confusion.fill(0);
    for (let i = 0; i < cells.length; i++) {
      const own = cells[Math.floor(random() * cells.length)] ?? [];
      for (const cell of own) confusion[cell] = (confusion[cell] ?? 0) + 1;
    }
    drawn.push(headlineOf(confusion, classes));
  }
  const between = (key: keyof Headline): Interval => {
    const sorted = drawn.map((one) => one[key]).sort((a, b) => a - b);
    return [sorted[25] ?? 0, sorted[974] ?? 0];
  };
  return {
    headline: headlineOf(whole, classes),
    intervals: {
      accuracy: between('accuracy'),
      macroF1: between('macroF1'),
      weightedF1: between('weightedF1'),
    },
  };
}

/** Of each session the cells of the confusion matrix that its flows fall into. */
function sessionCells(
  predicted: Int32Array,
  labels: Int32Array,
  sessions: readonly string[],
  classes: number,
): number[][] {
  const cells = new Map<string, number[]>();
  for (const [b, label] of labels.entries()) {
    const cell = label * classes + (predicted[b] ?? 0);
    const name = sessions[b] ?? '';
    const known = cells.get(name);
    if (known === undefined) cells.set(name, [cell]);
    else known.push(cell);
  }
  return [...cells.values()];
}

/** Of Student's t, two-sided 95%, by degrees of freedom from 1; beyond the table the normal distribution's. */
const T_95 = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];

/** Mean over seeds, and half the width of its 95% interval; that wants two seeds at least. */
export function overSeeds(values: readonly number[]): {
  readonly mean: number;
  readonly half: number | undefined;
} {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / Math.max(n, 1);
  if (n < 2) return { mean, half: undefined };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (n - 1));
  return { mean, half: ((T_95[n - 2] ?? 1.96) * deviation) / Math.sqrt(n) };
}
