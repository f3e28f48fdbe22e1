// Named quantiles -> boxes on an axis of powers of ten: whiskers from 5% to 95%, a box over the middle half, a line at the
// median. For inside a page: colours are the page's.

import { axisOf } from './axis.ts';
import { shortened } from './bar-svg.ts';
import { escaped } from './escaped.ts';

export interface Box {
  readonly label: string;
  /** 5%, 25%, 50%, 75%, 95% of values from 0 on. */
  readonly at: readonly number[];
}

const WIDTH = 860;
const LEFT = 120;
const RIGHT = 24;
const TOP = 10;
const LINE = 24;
const BOTTOM = 46;
const INNER = WIDTH - LEFT - RIGHT;
const BOX = 14;

/** @param title for those who do not see it */
export function boxSvg(boxes: readonly Box[], title: string, axis: string): string {
  const powers = boxes.flatMap(({ at }) => at.filter((v) => v > 0).map(Math.log10));
  const [least, most] = [Math.min(...powers), Math.max(...powers)];
  const known = powers.length > 0;
  const { ticks, share } = axisOf(
    known ? Math.floor(least) : 0,
    known ? Math.ceil(most) : 1,
    10,
  );
  // There is no logarithm of nothing: it stands at the left end.
  const at = (value: number): number =>
    round(LEFT + (value > 0 ? Math.max(0, share(Math.log10(value))) : 0) * INNER);
  const height = TOP + boxes.length * LINE + BOTTOM;
  const foot = TOP + boxes.length * LINE + 4;
  const grid = ticks.filter(Number.isInteger).map((tick) => {
    const x = at(10 ** tick);
    return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP}" y2="${foot}"/><text class="muted" x="${x}" y="${foot + 16}" text-anchor="middle">${powerText(tick)}</text>`;
  });
  return [
    `<svg class="plot" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    ...grid,
    ...boxes.map((box, i) => boxOf(box, TOP + i * LINE + LINE / 2, at)),
    `<text class="muted" x="${LEFT + INNER / 2}" y="${foot + 36}" text-anchor="middle">${escaped(axis)}</text>`,
    '</svg>',
  ].join('\n');
}

function boxOf(box: Box, y: number, at: (value: number) => number): string {
  const label = `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${escaped(shortened(box.label))}</text>`;
  const [low, lower, median, upper, high] = box.at.map(at);
  if (low === undefined || lower === undefined || upper === undefined) return label;
  return `${label}<line class="whisker" x1="${low}" x2="${high}" y1="${y}" y2="${y}"/><rect class="tone-1" x="${lower}" y="${y - BOX / 2}" width="${round(Math.max(1, upper - lower))}" height="${BOX}" rx="2"/><line class="median" x1="${median}" x2="${median}" y1="${y - BOX / 2 - 2}" y2="${y + BOX / 2 + 2}"/>`;
}

function powerText(power: number): string {
  const value = 10 ** power;
  if (power < 0) return String(Number(value.toPrecision(1)));
  if (power >= 9) return `${value / 1e9} G`;
  if (power >= 6) return `${value / 1e6} M`;
  return power >= 3 ? `${value / 1e3} k` : String(value);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
