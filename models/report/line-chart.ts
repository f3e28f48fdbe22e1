// Lines over numbers -> SVG that stands by itself, or in a page whose colours it takes (--ink, --muted, --grid, --line-1 …).

import { axisOf } from '../../src/plot/axis.ts';
import { escaped } from './markup.ts';

interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
  /** Where y begins and ends at least. */
  readonly yRange?: readonly [number, number];
  /** Names of places along x, evenly apart; points then lie at 0, 1, 2 … */
  readonly xNames?: readonly string[];
  /** y as percent. */
  readonly asPercent?: boolean;
}

const WIDTH = 640;
const HEIGHT = 300;
const LEFT = 62;
const RIGHT = 16;
const TOP = 58;
const BOTTOM = 46;
const INNER_WIDTH = WIDTH - LEFT - RIGHT;
const INNER_HEIGHT = HEIGHT - TOP - BOTTOM;
/** Lines that can be told apart. */
const COLOURS = 6;
/** Width of a letter of the legend, about. */
const LETTER = 7;

/** Fallbacks are for the file alone, light only. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: var(--ink, #1c2733); }
  .title { font-size: 14px; font-weight: 600; }
  .muted { fill: var(--muted, #55616e); }
  .grid { stroke: var(--grid, #dde3e9); }
  .line { fill: none; stroke-width: 2; }
  .c1 { stroke: var(--line-1, #0b62a4); } .c2 { stroke: var(--line-2, #b4540a); }
  .c3 { stroke: var(--line-3, #2a7d3f); } .c4 { stroke: var(--line-4, #8a3ffc); }
  .c5 { stroke: var(--line-5, #c01048); } .c6 { stroke: var(--line-6, #6b6b00); }`;

export function lineChart(chart: LineChart): string {
  const points = chart.lines.flatMap(({ points }) => points);
  const xs = points.map(([x]) => x);
  const ys = [
    ...points.map(([, y]) => y).filter(Number.isFinite),
    ...(chart.yRange ?? []),
  ];
  const names = chart.xNames;
  const across =
    names === undefined
      ? axisOf(Math.min(...xs, 0), Math.max(...xs, 1), 8)
      : {
          ticks: names.map((_, i) => i),
          share: (x: number) => (names.length < 2 ? 0.5 : x / (names.length - 1)),
        };
  const upward = axisOf(Math.min(...ys), Math.max(...ys), 6);
  const at = (x: number) => round(LEFT + across.share(x) * INNER_WIDTH);
  const level = (y: number) => round(TOP + (1 - upward.share(y)) * INNER_HEIGHT);
  const tickText = (y: number) =>
    chart.asPercent === true ? `${Number((100 * y).toPrecision(6))}%` : String(y);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${escaped(chart.title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<text class="title" x="${LEFT}" y="20">${escaped(chart.title)}</text>`,
    legend(chart.lines),
    ...upward.ticks.map(
      (y) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${level(y)}" y2="${level(y)}"/>` +
        `<text class="muted" x="${LEFT - 6}" y="${level(y) + 4}" text-anchor="end">${tickText(y)}</text>`,
    ),
    ...across.ticks.map(
      (x, i) =>
        `<text class="muted" x="${at(x)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${escaped(names?.[i] ?? String(x))}</text>`,
    ),
    `<text class="muted" x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">${escaped(chart.xLabel)}</text>`,
    `<text class="muted" x="${LEFT - 50}" y="${TOP - 8}">${escaped(chart.yLabel)}</text>`,
    ...chart.lines.map((line, i) => drawn(line, i, at, level)),
    '</svg>',
  ].join('\n');
}

function drawn(
  { points, dashed }: Line,
  i: number,
  at: (x: number) => number,
  level: (y: number) => number,
): string {
  const known = points.filter(([, y]) => Number.isFinite(y));
  const path = known.map(([x, y]) => `${at(x)},${level(y)}`).join(' ');
  const dashes = dashed === true ? ' stroke-dasharray="5 4"' : '';
  return `<polyline class="line c${(i % COLOURS) + 1}"${dashes} points="${path}"/>`;
}

function legend(lines: readonly Line[]): string {
  let x = LEFT;
  return lines
    .map(({ name, dashed }, i) => {
      const start = x;
      x += 34 + LETTER * name.length;
      const dashes = dashed === true ? ' stroke-dasharray="5 4"' : '';
      return (
        `<line class="line c${(i % COLOURS) + 1}"${dashes} x1="${start}" x2="${start + 18}" y1="34" y2="34"/>` +
        `<text x="${start + 23}" y="38">${escaped(name)}</text>`
      );
    })
    .join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
