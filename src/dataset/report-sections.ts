// What report.html says, section by section. Every picture has its numbers in a table beside it; every text that came with the data is
// escaped.

import { barSvg } from '../plot/bar-svg.ts';
import { boxSvg } from '../plot/box-svg.ts';
import { escaped } from '../plot/escaped.ts';
import type { Estimate } from './audit-score.ts';
import { type DatasetReport, NO_PART } from './report.ts';
import { percent } from './report-checks.ts';
import { MEASURES } from './report-rows.ts';
import {
  countTable,
  number,
  paragraph,
  table,
  total,
  wholePercent,
} from './report-tables.ts';

const VALUES_SHOWN = 12;

interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: string;
}

export function sectionsOf(report: DatasetReport): Section[] {
  return [
    checks(report),
    classes(report),
    flows(report),
    distributions(report),
    duplicates(report),
    audit(report),
  ];
}

function checks({ checks: all }: DatasetReport): Section {
  const items = all.map(({ name, ok, words }) => {
    const [mark, kind] =
      ok === null ? ['Note', 'note'] : ok ? ['Good', 'good'] : ['Look', 'bad'];
    return `<li class="${kind}"><strong>${mark}</strong> <span>${escaped(name)}: ${escaped(words)}</span></li>`;
  });
  return {
    id: 'checks',
    title: 'Checks',
    body: `<ul class="checks">\n${items.join('\n')}\n</ul>`,
  };
}

function classNames(report: DatasetReport): string[] {
  return [...new Set(Object.values(report.parts).flatMap(Object.keys))].sort();
}

function classes(report: DatasetReport): Section {
  const parts = Object.entries(report.parts).filter(
    ([part, of]) => part !== NO_PART && total(of) > 0,
  );
  const bars = classNames(report).flatMap((name) =>
    parts.map(([part, of], i) => ({
      label: parts.length === 1 ? name : `${name}, ${part}`,
      value: (of[name] ?? 0) / total(of),
      tone: (i % TONES) + 1,
    })),
  );
  const plot = barSvg(bars, {
    title: 'Share of each class in each part; the numbers are in the table below',
    most: 0,
    axis: 'share of the flows of the part',
    format: wholePercent,
    tick: wholePercent,
  });
  const crossed = Object.entries(report.balance).map(([field, counts]) => {
    const all = Object.entries(counts).sort(([, a], [, b]) => total(b) - total(a));
    const rest = all.length - VALUES_SHOWN;
    const more = rest > 0 ? `, the ${VALUES_SHOWN} most common of ${all.length}` : '';
    return countTable(
      `Flows by ${field} and class${more}`,
      field,
      Object.fromEntries(all.slice(0, VALUES_SHOWN)),
    );
  });
  return {
    id: 'classes',
    title: 'Classes',
    body: [
      ...(parts.length > PARTS_DRAWN ? [] : [plot]),
      countTable('Flows by part and class', 'part', report.parts),
      ...crossed,
    ].join('\n'),
  };
}
const TONES = 4;
/** More would be a picture of lines. */
const PARTS_DRAWN = 4;

function flows({ packetBands }: DatasetReport): Section {
  const first = (band: string): number => Number.parseInt(band, 10);
  const bands = Object.entries(packetBands).sort(([a], [b]) => first(a) - first(b));
  const plot = barSvg(bars(bands), {
    title: 'Flows by number of packets; the numbers are in the table below',
    most: 0,
    axis: 'flows',
    format: number,
    tick: number,
  });
  return {
    id: 'packets',
    title: 'Packets of a flow',
    body: `${plot}\n${countTable('Flows by number of packets, both ways, and class', 'packets', Object.fromEntries(bands.map(([band, of]) => [bandText(band), of])))}`,
  };
}

function bars(bands: readonly [string, Readonly<Record<string, number>>][]) {
  return bands.map(([band, of]) => ({
    label: `${bandText(band)} packets`,
    value: total(of),
    tone: 1,
  }));
}

function bandText(band: string): string {
  const [from = '', to = ''] = band.split('-');
  return to === '' ? `${number(Number(from))} and more` : `${from} to ${to}`;
}

function distributions(report: DatasetReport): Section {
  const body = MEASURES.map(({ name, words, unit }) => {
    const byClass = Object.entries(report.distributions[name] ?? {});
    const plot = boxSvg(
      byClass.map(([label, { at }]) => ({ label, at })),
      `${words}, by class; the numbers are in the table below`,
      `${words}, ${unit}: 5% to 95%, the middle half, the median`,
    );
    const rows = byClass.map(([label, { count, at }]) => [
      label,
      number(count),
      ...at.map((value) => number(value)),
    ]);
    const heads = report.quantiles.map((share) => `${100 * share}%`);
    const caption = `${words} (${unit}): quantiles by class`;
    const numbers = table(caption, ['class', 'values', ...heads], rows);
    return `<h3>${escaped(words[0]?.toUpperCase() + words.slice(1))}</h3>\n${plot}\n<details><summary>Numbers</summary>\n${numbers}\n</details>`;
  });
  const note =
    'Sizes and times of packets are those of the first 100 of a flow. Quantiles are right to 1%.';
  return {
    id: 'sizes',
    title: 'Sizes and times',
    body: [paragraph(note), ...body].join('\n'),
  };
}

