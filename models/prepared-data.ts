// The lab's data set, split by capture, as samples: what training, evaluation and export all start from.

import type { FeatureSpec, PacketSpec } from '../src/features/features.ts';
import type { StatisticsNormaliser } from '../src/features/normalise.ts';
import { recordPackets } from '../src/features/packet-rule.ts';
import type { CanaryField } from '../src/handshake/canary.ts';
import type { TestSet } from './evaluation.ts';
import { flowsOf, type LabelledFlow, type Split } from './lab-data.ts';
import { cutAt, fitNormaliser, type Samples, samplesOf } from './samples.ts';
import type { Looks } from './trainer.ts';

export interface PreparedData {
  readonly normaliser: StatisticsNormaliser;
  /** Training flows: whole, then as they look after each cut. */
  readonly train: Looks;
  /** Training flows, whole only. */
  readonly trainWhole: Samples;
  /** Validation flows, all looks: what is served is early decisions too. */
  readonly validation: Samples;
  readonly test: TestSet;
}

export interface Preparation {
  readonly seriesSteps: number;
  readonly cuts: readonly number[];
  readonly statisticsClip: number;
  /** Given: a trained model's own; else fitted on the training flows. */
  readonly normaliser?: StatisticsNormaliser | undefined;
}

/** What features a model wants, from its hyper-parameters. */
export function featureSpec(options: {
  readonly seriesSteps: number;
  readonly packets: PacketSpec;
  readonly shownCanaries: readonly CanaryField[];
}): FeatureSpec {
  const { seriesSteps, packets, shownCanaries } = options;
  return {
    ...packets,
    seriesSteps,
    packets: recordPackets(seriesSteps, packets.counted),
    occlusion: { shown: shownCanaries },
  };
}

export function prepare(split: Split, options: Preparation): PreparedData {
  const { seriesSteps, cuts } = options;
  const train = flowsOf(split.train);
  const normaliser = options.normaliser ?? fitNormaliser(train, options.statisticsClip);
  const rows = (flows: readonly LabelledFlow[], cut?: number) =>
    samplesOf(
      flows.map((flow) => (cut === undefined ? flow : cutAt(flow, cut))),
      normaliser,
      seriesSteps,
    );
  const looks = (flows: readonly LabelledFlow[]) =>
    joined([rows(flows), ...cuts.map((cut) => rows(flows, cut))]);
  const test = flowsOf(split.test);
  return {
    normaliser,
    train: { samples: looks(train), flows: train.length },
    trainWhole: rows(train),
    validation: looks(flowsOf(split.validation)),
    test: {
      flows: test,
      whole: rows(test),
      cuts: new Map(cuts.map((cut) => [cut, rows(test, cut)])),
    },
  };
}

/** Samples one behind the other. */
function joined(parts: readonly Samples[]): Samples {
  return {
    count: parts.reduce((sum, part) => sum + part.count, 0),
    inputs: {
      handshake_bytes: Uint8Array.from(
        Buffer.concat(parts.map((part) => part.inputs.handshake_bytes)),
      ),
      series: concatFloats(parts.map((part) => part.inputs.series)),
      statistics: concatFloats(parts.map((part) => part.inputs.statistics)),
    },
    labels: Int32Array.from(parts.flatMap((part) => [...part.labels])),
  };
}

function concatFloats(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
