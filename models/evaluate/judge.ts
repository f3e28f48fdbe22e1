// A trained model before flows that it never saw: probabilities of each flow, at any look, with inputs altered. Networks that
// judge sessions give each flow what they said of its session. Axes: B flows, K classes.

import { atTemperature } from '../calibration.ts';
import type { Example, InputSpec } from '../data/batch.ts';
import { flowExamples, sessionExamples } from '../data/examples.ts';
import type { LabelledRow } from '../data/flow-source.ts';
import type { Trained } from '../trained.ts';
import { inputSpecOf } from '../training/configured-network.ts';
import type { Run } from '../training/run.ts';
import { type Alteration, predictExamples } from './predict.ts';

export interface Question {
  /** After so many packets; undefined: whole flows. */
  readonly cut?: number | undefined;
  readonly alter?: Alteration | undefined;
  /** Without the temperature that was fitted on validation. */
  readonly raw?: boolean;
}

export class Judge {
  readonly run: Run;
  readonly spec: InputSpec;
  readonly #trained: Trained;

  constructor(run: Run, trained: Trained) {
    this.run = run;
    this.#trained = trained;
    this.spec = inputSpecOf(run.config, run.normaliser);
  }

  get classes(): number {
    return this.run.classes.length;
  }

  /** -> [B, K], in the order of `flows` */
  probabilities(flows: readonly LabelledRow[], question: Question = {}): Float32Array {
    const { cut, alter, raw } = question;
    const probabilities =
      this.spec.sessionFlows === undefined
        ? predictExamples(this.#trained, flowExamples(flows, cut), this.spec, alter)
        : this.#ofSessions(flows, sessionExamples(flows, this.classes, cut), alter);
    if (raw === true) return probabilities;
    return atTemperature(probabilities, this.classes, this.run.temperature);
  }

  #ofSessions(
    flows: readonly LabelledRow[],
    sessions: readonly Example[],
    alter: Alteration | undefined,
  ): Float32Array {
    const { classes } = this;
    const answers = predictExamples(this.#trained, sessions, this.spec, alter);
    const numbers = new Map(
      sessions.map(({ rows }, s) => [rows[0]?.session ?? '', s] as const),
    );
    const probabilities = new Float32Array(flows.length * classes);
    for (const [b, { row }] of flows.entries()) {
      const s = numbers.get(row.session) ?? 0;
      probabilities.set(answers.subarray(s * classes, (s + 1) * classes), b * classes);
    }
    return probabilities;
  }
}
