// What export wants of a trained model (dataset-run.ts reads it). Axes: B flows.

import type { InputName, NetworkOptions } from '../models/networks/network.ts';
import type { Samples } from '../models/samples.ts';
import type { Trained } from '../models/trained.ts';
import type { FeatureSpec } from '../src/features/features.ts';
import type { StatisticsNormaliser } from '../src/features/normalise.ts';
import type { TestSet } from './evaluation.ts';

export interface TrainedModel {
  /** The bundle's. */
  readonly name: string;
  /** Its kind's name in models/networks/networks.ts. */
  readonly network: string;
  /** All of them, defaults filled in. */
  readonly networkOptions: NetworkOptions;
  /** That it reads. */
  readonly inputs: readonly InputName[];
  /** In the order of the outputs. */
  readonly classes: readonly string[];
  readonly features: FeatureSpec;
  readonly normaliser: StatisticsNormaliser;
  /** Not folded into the weights. */
  readonly temperature: number;
  /** By class, fitted on validation. */
  readonly thresholds: Readonly<Record<string, number>>;
  readonly trained: Trained;
  readonly seed: number;
  /** Git commit of the program that trained it. */
  readonly commit: string;
  readonly backend: string;
  /** When training began. */
  readonly startedAt: string;
  readonly hyperParameters: Readonly<Record<string, number | string | boolean>>;
  readonly origin: Origin;
}

/** What it was trained and tested on, in words for manifest and card. */
export interface Origin {
  /** What the data is. */
  readonly data: string;
  readonly dataSha256: string;
  /** By what it was split, and into what. */
  readonly split: string;
  /** That trained. */
  readonly flows: number;
  /** What the figures are of. */
  readonly testData: string;
  /** Accuracy of simpler ways on the test flows, by name. */
  readonly baselines: Readonly<Record<string, number>>;
  /** Sections of the card, Markdown. */
  readonly card: {
    readonly data: string;
    /** Points of a list: what it cannot do. */
    readonly limits: readonly string[];
    /** Commands that make the bundle again. */
    readonly recipe: string;
  };
}

/** The flows that an export computes with. */
export interface ExportFlows {
  /** Looks at training flows: int8 ranges are found on them. */
  readonly calibration: Samples;
  /** Looks at validation flows, whole ones first: they judge which layers stay in float; one of them is the self-test. */
  readonly validation: Samples;
  /** How many of them are whole. */
  readonly wholeOfValidation: number;
  /** All figures are of these. */
  readonly test: TestSet;
}

export interface Exported {
  readonly trained: TrainedModel;
  readonly flows: ExportFlows;
}
