// What each input tells: figures without it. Axes: B flows, K classes.

import { batchOf } from '../data/batch.ts';
import type { LabelledRow } from '../data/flow-source.ts';
import type { InputName } from '../networks/network.ts';
import { seededRandom, shuffledIndices } from '../random.ts';
import type { Headline } from './bootstrap.ts';
import type { Evaluation } from './evaluation-report.ts';
import type { Judge } from './judge.ts';
import type { Alteration } from './predict.ts';

/** Each input in turn zeros, and in turn that of another flow. */
export function ablations(
  judge: Judge,
  flows: readonly LabelledRow[],
  headlineFor: (probabilities: Float32Array) => Headline,
): Evaluation['ablation'] {
  // Data sets lie in the order of captures and sessions: only in another order is a batch's other flow just any flow.
  const order = shuffledIndices(flows.length, seededRandom(1));
  const mixed = [...order].flatMap((i) => flows[i] ?? []);
  const { classes } = judge;
  const ask = (alter: Alteration) => {
    const answers = judge.probabilities(mixed, { alter });
    const inOrder = new Float32Array(answers.length);
    for (const [m, b] of order.entries()) {
      inOrder.set(answers.subarray(m * classes, (m + 1) * classes), b * classes);
    }
    return headlineFor(inOrder);
  };
  return judge.spec.inputs.map((input) => ({
    input,
    zeros: ask((inputs) => inputs[input]?.fill(0)),
    shuffled: ask(shufflerOf(judge, input)),
  }));
}

/** Deals an input out anew among the flows of a batch. */
function shufflerOf(judge: Judge, input: InputName): Alteration {
  const random = seededRandom(2);
  return (inputs) => {
    const values = inputs[input];
    if (values === undefined) return;
    const rows = rowsOf(judge, input, values.length);
    const width = values.length / rows;
    const before = values.slice();
    for (const [to, from] of shuffledIndices(rows, random).entries()) {
      values.set(before.subarray(from * width, (from + 1) * width), to * width);
    }
  };
}

/** Rows of an input in a batch, from what one flow takes. */
function rowsOf({ spec }: Judge, input: InputName, length: number): number {
  const one = batchOf([{ rows: [], label: 0 }], spec).inputs[input]?.length ?? 1;
  return length / one;
}
