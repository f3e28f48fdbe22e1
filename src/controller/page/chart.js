// Points of classes over time -> stacked bars with strips below. The first half is arithmetic alone; the second draws it.

import { html } from './dom.js';
import * as format from './format.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TICKS_MS = [1, 2, 5, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 5760].map(
  (minutes) => minutes * MINUTE,
);
/** Colours are fixed for these; classes of another model take what is free, in the order in which they are first seen. */
const COLOURED = 'chat download games mail search social streaming web'.split(' ');
/** What the model did not name; always on top of the stack, in this order. */
const UNNAMED = ['unknown', 'other'];
const SLOTS = COLOURED.length;
/** Axis of the share of unknown flows: the first of these that holds it all. */
const SHARE_TOPS = [0.1, 0.25, 0.5, 1];

export const amount = (entry, by) =>
  entry === undefined
    ? 0
    : by === 'flows'
      ? entry.flows
      : entry.bytesUp + entry.bytesDown;

/** A number, or numbers by reason, as one number. */
export const sum = (counts) =>
  typeof counts === 'number'
    ? counts
    : Object.values(counts ?? {}).reduce((total, number) => total + number, 0);

/** One entry for each step from `fromMs` to `toMs`, in order; `point` is undefined where the controller has none. */
export function bins({ fromMs, toMs, stepMs, points }) {
  const all = Array.from(
    { length: Math.max(0, Math.ceil((toMs - fromMs) / stepMs)) },
    (_, i) => ({ startMs: fromMs + i * stepMs, point: undefined }),
  );
  for (const point of points) {
    const bin = all[Math.floor((point.startMs - fromMs) / stepMs)];
    if (bin !== undefined) bin.point = point;
  }
  return all;
}

/** Order of the stack from the bottom: by name, as amounts change and bars should not swap; unnamed ones last. */
export const stackOrder = (names) => [
  ...names.filter((name) => !UNNAMED.includes(name)).sort(),
  ...UNNAMED.filter((name) => names.includes(name)),
];

/** Layers from the bottom, each with `[low, high]` of every bin, and the highest top. @public */
export function stack(all, names, by) {
  const tops = all.map(() => 0);
  const layers = names.map((name) => ({
    name,
    spans: all.map(({ point }, i) => {
      const low = tops[i];
      tops[i] += amount(point?.classes[name], by);
      return [low, tops[i]];
    }),
  }));
  return { layers, max: Math.max(0, ...tops) };
}

/** Round whole steps from 0 to at least `max`, at most 6 values. @public */
export function scale(max) {
  if (!(max > 0)) return [0, 1];
  const unit = 10 ** Math.floor(Math.log10(max / 4));
  const step = Math.max(1, [1, 2, 5, 10].find((n) => n * unit * 5 >= max) * unit);
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, i) => i * step);
}

/** Times at round local hours or days, at most `most` of them. @public */
export function timeTicks({ fromMs, toMs }, most, offsetMinutes) {
  const tick = TICKS_MS.find((ms) => (toMs - fromMs) / ms <= most) ?? TICKS_MS.at(-1);
  const shift = offsetMinutes * MINUTE;
  const first = Math.ceil((fromMs - shift) / tick) * tick + shift;
  const times = [];
  for (let at = first; at <= toMs; at += tick) times.push(at);
  return times;
}

/** Unknown flows among those that the model was asked about; undefined if there were none. */
export function unknownShare(point) {
  const asked = (point?.flows ?? 0) - (point?.classes.other?.flows ?? 0);
  return asked > 0 ? point.unknownFlows / asked : undefined;
}

/** Name of the style of a class; `taken` remembers the styles of names without a fixed one. */
export function styleOf(name, taken) {
  if (UNNAMED.includes(name)) return name;
  const fixed = COLOURED.indexOf(name);
  if (fixed >= 0) return `slot-${fixed}`;
  if (!taken.has(name)) taken.set(name, taken.size % SLOTS);
  return `slot-${taken.get(name)}`;
}

const STRIPS = { drops: 'Packets dropped', lost: 'Flows and predictions lost' };
const LEFT = 58;
const RIGHT = 10;
const TOP = 10;
const AXIS = 26;
const HEAD = 26;

/** Where everything is, in pixels. `count` is the number of bins. */
export function layout(width, count) {
  const main = width < 600 ? 210 : 290;
  const inner = Math.max(1, width - LEFT - RIGHT);
  const share = { top: TOP + main + AXIS + HEAD, height: 44 };
  const drops = { top: share.top + share.height + HEAD, height: 26 };
  const lost = { top: drops.top + drops.height + HEAD, height: 26 };
  return {
    width,
    height: lost.top + lost.height + 6,
    inner,
    bar: inner / Math.max(1, count),
    main: { top: TOP, height: main },
    share,
    drops,
    lost,
  };
}

/** Index of the bin under a horizontal position, held inside. */
export const binAt = (x, { bar, inner }) =>
  Math.floor(Math.min(Math.max(x - LEFT, 0), inner - 0.01) / bar);
