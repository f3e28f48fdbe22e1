// A flow's packets -> a picture that stands by itself: sizes over time, the client's above the line, the server's below.

import { emptyPacket, type FlowRecord } from '../flow/flow-record.ts';
import { type Axis, axisOf } from './axis.ts';
import { escaped } from './escaped.ts';

export interface PlotOptions {
  /** What runs along the picture: time, or the packet's number. */
  readonly x: 'time' | 'packet';
  /** Lines above the picture. */
  readonly title: string;
  readonly subtitle: string;
}

const WIDTH = 1_000;
const HEIGHT = 460;
const LEFT = 82;
const RIGHT = 20;
const TOP = 92;
const BOTTOM = 56;
const INNER_WIDTH = WIDTH - LEFT - RIGHT;
const INNER_HEIGHT = HEIGHT - TOP - BOTTOM;

/** Colours that people with any colour vision tell apart; direction is also above or below the line. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1c2733; }
  .title { font-size: 17px; font-weight: 600; }
  .muted { fill: #55616e; }
  .grid { stroke: #dde3e9; }
  .zero { stroke: #55616e; }
  .up { stroke: #0b62a4; fill: #0b62a4; }
  .down { stroke: #b4540a; fill: #b4540a; }
  .behind { stroke: #c01048; fill: #fff; stroke-width: 1.6; }
  .empty { opacity: 0.55; }`;

interface Drawn {
  readonly x: number;
  /** IP length, negative from the server. */
  readonly signed: number;
  readonly payload: number;
  readonly behind: boolean;
}

/** SVG of the packets that the record describes one by one. */
export function flowSvg(flow: FlowRecord, options: PlotOptions): string {
  const packets = packetsOf(flow, options.x);
  const unit = options.x === 'time' ? timeUnit(packets.at(-1)?.x ?? 0) : undefined;
  const label =
    unit === undefined ? 'packet' : `time since the first packet, ${unit.name}`;
  const xs = packets.map(({ x }) => x / (unit?.seconds ?? 1));
  const across = axisOf(Math.min(0, ...xs), Math.max(0, ...xs), 10);
  const sizes = packets.map(({ signed }) => signed);
  const upward = axisOf(Math.min(0, ...sizes), Math.max(0, ...sizes), 8);
  const at = (value: number): number => round(LEFT + across.share(value) * INNER_WIDTH);
  const level = (value: number): number =>
    round(TOP + (1 - upward.share(value)) * INNER_HEIGHT);
  const thin = packets.length > INNER_WIDTH / 3;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${escaped(options.title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text class="title" x="${LEFT}" y="28">${escaped(options.title)}</text>`,
    `<text class="muted" x="${LEFT}" y="50">${escaped(options.subtitle)}</text>`,
    ...legend(packets),
    ...horizontal(upward, level),
    ...vertical(across, at, label),
    `<line class="zero" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${level(0)}" y2="${level(0)}"/>`,
    ...packets.map((packet, i) =>
      stem(packet, at(xs[i] ?? 0), level(0), level(packet.signed), thin),
    ),
    '</svg>\n',
  ].join('\n');
}

function packetsOf(flow: FlowRecord, x: PlotOptions['x']): Drawn[] {
  const packet = emptyPacket();
  return Array.from({ length: flow.seriesPackets }, (_, i) => {
    flow.packet(i, packet);
    return {
      x: x === 'time' ? packet.timeNs / 1e9 : i + 1,
      signed: packet.ipLength * packet.direction,
      payload: packet.payloadLength,
      behind: packet.behind,
    };
  });
}

function stem(
  { signed, payload, behind }: Drawn,
  x: number,
  zero: number,
  y: number,
  thin: boolean,
): string {
  const way = signed >= 0 ? 'up' : 'down';
  const kind = payload > 0 ? way : `${way} empty`;
  const line = `<line class="${kind}" stroke-width="${thin ? 1 : 1.8}" x1="${x}" x2="${x}" y1="${zero}" y2="${y}"/>`;
  if (behind) return `${line}<circle class="behind" cx="${x}" cy="${y}" r="3.6"/>`;
  return `${line}<circle class="${kind}" stroke="none" cx="${x}" cy="${y}" r="${thin ? 1.4 : 2.6}"/>`;
}

function legend(packets: readonly Drawn[]): string[] {
  const entries: readonly (readonly [kind: string, x: number, words: string])[] = [
    ['up', 6, 'client to server (above the line)'],
    ['down', 236, 'server to client (below)'],
    ['up empty', 414, 'pale: without payload'],
    ...(packets.some(({ behind }) => behind)
      ? ([['behind', 584, 'ring: sent again, or overtaken']] as const)
      : []),
  ];
  return entries.map(
    ([kind, x, words]) =>
      `<circle class="${kind}" cx="${LEFT + x}" cy="71" r="4"/><text class="muted" x="${LEFT + x + 10}" y="75.5">${words}</text>`,
  );
}

function horizontal({ ticks }: Axis, level: (value: number) => number): string[] {
  const lines = ticks.map((value) => {
    const y = level(value);
    // Both ways are bytes; the sign only tells the way.
    const text = Math.abs(value).toLocaleString('en-US');
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/><text class="muted" x="${LEFT - 8}" y="${y + 4.5}" text-anchor="end">${text}</text>`;
  });
  const middle = TOP + INNER_HEIGHT / 2;
  return [
    ...lines,
    `<text class="muted" transform="rotate(-90 18 ${middle})" x="18" y="${middle}" text-anchor="middle">size (IP length), bytes</text>`,
  ];
}

function vertical(
  { ticks }: Axis,
  at: (value: number) => number,
  label: string,
): string[] {
  const bottom = HEIGHT - BOTTOM;
  const lines = ticks.map((value) => {
    const x = at(value);
    return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP}" y2="${bottom}"/><text class="muted" x="${x}" y="${bottom + 18}" text-anchor="middle">${value.toLocaleString('en-US', { maximumFractionDigits: 6 })}</text>`;
  });
  return [
    ...lines,
    `<text class="muted" x="${LEFT + INNER_WIDTH / 2}" y="${bottom + 42}" text-anchor="middle">${label}</text>`,
  ];
}

function timeUnit(longestSeconds: number): {
  readonly name: string;
  readonly seconds: number;
} {
  if (longestSeconds >= 1) return { name: 'seconds', seconds: 1 };
  if (longestSeconds >= 1e-3) return { name: 'milliseconds', seconds: 1e-3 };
  return { name: 'microseconds', seconds: 1e-6 };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
