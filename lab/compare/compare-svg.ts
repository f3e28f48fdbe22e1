// Two sets of samples -> a picture: a row a service, a column a measure, both cumulative distributions in each panel.

import { SERVICES } from '../../models/labels.ts';
import { escaped } from '../../src/plot/escaped.ts';
import {
  cumulative,
  distance,
  MEASURE_NAMES,
  MEASURES,
  type Measure,
  type Sample,
  type Samples,
} from './samples.ts';

const PANEL = { width: 190, height: 92 } as const;
const GAP = 26;
const LEFT = 120;
const TOP = 78;
const POINTS_MOST = 70;

interface Compared {
  readonly name: string;
  readonly samples: Samples;
}

export function compareSvg(first: Compared, second: Compared): string {
  const width = LEFT + MEASURE_NAMES.length * (PANEL.width + GAP);
  const height = TOP + SERVICES.length * (PANEL.height + GAP) + 12;
  const rows = SERVICES.map((service, row) => {
    const one = first.samples.get(service);
    const other = second.samples.get(service);
    const y = TOP + row * (PANEL.height + GAP);
    const head =
      `<text class="service" x="8" y="${y + 20}">${service}</text>` +
      `<text class="first" x="8" y="${y + 40}">${one?.flows ?? 0} flows</text>` +
      `<text class="second" x="8" y="${y + 56}">${other?.flows ?? 0} flows</text>`;
    const panels = MEASURE_NAMES.map((name, column) => {
      const at = { x: LEFT + column * (PANEL.width + GAP), y };
      return panel(name, one?.of[name], other?.of[name], at);
    });
    return head + panels.join('');
  });
  const titles = MEASURE_NAMES.map(
    (name, column) =>
      `<text class="title" x="${LEFT + column * (PANEL.width + GAP)}" y="${TOP - 12}">${escaped(MEASURES[name].title)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">
<style>.frame{fill:#fff;stroke:#ccc}.first{fill:#0b6;}.second{fill:#c40}path.first,path.second{fill:none;stroke-width:1.6}path.first{stroke:#0b6}path.second{stroke:#c40}.service{font-weight:bold;font-size:14px}.title{font-weight:bold}.tick,.far{fill:#777;font-size:10px}</style>
<rect width="100%" height="100%" fill="#fafafa"/>
<text x="8" y="24" font-size="16">Shares of packets and flows at or below a value: <tspan class="first">${escaped(first.name)}</tspan>, <tspan class="second">${escaped(second.name)}</tspan></text>
<text x="8" y="44" class="tick">Packets with payload, the first 100 of a flow, each flow weighs the same; D: largest gap between the two (Kolmogorov, Smirnov)</text>
${titles.join('')}
${rows.join('\n')}
</svg>
`;
}

function panel(
  name: Measure,
  one: Sample | undefined,
  other: Sample | undefined,
  { x, y }: { x: number; y: number },
): string {
  const { log, low, high } = MEASURES[name];
  const share = (value: number): number => {
    const held = Math.min(high, Math.max(low, value));
    return log
      ? Math.log(held / low) / Math.log(high / low)
      : (held - low) / (high - low);
  };
  const line = (sample: Sample | undefined, kind: string): string => {
    const points = thinned(sample === undefined ? [] : cumulative(sample));
    if (points.length === 0) return '';
    const steps = points.map(
      ([value, part]) =>
        `${(x + share(value) * PANEL.width).toFixed(1)} ${(y + (1 - part) * PANEL.height).toFixed(1)}`,
    );
    return `<path class="${kind}" d="M${x} ${y + PANEL.height}L${steps.join('L')}"/>`;
  };
  const far = one && other ? distance(one, other) : Number.NaN;
  const label = Number.isNaN(far) ? '' : `D ${far.toFixed(2)}`;
  return (
    `<rect class="frame" x="${x}" y="${y}" width="${PANEL.width}" height="${PANEL.height}"/>` +
    line(one, 'first') +
    line(other, 'second') +
    `<text class="tick" x="${x}" y="${y + PANEL.height + 12}">${low}</text>` +
    `<text class="tick" x="${x + PANEL.width}" y="${y + PANEL.height + 12}" text-anchor="end">${high}</text>` +
    `<text class="far" x="${x + PANEL.width - 4}" y="${y + PANEL.height - 6}" text-anchor="end">${label}</text>`
  );
}

function thinned<T>(points: readonly T[]): T[] {
  const every = Math.max(1, Math.ceil(points.length / POINTS_MOST));
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}
