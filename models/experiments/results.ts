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

/** What export made of a network. */
export interface BundleResult extends ResultKey {
  /** Of fp32 ONNX against tfjs, a probability. */
  readonly parity: number;
  /** Of int8, on test flows. */
  readonly accuracy: number;
  /** Share of test flows on which fp32 and int8 choose the same class. */
  readonly int8Agreement: number;
  /** Accuracy of fp32 less that of int8, as a share. */
  readonly accuracyLoss: number;
  readonly fp32Bytes: number;
  readonly sizeBytes: number;
  /** Left in float because int8 cost too much. */
  readonly floatLayers: readonly string[];
  /** Checks of the export. */
  readonly failed: readonly string[];
}

export type ResultKey = Pick<Result, 'experiment' | 'model' | 'seed' | 'packets'>;

export class Results {
  readonly #path: string;
  readonly #bundlePath: string;
  readonly #all: Result[];
  readonly #bundles: BundleResult[];

  constructor(directory: string) {
    this.#path = join(directory, 'results.jsonl');
    this.#bundlePath = join(directory, 'bundles.jsonl');
    this.#all = readLines<Result>(this.#path);
    this.#bundles = readLines<BundleResult>(this.#bundlePath);
  }

  has(key: ResultKey): boolean {
    return this.#all.some((known) => isOf(known, key));
  }

  add(result: Result): void {
    this.#all.push(result);
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
  }

  hasBundle(key: ResultKey): boolean {
    return this.#bundles.some((known) => isOf(known, key));
  }

  addBundle(result: BundleResult): void {
    this.#bundles.push(result);
    appendFileSync(this.#bundlePath, `${JSON.stringify(result)}\n`);
  }

  /** A Markdown table an experiment: rows are models, columns numbers of packets; then what export made of networks. */
  tables(): string {
    const named = (all: readonly ResultKey[]) =>
      [...new Set(all.map(({ experiment }) => experiment))].sort();
    return [
      ...named(this.#all).map((experiment) => this.#table(experiment)),
      ...named(this.#bundles).map((experiment) => this.#bundleTable(experiment)),
    ].join('\n');
  }

  #bundleTable(experiment: string): string {
    const own = this.#bundles.filter((result) => result.experiment === experiment);
    return [
      `### ${experiment}`,
      '',
      '| network | seed | fp32 off from tfjs | int8 agrees with fp32 | accuracy, int8 | lost, points | kB, fp32 | kB, int8 | left in float | checks |',
      '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
      ...own.map((result) => {
        const { model, seed, parity, int8Agreement, accuracy, accuracyLoss } = result;
        const { fp32Bytes, sizeBytes, floatLayers, failed } = result;
        const cells = [
          `\`${model}\``,
          seed,
          parity.toExponential(1),
          percent(int8Agreement),
          percent(accuracy),
          (100 * accuracyLoss).toFixed(2),
          Math.round(fp32Bytes / 1000),
          Math.round(sizeBytes / 1000),
          floatLayers.join(', ') || 'none',
          failed.join('; ') || 'all passed',
        ];
        return `| ${cells.join(' | ')} |`;
      }),
      '',
    ].join('\n');
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

function readLines<R>(path: string): R[] {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  // The last line may have been cut off by whatever ended the process.
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as R];
    } catch {
      return [];
    }
  });
}

function isOf(
  known: ResultKey,
  { experiment, model, seed, packets }: ResultKey,
): boolean {
  return (
    known.experiment === experiment &&
    known.model === model &&
    known.seed === seed &&
    known.packets === packets
  );
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
