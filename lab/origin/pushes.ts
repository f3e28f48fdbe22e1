// What a server sends by itself, as a short text that a client hands it, and the times and lengths that it stands for.
// A text and not a list: thirty messages a second for a minute would be a request of its own kind.
//
//   SEED~FROM.UNTIL.EVERY.DOWN~...     EVERY, DOWN: fA (fixed), uA-B, wA-B, lA-B, eA, oA-B-C (figure.ts)

import { Draw } from '../draw.ts';
import { type Distribution, drawFigure } from '../scenario/figure.ts';

export interface PushKind {
  /** ms since the channel was opened. */
  readonly from: number;
  readonly until: number;
  /** ms between two. */
  readonly every: Distribution;
  /** Bytes. */
  readonly down: Distribution;
}

export interface Push {
  /** ms since the channel was opened. */
  readonly at: number;
  readonly bytes: number;
}

/** Whatever is asked for: no more messages than this, none larger. */
const PUSHES_MAX = 20_000;
const BYTES_MAX = 4_000_000;
const GAP_LEAST_MS = 1;

export function describePushes(kinds: readonly PushKind[], seed: number): string {
  if (kinds.length === 0) return '';
  const one = ({ from, until, every, down }: PushKind): string =>
    [from, until, describe(every), describe(down)].join('.');
  return [seed, ...kinds.map(one)].join('~');
}

/** In order of time; what makes no sense is none. */
export function readPushes(text: string): Push[] {
  const [seed = '', ...kinds] = text.split('~');
  const draw = new Draw(Number(seed));
  const pushes: Push[] = [];
  for (const kind of kinds) {
    const [from = '', until = '', every = '', down = ''] = kind.split('.');
    const gaps = readDistribution(every);
    const sizes = readDistribution(down);
    const gap = (): number => Math.max(drawFigure(gaps, draw), GAP_LEAST_MS);
    let at = Number(from) + gap();
    while (at < Number(until) && pushes.length < PUSHES_MAX) {
      const bytes = Math.min(Math.round(drawFigure(sizes, draw)), BYTES_MAX) || 0;
      pushes.push({ at: Math.max(0, Math.round(at)), bytes });
      at += gap();
    }
  }
  return pushes.sort((a, b) => a.at - b.at);
}

/** A point parts the fields of a kind: numbers are written in thousandths. */
function describe(figure: Distribution): string {
  const numbers = (...values: readonly number[]): string =>
    values.map((value) => Math.round(value * 1000)).join('-');
  const ends = figure.within === undefined ? '' : `x${numbers(...figure.within)}`;
  if (figure.uniform !== undefined) return `u${numbers(...figure.uniform)}${ends}`;
  if (figure.whole !== undefined) return `w${numbers(...figure.whole)}${ends}`;
  if (figure.logNormal !== undefined) return `l${numbers(...figure.logNormal)}${ends}`;
  if (figure.exponential !== undefined) return `e${numbers(figure.exponential)}${ends}`;
  if (figure.oneOf !== undefined) return `o${numbers(...figure.oneOf)}${ends}`;
  return `f${numbers(figure.fixed ?? 0)}${ends}`;
}

function readDistribution(text: string): Distribution {
  const [body = '', ends] = text.split('x');
  const numbers = readNumbers(body.slice(1));
  const [a = 0, b = 0] = numbers;
  const [least = 0, most = 0] = readNumbers(ends ?? '');
  const within = ends === undefined ? {} : { within: [least, most] as [number, number] };
  switch (body[0]) {
    case 'u':
      return { uniform: [a, b], ...within };
    case 'w':
      return { whole: [a, b], ...within };
    case 'l':
      return { logNormal: [a, b], ...within };
    case 'e':
      return { exponential: a, ...within };
    case 'o':
      return { oneOf: numbers.length === 0 ? [0] : numbers, ...within };
    default:
      return { fixed: a, ...within };
  }
}

function readNumbers(text: string): number[] {
  return text
    .split('-')
    .map((number) => Number.parseInt(number, 10) / 1000)
    .filter(Number.isFinite);
}
