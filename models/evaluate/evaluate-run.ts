// One run and the flows that judge it -> all its figures. Axes: B flows, K classes.

import { EARLY_PACKETS } from '../../src/features/shapes.ts';
import { batchOf } from '../data/batch.ts';
import type { LabelledRow } from '../data/flow-source.ts';
import { calibrationError, confidenceBins, figuresOf, likeliest } from '../metrics.ts';
import { seededRandom } from '../random.ts';
import { ablations } from './ablation.ts';
import { bootstrap, type Headline } from './bootstrap.ts';
import type { Evaluation, Subset } from './evaluation-report.ts';
import type { Judge } from './judge.ts';
import { noCanaries, randomiseCanaries } from './randomise-canaries.ts';
import { areaUnderRoc, atThresholds, confidences, riskCoverage } from './risk.ts';

export interface JudgingFlows {
  /** With a class of the network's. */
  readonly known: readonly LabelledRow[];
  /** Of classes that it was not trained on. */
  readonly others: readonly LabelledRow[];
  readonly data: Omit<Evaluation['data'], 'flows' | 'sessions' | 'ofOtherClasses'>;
}

type Measured = Omit<Evaluation, 'run' | 'baselines' | 'format' | 'version'>;

/** @param say told what is being measured */
export function evaluateRun(
  judge: Judge,
  { known, others, data }: JudgingFlows,
  say: (text: string) => void = () => undefined,
): Measured {
  const labels = Int32Array.from(known, ({ label }) => label);
  const sessions = known.map(({ row }) => row.session);
  const { classes } = judge;
  const names = judge.run.classes;
  say('whole flows');
  const raw = judge.probabilities(known, { raw: true });
  const probabilities = judge.probabilities(known);
  const predicted = likeliest(probabilities, classes);
  const headlineFor = (own: Float32Array) =>
    bootstrap(likeliest(own, classes), labels, sessions, classes);
  const subset = subsets(known, predicted, labels, names);
  const thresholds = names.map((name) => judge.run.thresholds[name] ?? 1);
  say('early looks');
  const afterPackets = looksOf(judge).map((packets) => {
    const own = judge.probabilities(known, { cut: packets });
    const longer = known.map(({ row }) => row.seen > packets);
    return {
      packets,
      ...headlineFor(own),
      longer: subsetOf(`longer than ${packets}`, likeliest(own, classes), labels, {
        names,
        chosen: longer,
      }),
    };
  });
  const whole = bootstrap(predicted, labels, sessions, classes);
  say('inputs left out');
  const ablation = ablations(judge, known, (own) => headlineFor(own).headline);
  return {
    data: {
      ...data,
      flows: known.length,
      sessions: new Set(sessions).size,
      ofOtherClasses: others.length,
    },
    ...whole,
    figures: figuresOf(predicted, labels, names),
    byProtocol: subset(({ row }) => row.protocol),
    byAlpn: subset(({ row }) => httpVersionOf(row.alpn)),
    byHandshake: subset(({ row }) => row.handshakeState),
    afterPackets: [
      ...afterPackets,
      {
        packets: null,
        ...whole,
        longer: subsetOf('all', predicted, labels, {
          names,
          chosen: known.map(() => true),
        }),
      },
    ],
    ablation,
    canaries: canaryTest(judge, known, predicted, (own) => headlineFor(own).headline),
    calibration: {
      temperature: judge.run.temperature,
      errorBefore: calibrationError(raw, labels, classes),
      errorAfter: calibrationError(probabilities, labels, classes),
      bins: confidenceBins(probabilities, labels, classes),
    },
    risk: {
      ...riskCoverage(probabilities, labels, classes),
      atThresholds: atThresholds(probabilities, labels, thresholds),
    },
    heldOut: heldOutTest(judge, others, confidences(probabilities, classes)),
    cost: costOf(judge, known),
  };
}