function duplicates(report: DatasetReport): Section {
  const { within, across, definition } = report.duplicates;
  const share = percent(within.rows / Math.max(1, report.rows.labelled));
  const words = [
    `A near copy: ${Math.round(100 * definition.alikeShare)}% of the first ${definition.packets} packets with payload are alike within ${definition.toleranceBytes} bytes, and so are, within ${Math.round(100 * definition.totalsTolerance)}%, the bytes of the whole flows.`,
    `${number(within.rows)} flows (${share}) have one with the same label somewhere in the data set; of ${number(within.contradicting)} more all near copies bear another label.`,
  ];
  if (across !== null) {
    words.push(
      `${number(across.rows)} flows of validation and test have one with the same label where they must be new; ${number(across.left)} of them judge all the same. ${number(across.contradicting)} have near copies with other labels only, and judge.`,
    );
  }
  const rows = report.ceiling.map((c) => [
    String(c.packets),
    percent(c.accuracy),
    number(c.sequences),
    number(c.repeated),
    number(c.contradicted),
  ]);
  const plot = barSvg(
    report.ceiling.map((c) => ({
      label: `first ${c.packets} packets`,
      value: c.accuracy,
      tone: 1,
    })),
    {
      title:
        'Ceiling of accuracy by number of packets; the numbers are in the table below',
      most: 1,
      axis: 'accuracy that nothing which sees sizes and directions alone can exceed',
      format: percent,
      tick: wholePercent,
    },
  );
  return {
    id: 'duplicates',
    title: 'Copies and the ceiling',
    body: [
      ...words.map(paragraph),
      plot,
      table(
        'Ceiling: flows with equal sizes get the class that most of them have',
        ['packets', 'ceiling', 'sequences', 'flows not alone', 'with several classes'],
        rows,
      ),
    ].join('\n'),
  };
}

function estimateText({ value, interval }: Estimate): string {
  if (interval === undefined) return percent(value);
  return `${percent(value)} (${percent(interval[0])} to ${percent(interval[1])})`;
}

function audit({ audit: found, nearest }: DatasetReport): Section {
  const neighbours = nearest.map((n) => ({
    label: `1-NN, sizes of ${n.packets} packets`,
    value: n.balancedAccuracy.value,
    ...(n.balancedAccuracy.interval && { interval: n.balancedAccuracy.interval }),
    tone: 3,
  }));
  const fields = found.fields.map((f) => ({
    label: `${f.field}, ${f.fitted}`,
    value: f.balancedAccuracy.value,
    ...(f.balancedAccuracy.interval && { interval: f.balancedAccuracy.interval }),
    tone: f.verdict === 'as chance' ? 1 : 2,
  }));
  const plot = barSvg([...neighbours, ...fields], {
    title: 'Balanced accuracy of each field alone; the numbers are in the table below',
    most: 1,
    axis: 'balanced accuracy on rows that did not teach, with a 95% interval',
    format: percent,
    tick: wholePercent,
    marks: [{ value: found.chance, label: 'chance' }],
  });
  const rows = found.fields.map((f) => [
    f.field,
    f.fitted,
    estimateText(f.balancedAccuracy),
    estimateText(f.accuracy),
    number(f.values),
    percent(f.known),
    f.verdict,
    f.words,
  ]);
  const base = nearest.map((n) => [
    `first ${n.packets} packets`,
    estimateText(n.balancedAccuracy),
    estimateText(n.accuracy),
    `${number(n.train)}, ${number(n.test)}${n.sampled ? ' (sampled)' : ''}`,
  ]);
  const unknown =
    found.unknown.length === 0
      ? []
      : [paragraph(`Known of no flow: ${escaped(found.unknown.join(', '))}.`)];
  const heads = ['field', 'by', 'balanced accuracy', 'accuracy', 'values'];
  return {
    id: 'shortcuts',
    title: 'Shortcuts',
    body: [
      paragraph(
        `What one field alone tells of the class, by a table of its values or a tree of cuts. ${escaped(found.by)}; ${number(found.asked)} flows were asked. Always the commonest class is right ${percent(found.majority)} of the time; balanced chance is ${percent(found.chance)}. Intervals are by ${escaped(found.intervalBy)}. Bars in the second colour: well above chance, as the table says. The nearest neighbour by sizes is the base line that a model has to beat.`,
      ),
      plot,
      table(
        'Fields alone, best first',
        [...heads, 'seen before', 'verdict', 'what it is'],
        rows,
      ),
      table(
        'Nearest neighbour by signed sizes',
        ['sees', 'balanced accuracy', 'accuracy', 'flows that teach, asked'],
        base,
      ),
      ...unknown,
    ].join('\n'),
  };
}
