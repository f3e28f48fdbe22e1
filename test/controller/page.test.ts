// The page's arithmetic and words, and that it needs nothing from outside. The modules are plain JavaScript, which tsc does
// not copy: they are loaded from the source folder.

import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';

interface Format {
  count(number: number): string;
  shortCount(number: number): string;
  bytes(number: number): string;
  flows(number: number): string;
  share(part: number, whole: number): string;
  age(thenMs: number | null, nowMs: number): string;
  condition(lastReportMs: number | null, nowMs: number): { word: string };
  zone(offsetMinutes: number): string;
}
interface Entry {
  flows: number;
  bytesUp: number;
  bytesDown: number;
}
interface Point {
  startMs: number;
  flows: number;
  unknownFlows: number;
  classes: Record<string, Entry>;
}
interface Bin {
  startMs: number;
  point: Point | undefined;
}
interface Place {
  inner: number;
  bar: number;
}
interface Chart {
  bins(data: { fromMs: number; toMs: number; stepMs: number; points: Point[] }): Bin[];
  stackOrder(names: string[]): string[];
  stack(
    all: Bin[],
    names: string[],
    by: string,
  ): { layers: { name: string; spans: number[][] }[]; max: number };
  scale(max: number): number[];
  sum(counts: number | Record<string, number>): number;
  timeTicks(
    range: { fromMs: number; toMs: number },
    most: number,
    offsetMinutes: number,
  ): number[];
  unknownShare(point: Point | undefined): number | undefined;
  styleOf(name: string, taken: Map<string, number>): string;
  layout(width: number, count: number): Place;
  binAt(x: number, place: Place): number;
  edgeOf(index: number, place: Place): number;
}
interface Site {
  RANGES: Record<string, { spanMs: number; stepMs: number }>;
  windowOf(
    range: { spanMs: number; stepMs: number },
    nowMs: number,
  ): { fromMs: number; toMs: number; stepMs: number };
}
interface Dom {
  html(strings: TemplateStringsArray, ...values: unknown[]): { text: string };
}

// From dist/test/controller.
const PAGE = new URL('../../../src/controller/page/', import.meta.url);
const format: Format = await import(new URL('format.js', PAGE).href);
const chart: Chart = await import(new URL('chart.js', PAGE).href);
const site: Site = await import(new URL('site.js', PAGE).href);
const dom: Dom = await import(new URL('dom.js', PAGE).href);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const reads = test.macro<[got: string, want: string]>({
  exec: (t, got, want) => t.is(got, want),
  title: (_, __, want) => `a number or time reads ${want}`,
});
test(reads, format.count(1_234_567), '1,234,567');
test(reads, format.count(999), '999');
test(reads, format.shortCount(0), '0');
test(reads, format.shortCount(20_000), '20k');
test(reads, format.shortCount(1_234), '1.23k');
test(reads, format.shortCount(999_600), '1.00M');
test(reads, format.bytes(0), '0 B');
test(reads, format.bytes(1_500_000), '1.50 MB');
test(reads, format.bytes(99_960), '100 kB');
test(reads, format.bytes(2 ** 50), '1.13 PB');
test(reads, format.flows(1), '1 flow');
test(reads, format.flows(1_200), '1,200 flows');
test(reads, format.share(1, 3), '33.3 %');
test(reads, format.share(1, 1e6), '< 0.1 %');
test(reads, format.share(999_999, 1e6), '99.9 %');
test(reads, format.share(0, 0), '-');
test(reads, format.age(0, 12_000), '12 s ago');
test(reads, format.age(0, 59_700), '59 s ago');
test(reads, format.age(0, 3 * HOUR), '3 h ago');
test(reads, format.age(0, 72 * HOUR), '3 d ago');
test(reads, format.age(5_000, 0), 'just now');
test(reads, format.age(null, 0), 'never');
test(reads, format.zone(-60), 'UTC+1');
test(reads, format.zone(210), 'UTC-3:30');

test('a site is stale after five minutes and silent after an hour', (t) => {
  const word = (last: number | null) => format.condition(last, 2 * HOUR).word;
  t.is(word(2 * HOUR - 5 * MINUTE + 1), 'reporting');
  t.is(word(2 * HOUR - 5 * MINUTE), 'stale');
  t.is(word(HOUR + 1), 'stale');
  t.is(word(HOUR), 'silent');
  t.is(word(null), 'never reported');
});

const entry = (flows: number): Entry => ({ flows, bytesUp: flows, bytesDown: 9 * flows });
const point = (startMs: number, counts: Record<string, number>): Point => ({
  startMs,
  flows: chart.sum(counts),
  unknownFlows: counts.unknown ?? 0,
  classes: Object.fromEntries(
    Object.entries(counts).map(([name, flows]) => [name, entry(flows)]),
  ),
});

test('points fall into the bins of their time, and missing ones leave a gap', (t) => {
  const points = [point(100, { web: 1 }), point(120, { web: 2 }), point(500, { web: 3 })];
  const all = chart.bins({ fromMs: 100, toMs: 130, stepMs: 10, points });
  t.deepEqual(
    all.map((bin) => [bin.startMs, bin.point?.flows]),
    [
      [100, 1],
      [110, undefined],
      [120, 2],
    ],
  );
});