/** Numbers of packets at which the network's series has room to see more. */
function looksOf({ spec }: Judge): number[] {
  return EARLY_PACKETS.filter((packets) => packets < spec.features.packets);
}

/** The paper's HTTP versions (4), from what the client offers. */
function httpVersionOf(alpn: string | null): string {
  if (alpn === null || alpn === '') return 'no ALPN';
  const offers = alpn.split(',');
  if (offers.some((name) => name.startsWith('h3'))) return 'HTTP/3';
  if (offers.includes('h2')) return 'HTTP/2';
  if (offers.some((name) => name.startsWith('http/1'))) return 'HTTP/1.1';
  return 'other ALPN';
}

function subsets(
  flows: readonly LabelledRow[],
  predicted: Int32Array,
  labels: Int32Array,
  names: readonly string[],
) {
  return (nameOf: (flow: LabelledRow) => string): Subset[] => {
    const all = flows.map(nameOf);
    return [...new Set(all)].sort().map((name) =>
      subsetOf(name, predicted, labels, {
        names,
        chosen: all.map((own) => own === name),
      }),
    );
  };
}

function subsetOf(
  name: string,
  predicted: Int32Array,
  labels: Int32Array,
  { names, chosen }: { readonly names: readonly string[]; readonly chosen: boolean[] },
): Subset {
  const { flows, accuracy, macroF1 } = figuresOf(
    predicted.filter((_, b) => chosen[b]),
    labels.filter((_, b) => chosen[b]),
    names,
  );
  return { name, flows, accuracy, macroF1 };
}

function canaryTest(
  judge: Judge,
  flows: readonly LabelledRow[],
  predicted: Int32Array,
  headlineFor: (probabilities: Float32Array) => Headline,
): Evaluation['canaries'] {
  if (!judge.spec.inputs.includes('handshake_bytes')) return null;
  const counts = noCanaries();
  const random = seededRandom(1);
  const own = judge.probabilities(flows, {
    alter: ({ handshake_bytes: bytes }) => {
      if (bytes instanceof Uint8Array) randomiseCanaries(bytes, random, counts);
    },
  });
  const moved = likeliest(own, judge.classes);
  const same = moved.filter((k, b) => k === predicted[b]).length;
  return {
    ...counts,
    headline: headlineFor(own),
    unmoved: same / Math.max(predicted.length, 1),
  };
}

function heldOutTest(
  judge: Judge,
  others: readonly LabelledRow[],
  known: Float32Array,
): Evaluation['heldOut'] {
  if (others.length === 0 || known.length === 0) return null;
  const unknown = confidences(judge.probabilities(others), judge.classes);
  const { level } = judge.run.config.data;
  const classes = [...new Set(others.map(({ row }) => row[level] ?? ''))].sort();
  return { classes, flows: others.length, auroc: areaUnderRoc(known, unknown) };
}

/** As a router would ask, one by one and in batches; tfjs here, not the bundle's int8. */
const COST_BATCHES = [1, 32] as const;
const COST_FLOWS = 512;

function costOf(judge: Judge, flows: readonly LabelledRow[]): Evaluation['cost'] {
  const some = flows.slice(0, COST_FLOWS);
  const start = performance.now();
  for (const { row } of some) batchOf([{ rows: [row], label: 0 }], judge.spec);
  const features = performance.now() - start;
  const batchFlows = COST_BATCHES.map((batch) => {
    const asked = some.slice(0, batch === 1 ? COST_FLOWS / 8 : COST_FLOWS);
    // The first run makes kernels ready.
    judge.probabilities(asked.slice(0, batch));
    const before = performance.now();
    for (let at = 0; at < asked.length; at += batch) {
      judge.probabilities(asked.slice(at, at + batch));
    }
    const spent = performance.now() - before;
    return { batch, microsecondsAFlow: (1e3 * spent) / Math.max(asked.length, 1) };
  });
  return {
    batchFlows,
    featuresMicroseconds: (1e3 * features) / Math.max(some.length, 1),
  };
}
