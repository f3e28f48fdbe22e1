// How far a build is -> a line on stderr: drawn over itself on a terminal, else one now and then.

import type { BuildProgress } from '../dataset/build-dataset.ts';
import { formatBytes, say, thousands } from './terminal.ts';

const REDRAW_MS = 200;
const LINE_MS = 10_000;
const CLEAR_LINE = '\r\u001b[K';

export interface ProgressScreen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export class BuildProgressLine {
  readonly #screen: ProgressScreen;
  readonly #now: () => number;
  #toldAt: number;
  #phase: { name: BuildProgress['phase']; readonly startedAt: number } | undefined;
  #drawn = false;

  /** @param now in ms */
  constructor(screen: ProgressScreen, now: () => number) {
    this.#screen = screen;
    this.#now = now;
    this.#toldAt = now();
  }

  update(progress: BuildProgress): void {
    const now = this.#now();
    if (this.#phase?.name !== progress.phase) {
      this.#phase = { name: progress.phase, startedAt: now };
    }
    const terminal = this.#screen.isTTY === true;
    if (now - this.#toldAt < (terminal ? REDRAW_MS : LINE_MS)) return;
    this.#toldAt = now;
    const seconds = (now - this.#phase.startedAt) / 1000;
    const line = `${terminal ? bar(progress) : ''}${progressLine(progress, seconds)}`;
    this.#screen.write(terminal ? `${CLEAR_LINE}sluice: ${line}` : `sluice: ${line}\n`);
    this.#drawn = terminal;
  }

  /** A line of words, above the one that is drawn. */
  words(line: string): void {
    this.clear();
    say(line);
  }

  clear(): void {
    if (this.#drawn) this.#screen.write(CLEAR_LINE);
    this.#drawn = false;
  }
}

const BAR_CELLS = 20;

/** "[=====               ] ": what is done of the bytes. */
function bar({ bytes, bytesDone }: BuildProgress): string {
  const done = bytes === 0 ? BAR_CELLS : Math.floor((BAR_CELLS * bytesDone) / bytes);
  return `[${'='.repeat(done).padEnd(BAR_CELLS)}] `;
}

/** @param seconds since the phase began */
export function progressLine(progress: BuildProgress, seconds: number): string {
  const { phase, captures, capturesDone, bytes, bytesDone, packets, flows } = progress;
  const share = bytes === 0 ? 100 : Math.floor((100 * bytesDone) / bytes);
  const perSecond = (count: number): number => (seconds > 0 ? count / seconds : 0);
  const rate = perSecond(bytesDone);
  const parts = [
    `${phase === 'hash' ? 'looking at captures' : 'building'}: ${capturesDone} of ${captures}`,
    `${share}% of ${formatBytes(bytes)}`,
    `${formatBytes(rate)}/s`,
  ];
  if (phase === 'build') {
    parts.push(`${thousands(perSecond(packets))} packets/s`);
    parts.push(`${thousands(perSecond(flows))} flows/s`);
  }
  if (rate > 0) parts.push(`${duration((bytes - bytesDone) / rate)} left`);
  return parts.join(', ');
}

/** 75 -> "1:15". */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = two(whole % 60);
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${two(minutes)}:${rest}`;
}
