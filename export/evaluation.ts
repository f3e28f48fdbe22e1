// A trained model -> the figures of its card: after few packets, without each input.
// Axes: B flows, K classes.

import {
  calibrationError,
  type Figures,
  figuresOf,
  likeliest,
} from '../models/metrics.ts';
import { INPUTS, type InputName } from '../models/networks/network.ts';
import { seededRandom } from '../models/random.ts';
import type { Samples } from '../models/samples.ts';

/** Anything that gives probabilities [B, K] for samples. */
export type Predictor = (samples: Samples) => Promise<Float32Array>;

export interface Evaluation {
  /** Whole flows. */
  readonly whole: Figures;
  /** Expected calibration error of whole flows. */
  readonly calibrationError: number;
  /** 95% of resamplings of whole sessions lie between these. */
  readonly accuracyInterval: readonly [low: number, high: number];
  /** Accuracy and macro-F1 after so many packets. */
  readonly afterPackets: readonly {
    readonly packets: number;
    readonly accuracy: number;
    readonly macroF1: number;
  }[];
  /** Accuracy with one input all zeros. */
  readonly without: Readonly<Record<string, number>>;
}

/** Test flows as an evaluation wants them. */
export interface TestSet {
  /** Session, and index of the class. */
  readonly flows: readonly { readonly session: string; readonly label: number }[];
  readonly whole: Samples;
  /** The same flows after so many packets. */
  readonly cuts: ReadonlyMap<number, Samples>;
  /** Those that the network reads; all unless given. */
  readonly inputs?: readonly InputName[] | undefined;
}

export async function evaluate(
  predictor: Predictor,
  { flows, whole, cuts, inputs = INPUTS }: TestSet,
  classes: readonly string[],
): Promise<Evaluation> {
  const accuracyOf = async (samples: Samples) => {
    const predicted = likeliest(await predictor(samples), classes.length);
    return figuresOf(predicted, samples.labels, classes);
  };
  const probabilities = await predictor(whole);
  const predicted = likeliest(probabilities, classes.length);
  const afterPackets = [];
  for (const [packets, samples] of cuts) {
    const { accuracy, macroF1 } = await accuracyOf(samples);
    afterPackets.push({ packets, accuracy, macroF1 });
  }
  const without: Record<string, number> = {};
  for (const name of inputs) {
    const { accuracy } = await accuracyOf(zeroed(whole, name));
    without[name] = accuracy;
  }
  return {
    whole: figuresOf(predicted, whole.labels, classes),
    calibrationError: calibrationError(probabilities, whole.labels, classes.length),
    accuracyInterval: intervalOverSessions(flows, predicted),
    afterPackets,
    without,
  };
}

function zeroed(samples: Samples, name: InputName): Samples {
  const data = samples.inputs[name];
  const zeros =
    data instanceof Uint8Array
      ? new Uint8Array(data.length)
      : new Float32Array(data.length);
  return { ...samples, inputs: { ...samples.inputs, [name]: zeros } };
}

const RESAMPLINGS = 1000;

/** Flows of one session stand or fall together, so sessions are resampled, not flows. */
function intervalOverSessions(
  flows: TestSet['flows'],
  predicted: Int32Array,
): [number, number] {
  const sessions = new Map<string, { right: number; flows: number }>();
  for (const [b, flow] of flows.entries()) {
    const session = sessions.get(flow.session) ?? { right: 0, flows: 0 };
    session.flows++;
    if (predicted[b] === flow.label) session.right++;
    sessions.set(flow.session, session);
  }
  const all = [...sessions.values()];
  const random = seededRandom(1);
  const accuracies = Float64Array.from({ length: RESAMPLINGS }, () => {
    let right = 0;
    let count = 0;
    for (let i = 0; i < all.length; i++) {
      const session = all[Math.floor(random() * all.length)];
      right += session?.right ?? 0;
      count += session?.flows ?? 0;
    }
    return right / Math.max(count, 1);
  }).sort();
  return [accuracies[25] ?? 0, accuracies[975] ?? 0];
}