test('layers stand on each other, in flows or in bytes of both directions', (t) => {
  const points = [point(0, { web: 3, mail: 2 }), point(10, { web: 1 })];
  const all = chart.bins({ fromMs: 0, toMs: 20, stepMs: 10, points });
  const { layers, max } = chart.stack(all, ['mail', 'web'], 'flows');
  t.deepEqual(layers, [
    {
      name: 'mail',
      spans: [
        [0, 2],
        [0, 0],
      ],
    },
    {
      name: 'web',
      spans: [
        [2, 5],
        [0, 1],
      ],
    },
  ]);
  t.is(max, 5);
  t.is(chart.stack(all, ['mail', 'web'], 'bytes').max, 50);
  t.is(chart.stack(all, [], 'flows').max, 0);
});

test('the stack is ordered by name, with what the model did not name on top', (t) => {
  t.deepEqual(chart.stackOrder(['web', 'other', 'chat', 'unknown']), [
    'chat',
    'web',
    'unknown',
    'other',
  ]);
});

test('an axis has few round whole values and holds its maximum', (t) => {
  for (const max of [1, 2, 3, 7, 10, 11, 19, 99, 101, 480, 5_001, 76_543, 1e9, 2 ** 50]) {
    const ticks = chart.scale(max);
    const last = ticks.at(-1) ?? 0;
    t.true(last >= max, `${max}`);
    t.true(ticks.length >= 2 && ticks.length <= 6, `${max}: ${ticks}`);
    t.true(ticks.every(Number.isInteger), `${max}: ${ticks}`);
    t.true(last <= 2 * max, `${max}: ${ticks}`);
  }
  t.deepEqual(chart.scale(0), [0, 1]);
});

test('time ticks stand at round local times', (t) => {
  // A zone half an hour off: local midnight is 18:30 of the day before in UTC.
  const ticks = chart.timeTicks({ fromMs: 0, toMs: 24 * HOUR }, 5, -330);
  t.deepEqual(
    ticks.map((at) => at / HOUR),
    [0.5, 6.5, 12.5, 18.5],
  );
  t.true(chart.timeTicks({ fromMs: 0, toMs: 400 * HOUR }, 1, 0).length > 0);
});

test('the share of unknown flows leaves out what was not classified', (t) => {
  t.is(chart.unknownShare(point(0, { web: 3, unknown: 1, other: 6 })), 0.25);
  t.is(chart.unknownShare(point(0, { other: 6 })), undefined);
  t.is(chart.unknownShare(undefined), undefined);
});

test('a class keeps its colour, whichever others are there', (t) => {
  const taken = new Map<string, number>();
  t.is(chart.styleOf('web', taken), 'slot-7');
  t.is(chart.styleOf('unknown', taken), 'unknown');
  const first = chart.styleOf('imap', taken);
  t.not(chart.styleOf('quic-video', taken), first);
  t.is(chart.styleOf('imap', taken), first);
});

test('a position finds the bar that is drawn there', (t) => {
  const place = chart.layout(360, 48);
  for (const index of [0, 1, 20, 47]) {
    t.is(chart.binAt(chart.edgeOf(index, place) + place.bar / 2, place), index);
  }
  t.is(chart.binAt(-100, place), 0);
  t.is(chart.binAt(10_000, place), 47);
});

test('counts come as a number or by reason', (t) => {
  t.is(chart.sum(7), 7);
  t.is(chart.sum({ kernel: 3, 'short-ip-header': 4 }), 7);
});

test('a window ends with the step that is running, and holds whole steps', (t) => {
  for (const range of Object.values(site.RANGES)) {
    const nowMs = 1_700_000_123_456;
    const { fromMs, toMs, stepMs } = site.windowOf(range, nowMs);
    t.true(toMs > nowMs && toMs - nowMs <= stepMs);
    t.is(fromMs % stepMs, 0);
    t.is((toMs - fromMs) % stepMs, 0);
    t.true((toMs - fromMs) / stepMs <= 60);
  }
});

test('text is escaped, markup is not', (t) => {
  const name = `<img src=x onerror="alert('a&b')">`;
  const { text } = dom.html`<p title="${name}">
    ${[dom.html`<b>${1}</b>`, name]}
  </p>`;
  const escaped = '&lt;img src=x onerror=&quot;alert(&#39;a&amp;b&#39;)&quot;&gt;';
  t.is(text, `<p title="${escaped}"><b>1</b>${escaped}</p>`);
});

test('the page refers to nothing outside, and has no script or style in its markup', (t) => {
  const files = readdirSync(PAGE);
  for (const file of files) {
    const text = readFileSync(new URL(file, PAGE), 'utf8');
    // The name space of SVG is a name that nothing fetches.
    const rest = text.replaceAll('http://www.w3.org/2000/svg', '');
    t.notRegex(rest, /https?:|["'(]\/\/|@import|data:\w+\//, file);
    for (const [, module] of text.matchAll(/^import .* from '(.*)';$/gm))
      t.true(files.includes(module?.replace('./', '') ?? ''), `${file}: ${module}`);
  }
  const index = readFileSync(new URL('index.html', PAGE), 'utf8');
  t.notRegex(index, /<style|\sstyle=|\son\w+=|javascript:/i);
  for (const [tag] of index.matchAll(/<script[^>]*>[^<]*/g))
    t.regex(tag, /^<script type="module" src="page\/\w+\.js">$/);
  for (const [, file] of index.matchAll(/(?:src|href)="page\/([^"]+)"/g))
    t.true(files.includes(file ?? ''), file);
});
