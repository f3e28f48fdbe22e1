// How far training is, on stderr: a line that is written over on a terminal, a line an epoch elsewhere.

import { percent } from '../report/markup.ts';
import type { EpochRecord, LiveFigures } from './fit.ts';

const BAR = 20;
/** Ten times a second is enough for eyes. */
const REDRAW_MS = 100;

export interface ProgressOptions {
  readonly epochs: number;
  /** Of an epoch, about. */
  readonly examples: number;
  /** Epochs that were done before this process began. */
  readonly done: number;
  readonly stream: NodeJS.WriteStream;
}

export class Progress {
  readonly #options: ProgressOptions;
  readonly #start = performance.now();
  #drawn = 0;
  #examples: number;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#examples = options.examples;
  }

  step({ epoch, examples, loss, accuracy }: LiveFigures): void {
    const { stream, epochs } = this.#options;
    const now = performance.now();
    if (!stream.isTTY || now - this.#drawn < REDRAW_MS) return;
    this.#drawn = now;
    const share = Math.min(1, examples / this.#examples);
    const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR, '.');
    const left = this.#secondsLeft(epoch - 1 + share);
    stream.write(
      `\r\x1b[K${epoch}/${epochs} [${bar}] loss ${loss.toFixed(3)}  accuracy ${percent(accuracy)}  ${left}`,
    );
  }

  epoch(record: EpochRecord): void {
    const { stream, epochs } = this.#options;
    // What an epoch really is, upsampling included.
    this.#examples = record.examples;
    if (stream.isTTY) stream.write('\r\x1b[K');
    stream.write(
      `epoch ${String(record.epoch).padStart(String(epochs).length)}/${epochs}` +
        `  loss ${record.trainLoss.toFixed(3)}  accuracy ${percent(record.trainAccuracy)}` +
        `  validation: loss ${record.validationLoss.toFixed(3)}` +
        `  accuracy ${percent(record.validationAccuracy)}  macro-F1 ${percent(record.validationMacroF1)}` +
        `  ${record.seconds.toFixed(1)} s  ${this.#secondsLeft(record.epoch)}${record.best ? '  *' : ''}\n`,
    );
  }

  /** Leaves no half line behind. */
  end(): void {
    if (this.#options.stream.isTTY) this.#options.stream.write('\r\x1b[K');
  }

  #secondsLeft(epochsDone: number): string {
    const { epochs, done } = this.#options;
    const own = epochsDone - done;
    if (own <= 0) return '';
    const spent = (performance.now() - this.#start) / 1000;
    const left = (spent / own) * (epochs - epochsDone);
    return `at most ${duration(left)} left`;
  }
}

/** 3725 -> "1 h 2 min" */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 90
    ? `${minutes} min`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
