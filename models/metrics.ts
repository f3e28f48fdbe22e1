// Probabilities against labels -> figures. Axes: B flows, K classes; probabilities are [B, K], row-major.

/** Class of largest probability in each row. [B, K] -> [B] */
export function likeliest(probabilities: Float32Array, classes: number): Int32Array {
  const chosen = new Int32Array(probabilities.length / classes);
  for (let b = 0; b < chosen.length; b++) {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      const value = probabilities[b * classes + k] ?? 0;
      if (value > (probabilities[b * classes + best] ?? 0)) best = k;
    }
    chosen[b] = best;
  }
  return chosen;
}

/** Share of equal entries. */
export function agreement(a: Int32Array, b: Int32Array): number {
  let same = 0;
  for (const [i, value] of a.entries()) if (value === b[i]) same++;
  return a.length === 0 ? 0 : same / a.length;
}

interface ClassFigures {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Flows whose label is this class. */
  readonly flows: number;
}

export interface Figures {
  readonly flows: number;
  readonly accuracy: number;
  /** Mean of the classes' F1, each class counting the same. */
  readonly macroF1: number;
  readonly perClass: Readonly<Record<string, ClassFigures>>;
  /** Rows: label, columns: prediction. */
  readonly confusion: readonly (readonly number[])[];
}

/** What a classifier did, from predicted and true classes. */
export function figuresOf(
  predicted: Int32Array,
  labels: Int32Array,
  classes: readonly string[],
): Figures {
  const confusion = classes.map(() => new Array<number>(classes.length).fill(0));
  for (const [b, label] of labels.entries()) {
    const row = confusion[label];
    const column = predicted[b] ?? 0;
    if (row !== undefined) row[column] = (row[column] ?? 0) + 1;
  }
  const perClass = Object.fromEntries(
    classes.map((name, k) => [name, classFigures(confusion, k)]),
  );
  // A class without flows has no F1 to speak of.
  const met = Object.values(perClass).filter(({ flows }) => flows > 0);
  return {
    flows: labels.length,
    accuracy: agreement(predicted, labels),
    macroF1: met.reduce((sum, { f1 }) => sum + f1, 0) / Math.max(met.length, 1),
    perClass,
    confusion,
  };
}

function classFigures(
  confusion: readonly (readonly number[])[],
  k: number,
): ClassFigures {
  const right = confusion[k]?.[k] ?? 0;
  const flows = (confusion[k] ?? []).reduce((a, b) => a + b, 0);
  const said = confusion.reduce((sum, row) => sum + (row[k] ?? 0), 0);
  const precision = said === 0 ? 0 : right / said;
  const recall = flows === 0 ? 0 : right / flows;
  const f1 = right === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, f1, flows };
}

/** Mean of -ln p(label): how surprised the model is. */
export function crossEntropy(
  probabilities: Float32Array,
  labels: Int32Array,
  classes: number,
): number {
  let sum = 0;
  for (const [b, label] of labels.entries()) {
    sum -= Math.log(Math.max(probabilities[b * classes + label] ?? 0, 1e-12));
  }
  return sum / Math.max(labels.length, 1);
}

const CALIBRATION_BINS = 10;

/** Flows by tenths of confidence: how sure the model was, and how often right. Empty bins are left out. */
export function confidenceBins(
  probabilities: Float32Array,
  labels: Int32Array,
  classes: number,
): { confidence: number; accuracy: number; flows: number }[] {
  const bins = Array.from({ length: CALIBRATION_BINS }, () => ({
    confidence: 0,
    right: 0,
    flows: 0,
  }));
  for (const [b, k] of likeliest(probabilities, classes).entries()) {
    const confidence = probabilities[b * classes + k] ?? 0;
    const bin =
      bins[Math.min(CALIBRATION_BINS - 1, Math.floor(confidence * CALIBRATION_BINS))];
    if (bin === undefined) continue;
    bin.confidence += confidence;
    bin.flows++;
    if (labels[b] === k) bin.right++;
  }
  return bins
    .filter(({ flows }) => flows > 0)
    .map(({ confidence, right, flows }) => ({
      confidence: confidence / flows,
      accuracy: right / flows,
      flows,
    }));
}

/** Mean gap between confidence and accuracy over ten bins of confidence, weighted by flows (ECE). */
export function calibrationError(
  probabilities: Float32Array,
  labels: Int32Array,
  classes: number,
): number {
  const gaps = confidenceBins(probabilities, labels, classes).map(
    ({ confidence, accuracy, flows }) => flows * Math.abs(confidence - accuracy),
  );
  return gaps.reduce((a, b) => a + b, 0) / Math.max(labels.length, 1);
}
