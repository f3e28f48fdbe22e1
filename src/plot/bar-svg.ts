// Named figures -> bars that lie, one a line, with an interval where there is one. For inside a page: colours are the page's
// (--ink, --muted, --grid, --tone-1 ...), so that it can be light or dark.

import { axisOf } from './axis.ts';
import { escaped } from './escaped.ts';

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly interval?: readonly [low: number, high: number];
  /** Which of the page's colours, from 1. */
  readonly tone: number;
}

export interface BarOptions {
  /** For those who do not see it: what it shows, in a sentence. */
  readonly title: string;
  /** Where the axis ends at least. */
  readonly most: number;
  /** What the figures are, below the axis. */
  readonly axis: string;
  readonly format: (value: number) => string;
  /** Figures along the axis. */
  readonly tick: (value: number) => string;
  /** Lines across all bars. */
  readonly marks?: readonly { readonly value: number; readonly label: string }[];
}

const WIDTH = 860;
const LEFT = 220;
const RIGHT = 76;
const TOP = 24;
const LINE = 22;
const BOTTOM = 46;
const INNER = WIDTH - LEFT - RIGHT;
const BAR = 13;

export function barSvg(bars: readonly Bar[], options: BarOptions): string {
  const { format, marks = [], title } = options;
  const ends = bars.flatMap(({ value, interval }) => [value, interval?.[1] ?? value]);
  const { ticks, share } = axisOf(0, Math.max(options.most, ...ends), 8);
  const at = (value: number): number => round(LEFT + share(value) * INNER);
  const height = TOP + bars.length * LINE + BOTTOM;
  const foot = TOP + bars.length * LINE + 4;
  const grid = ticks.map(
    (tick) =>
      `<line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="${TOP - 4}" y2="${foot}"/><text class="muted" x="${at(tick)}" y="${foot + 16}" text-anchor="middle">${escaped(options.tick(tick))}</text>`,
  );
  const across = marks.map(
    ({ value, label }) =>
      `<line class="mark" x1="${at(value)}" x2="${at(value)}" y1="${TOP - 6}" y2="${foot}"/><text class="muted" x="${at(value)}" y="${TOP - 10}" text-anchor="middle">${escaped(label)}</text>`,
  );
  return [
    `<svg class="plot" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    ...grid,
    ...bars.map((bar, i) => barOf(bar, TOP + i * LINE, at, format)),
    ...across,
    `<text class="muted" x="${LEFT + INNER / 2}" y="${foot + 36}" text-anchor="middle">${escaped(options.axis)}</text>`,
    '</svg>',
  ].join('\n');
}

function barOf(
  { label, value, interval, tone }: Bar,
  y: number,
  at: (value: number) => number,
  format: (value: number) => string,
): string {
  const middle = y + LINE / 2;
  const end = at(value);
  const whisker =
    interval === undefined
      ? ''
      : `<line class="whisker" x1="${at(interval[0])}" x2="${at(interval[1])}" y1="${middle}" y2="${middle}"/>`;
  const text = Math.max(end, interval === undefined ? 0 : at(interval[1])) + 6;
  return `<text x="${LEFT - 8}" y="${middle + 4}" text-anchor="end">${escaped(shortened(label))}</text><rect class="tone-${tone}" x="${LEFT}" y="${middle - BAR / 2}" width="${round(Math.max(0, end - LEFT))}" height="${BAR}" rx="2"/>${whisker}<text class="muted" x="${round(text)}" y="${middle + 4}">${escaped(format(value))}</text>`;
}

const LABEL_MAX = 32;

/** What is cut stands whole in the table beside it. */
export function shortened(label: string): string {
  return label.length <= LABEL_MAX ? label : `${label.slice(0, LABEL_MAX - 1)}…`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
