// The model that routers run against labels, against fp32 and against what training left, on flows that it was not trained on.
// Axes: B flows, K classes.

import { atTemperature } from '../models/calibration.ts';
import { agreement, type Figures, figuresOf, likeliest } from '../models/metrics.ts';
import { TENSORS } from '../models/networks/network.ts';
import { pick, type Samples } from '../models/samples.ts';
import { type Evaluation, evaluate } from './evaluation.ts';
import type { BuiltModel } from './model-files.ts';
import { OnnxModel, runAll } from './onnx-model.ts';
import type { Exported } from './trained-model.ts';

export interface Measured {
  /** Of the served model on the test flows. */
  readonly test: Evaluation;
  /** Of what training left on the whole test flows, before it was ONNX. */
  readonly trained: Figures;
  /** Largest difference of a probability between that and fp32 ONNX on the test flows. */
  readonly parity: number;
  /** Share of test flows on which fp32 and int8 choose the same class. */
  readonly int8Agreement: number;
  /** Accuracy of fp32 less that of int8 on the test flows, as a share. */
  readonly accuracyLoss: number;
  /** Agreement after so many packets. */
  readonly earlyAgreement: ReadonlyMap<number, number>;
  /** Share of test flows that reach their threshold, and how many of those are right. */
  readonly decided: { readonly share: number; readonly accuracy: number };
  /** One flow and what the served model says of it. */
  readonly selfTest: { readonly flow: Samples; readonly probabilities: Float32Array };
}

type Run = (samples: Samples) => Promise<Float32Array>;

/** Measures a built model. All figures are of the test flows. */
export async function measure(
  built: BuiltModel,
  { trained, flows: { validation, test } }: Exported,
): Promise<Measured> {
  const { classes, temperature } = trained;
  const fp32 = await open(built.fp32);
  const served = await open(built.served);
  const validated = await served.run(validation);
  const asTrained = atTemperature(
    built.asTrained(test.whole),
    classes.length,
    temperature,
  );
  const earlyAgreement = new Map<number, number>();
  for (const [packets, samples] of test.cuts) {
    earlyAgreement.set(
      packets,
      await agreementOf(fp32.run, served.run, samples, classes),
    );
  }
  const probabilities = await served.run(test.whole);
  const fp32Probabilities = await fp32.run(test.whole);
  const accuracy = (p: Float32Array) =>
    agreement(likeliest(p, classes.length), test.whole.labels);
  const measured = {
    test: await evaluate(served.run, test, classes),
    trained: figuresOf(likeliest(asTrained, classes.length), test.whole.labels, classes),
    accuracyLoss: accuracy(fp32Probabilities) - accuracy(probabilities),
    parity: largestDifference(asTrained, fp32Probabilities),
    int8Agreement: await agreementOf(fp32.run, served.run, test.whole, classes),
    earlyAgreement,
    decided: decidedOf(probabilities, test.whole.labels, classes, trained.thresholds),
    selfTest: selfTestOf(validation, validated, classes.length),
  };
  await fp32.close();
  await served.close();
  return measured;
}

async function open(
  file: Uint8Array,
): Promise<{ readonly run: Run; readonly close: () => Promise<void> }> {
  const model = await OnnxModel.open(file);
  return {
    run: ({ inputs, count }) => runAll(model, inputs, count, TENSORS.probabilities),
    close: () => model.close(),
  };
}

async function agreementOf(
  a: Run,
  b: Run,
  samples: Samples,
  classes: readonly string[],
): Promise<number> {
  const [one, other] = [await a(samples), await b(samples)];
  return agreement(likeliest(one, classes.length), likeliest(other, classes.length));
}

/** Infinite where a value is no number. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = 0;
  for (const [i, value] of a.entries()) {
    const difference = Math.abs(value - (b[i] ?? Number.NaN));
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
  }
  return largest;
}

function decidedOf(
  probabilities: Float32Array,
  labels: Int32Array,
  classes: readonly string[],
  thresholds: Readonly<Record<string, number>>,
): Measured['decided'] {
  let decided = 0;
  let right = 0;
  for (const [b, k] of likeliest(probabilities, classes.length).entries()) {
    const p = probabilities[b * classes.length + k] ?? 0;
    if (p < (thresholds[classes[k] ?? ''] ?? 1)) continue;
    decided++;
    if (labels[b] === k) right++;
  }
  return {
    share: decided / Math.max(labels.length, 1),
    accuracy: right / Math.max(decided, 1),
  };
}

/** Sure enough to tell a class, unsure enough that a wrong computation moves it. */
const TELLING = 0.8;

/** The validation flow that tells most about a runtime: its likeliest class is at about 0.8. */
function selfTestOf(
  samples: Samples,
  probabilities: Float32Array,
  classes: number,
): Measured['selfTest'] {
  let best = 0;
  let nearest = Number.POSITIVE_INFINITY;
  for (const [b, k] of likeliest(probabilities, classes).entries()) {
    const distance = Math.abs((probabilities[b * classes + k] ?? 0) - TELLING);
    if (distance < nearest) [nearest, best] = [distance, b];
  }
  return {
    flow: pick(samples, Int32Array.of(best)),
    probabilities: probabilities.slice(best * classes, (best + 1) * classes),
  };
}
