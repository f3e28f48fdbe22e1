// What experiments found, a JSON line each in results.jsonl: an experiment that was stopped goes on with what is missing.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { overSeeds } from '../evaluate/bootstrap.ts';
import { figuresOf, likeliest } from '../metrics.ts';
import { percent } from '../report/markup.ts';

export interface Result {
  readonly experiment: string;
  readonly model: string;
  readonly seed: number;
  /** Packets that it looked at; 0: all that the set holds. */
  readonly packets: number;
  readonly trained: number;
  readonly tested: number;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly seconds: number;
  /** Of networks: the median, validation left out. */
  readonly secondsAnEpoch?: number;
}

export type ResultKey = Pick<Result, 'experiment' | 'model' | 'seed' | 'packets'>;

export class Results {
  readonly #path: string;
  readonly #all: Result[];

  constructor(directory: string) {
    this.#path = join(directory, 'results.jsonl');
    const text = existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : '';
    // The last line may have been cut off by whatever ended the process.
    this.#all = text.split('\n').flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as Result];
      } catch {
        return [];
      }
    });
  }

  has(key: ResultKey): boolean {
    return this.#all.some(
      (known) =>
        known.experiment === key.experiment &&
        known.model === key.model &&
        known.seed === key.seed &&
        known.packets === key.packets,
    );
  }

  add(result: Result): void {
    this.#all.push(result);
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
  }

  /** A Markdown table an experiment: rows are models, columns numbers of packets. */
  tables(): string {
    const experiments = [
      ...new Set(this.#all.map(({ experiment }) => experiment)),
    ].sort();
    return experiments.map((experiment) => this.#table(experiment)).join('\n');
  }

  #table(experiment: string): string {
    const own = this.#all.filter((result) => result.experiment === experiment);
    const looks = [...new Set(own.map(({ packets }) => packets))].sort(
      (a, b) => (a || Number.POSITIVE_INFINITY) - (b || Number.POSITIVE_INFINITY),
    );
    const models = [...new Set(own.map(({ model }) => model))];
    const { trained, tested } = own[0] ?? { trained: 0, tested: 0 };
    return [
      `### ${experiment}`,
      '',
      `About ${trained} flows train, ${tested} judge. Accuracy (macro-F1), mean of the seeds ± half of the 95% interval of that mean (Student's t).`,
      '',
      `| model | seeds | ${looks.map((n) => (n === 0 ? 'accuracy (macro-F1)' : `${n} packets`)).join(' | ')} | seconds an epoch |`,
      `| --- | --- | ${looks.map(() => '---').join(' | ')} | --- |`,
      ...models.map((model) => {
        const cells = looks.map((n) =>
          cell(own.filter((r) => r.model === model && r.packets === n)),
        );
        const seeds = new Set(own.filter((r) => r.model === model).map((r) => r.seed));
        const epoch = own.find((r) => r.model === model)?.secondsAnEpoch;
        return `| ${model} | ${seeds.size} | ${cells.join(' | ')} | ${epoch?.toFixed(1) ?? ''} |`;
      }),
      '',
    ].join('\n');
  }
}

function cell(results: readonly Result[]): string {
  if (results.length === 0) return '';
  const accuracy = overSeeds(results.map((r) => r.accuracy));
  const macroF1 = overSeeds(results.map((r) => r.macroF1));
  const spread =
    accuracy.half === undefined ? '' : ` ± ${(100 * accuracy.half).toFixed(1)}`;
  return `${percent(accuracy.mean)}${spread} (${percent(macroF1.mean)})`;
}

export function judged(
  probabilities: Float32Array,
  labels: Int32Array,
  classes: readonly string[],
): Pick<Result, 'accuracy' | 'macroF1' | 'tested'> {
  const predicted = likeliest(probabilities, classes.length);
  const { accuracy, macroF1 } = figuresOf(predicted, labels, classes);
  return { accuracy, macroF1, tested: labels.length };
}