/** Left edge of a bin. */
export const edgeOf = (index, { bar }) => LEFT + index * bar;

const px = (number) => Number(number.toFixed(2));

/** Bars of one layer as one path. */
function barPath(spans, top, place, box) {
  const gap = place.bar > 5 ? 1.5 : 0.4;
  const y = (value) => box.top + box.height * (1 - value / top);
  return spans
    .map(([low, high], i) =>
      high > low
        ? `M${px(edgeOf(i, place) + gap / 2)} ${px(y(high))}h${px(place.bar - gap)}V${px(y(low))}h${px(gap - place.bar)}z`
        : '',
    )
    .join('');
}

const baseLine = (y, place) =>
  html`<path class="grid" d="M${LEFT} ${y}h${place.inner}" />`;

function mainPart({ all, names, by, taken }, place) {
  const { layers, max } = stack(all, names, by);
  const ticks = scale(max);
  const top = ticks.at(-1);
  const write = by === 'flows' ? format.shortCount : format.bytes;
  const grid = ticks.map((value) => {
    const y = px(place.main.top + place.main.height * (1 - value / top));
    return html`${baseLine(y, place)}
      <text class="y" x="${LEFT - 6}" y="${y + 4}">${write(value)}</text>`;
  });
  const bars = layers.map(({ name, spans }) => {
    const d = barPath(spans, top, place, place.main);
    return html`<path class="bar ${styleOf(name, taken)}" d="${d}" />`;
  });
  return [grid, bars];
}

function timeAxis(data, place) {
  const offset = new Date(data.toMs).getTimezoneOffset();
  const y = place.main.top + place.main.height;
  return timeTicks(data, place.inner / 58, offset).map((at) => {
    const x = px(LEFT + (place.inner * (at - data.fromMs)) / (data.toMs - data.fromMs));
    const midnight = (at - offset * MINUTE) % (24 * HOUR) === 0;
    // At the right edge half of a centred label would be cut off.
    const end = x > LEFT + place.inner - 18;
    return html`<path class="grid" d="M${x} ${y}v5" />
      <text class="${end ? 'x end' : 'x'}" x="${end ? place.width - 1 : x}" y="${y + 19}">
        ${midnight ? format.day(at) : format.clock(at)}
      </text>`;
  });
}

/** Frame of a strip: its heading, base line and the value at its top. */
const frame = (box, place, [heading, top]) => html`
  <text class="heading" x="2" y="${box.top - 9}">${heading}</text>
  ${baseLine(box.top + box.height, place)}
  <text class="y" x="${LEFT - 6}" y="${box.top + 9}">${top}</text>`;

function sharePart(all, place) {
  const shares = all.map(({ point }) => unknownShare(point));
  const highest = Math.max(0, ...shares.filter((share) => share !== undefined));
  const top = SHARE_TOPS.find((value) => value >= highest) ?? 1;
  const y = (share) => px(place.share.top + place.share.height * (1 - share / top));
  const step = (share, i) => {
    if (share === undefined) return '';
    const x = px(edgeOf(i, place) + place.bar / 2);
    // Without a neighbour on its left the line starts anew; `h0` makes a point visible that stays alone.
    return shares[i - 1] === undefined ? `M${x} ${y(share)}h0` : `L${x} ${y(share)}`;
  };
  const texts = ['Unknown, as share of classified flows', `${top * 100} %`];
  return html`${frame(place.share, place, texts)}
    <path class="share" d="${shares.map(step).join('')}" />`;
}

function countPart(all, key, place) {
  const counts = all.map(({ point }) => sum(point?.[key]));
  const max = Math.max(0, ...counts);
  const spans = counts.map((value) => [0, value]);
  const texts = [`${STRIPS[key]}: ${format.count(sum(counts))}`, format.shortCount(max)];
  return html`${frame(place[key], place, texts)}
    <path class="bar fault" d="${barPath(spans, max || 1, place, place[key])}" />`;
}

/** The drawing. `names` are the classes to show in stack order; `cursor` is an index of a bin or undefined. */
export function drawing({ data, names, by, taken, cursor }, place) {
  const all = bins(data);
  const x = px(edgeOf(cursor ?? 0, place));
  const width = cursor === undefined ? 0 : px(place.bar);
  return html`
    <svg width="${place.width}" height="${place.height}" aria-hidden="true">
      <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse">
        <rect class="hatch-ground" width="6" height="6" />
        <path class="hatch-line" d="M-1 7L7-1M-1 1L1-1M5 7L7 5" />
      </pattern>
      <rect class="cursor" x="${x}" width="${width}" height="${place.height}" />
      <g>${mainPart({ all, names, by, taken }, place)}</g>
      <g>${timeAxis(data, place)}</g>
      <g>${sharePart(all, place)}</g>
      <g>${countPart(all, 'drops', place)}</g>
      <g>${countPart(all, 'lost', place)}</g>
    </svg>`;
}
