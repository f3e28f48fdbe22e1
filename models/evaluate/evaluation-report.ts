// What an evaluation found: the form of report.json, one object a run.

import type { Figures } from '../metrics.ts';
import type { Run } from '../training/run.ts';
import type { Headline, Interval } from './bootstrap.ts';
import type { CanaryCounts } from './randomise-canaries.ts';
import type { RiskCoverage } from './risk.ts';

export interface Subset {
  readonly name: string;
  readonly flows: number;
  readonly accuracy: number;
  readonly macroF1: number;
}

export interface Evaluation {
  readonly format: 'sluice-evaluation';
  readonly version: 1;
  readonly run: {
    readonly name: string;
    readonly network: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly classes: readonly string[];
    readonly level: string;
    readonly seed: number;
    readonly parameters: number;
    readonly commit: string;
    readonly backend: string;
    readonly secondsAnEpoch: number;
    readonly bestEpoch: number;
    readonly trainFlows: number;
    readonly dataSha256: string;
    readonly history: Run['history'];
  };
  readonly data: {
    readonly dataSha256: string;
    /** null: every labelled row judged. */
    readonly split: string | null;
    readonly flows: number;
    readonly sessions: number;
    /** Flows whose class the network does not know; judged by `heldOut` alone. */
    readonly ofOtherClasses: number;
    readonly sources: readonly string[];
    /** Whether the run trained on this very data set; then the split keeps its training flows out. */
    readonly sameAsTraining: boolean;
  };
  readonly headline: Headline;
  readonly intervals: Readonly<Record<keyof Headline, Interval>>;
  readonly figures: Figures;
  readonly byProtocol: readonly Subset[];
  /** What the client offered by ALPN, the paper's HTTP version. */
  readonly byAlpn: readonly Subset[];
  readonly byHandshake: readonly Subset[];
  readonly afterPackets: readonly {
    /** null: whole flows. */
    readonly packets: number | null;
    readonly headline: Headline;
    readonly intervals: Readonly<Record<keyof Headline, Interval>>;
    /** The flows that had not ended by then: the others are seen whole. */
    readonly longer: Subset;
  }[];
  readonly ablation: readonly {
    readonly input: string;
    /** The input all zeros. */
    readonly zeros: Headline;
    /** The input of another flow, drawn: what it tells is gone, what it looks like is not. */
    readonly shuffled: Headline;
  }[];
  /** null: the network reads no handshake. */
  readonly canaries:
    | (CanaryCounts & {
        readonly headline: Headline;
        /** Share of flows with the same answer. */
        readonly unmoved: number;
      })
    | null;
  readonly calibration: {
    readonly temperature: number;
    readonly errorBefore: number;
    readonly errorAfter: number;
    /** Mean confidence and accuracy of each tenth of confidence, calibrated. */
    readonly bins: readonly {
      readonly confidence: number;
      readonly accuracy: number;
      readonly flows: number;
    }[];
  };
  readonly risk: RiskCoverage & {
    readonly atThresholds: { readonly coverage: number; readonly accuracy: number };
  };
  /** Whether confidence tells flows of classes that were held out; null: there are none in the data. */
  readonly heldOut: {
    readonly classes: readonly string[];
    readonly flows: number;
    readonly auroc: number;
  } | null;
  readonly cost: {
    readonly batchFlows: readonly {
      readonly batch: number;
      readonly microsecondsAFlow: number;
    }[];
    readonly featuresMicroseconds: number;
  };
  /** By name; empty unless they were asked for. */
  readonly baselines: readonly {
    readonly name: string;
    readonly headline: Headline;
    readonly seconds: number;
  }[];
}
