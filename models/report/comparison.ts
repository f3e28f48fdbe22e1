// Runs side by side, a row each, as the paper's table: accuracy, F1, seconds an epoch; and networks over their seeds.

import { overSeeds } from '../evaluate/bootstrap.ts';
import type { Evaluation } from '../evaluate/evaluation-report.ts';
import { heading, interval, paragraph, table } from './html.ts';
import { percent } from './markup.ts';

const HEAD = [
  'run',
  'network',
  'seed',
  'accuracy',
  'interval',
  'macro F1',
  'weighted F1',
  'seconds an epoch',
  'parameters',
  'µs a flow, batches of 32',
];

function comparisonRows(evaluations: readonly Evaluation[]): string[][] {
  return evaluations.map(({ run, headline, intervals, cost }) => [
    run.name,
    run.network,
    String(run.seed),
    percent(headline.accuracy, 2),
    interval(intervals.accuracy),
    percent(headline.macroF1, 2),
    percent(headline.weightedF1, 2),
    run.secondsAnEpoch.toFixed(1),
    run.parameters.toLocaleString('en'),
    (cost.batchFlows.at(-1)?.microsecondsAFlow ?? Number.NaN).toFixed(0),
  ]);
}

export function comparisonTable(evaluations: readonly Evaluation[]): string {
  return table(HEAD, comparisonRows(evaluations));
}

/** The same for terminals. */
export function comparisonText(evaluations: readonly Evaluation[]): string {
  const rows = [HEAD, ...comparisonRows(evaluations)];
  const widths = HEAD.map((_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, c) =>
          c < 2 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Same network, options, classes and test flows; only the seed is another. */
function seedGroups(evaluations: readonly Evaluation[]): Evaluation[][] {
  const groups = new Map<string, Evaluation[]>();
  for (const evaluation of evaluations) {
    const { network, options, classes } = evaluation.run;
    const { dataSha256, split } = evaluation.data;
    const key = JSON.stringify([network, options, classes, dataSha256, split]);
    groups.set(key, [...(groups.get(key) ?? []), evaluation]);
  }
  return [...groups.values()];
}

/** Networks of which several seeds are there; empty where there are none. */
export function seedTable(evaluations: readonly Evaluation[]): string {
  const groups = seedGroups(evaluations).filter((group) => group.length > 1);
  if (groups.length === 0) return '';
  const figure = (group: readonly Evaluation[], key: keyof Evaluation['headline']) => {
    const { mean, half } = overSeeds(group.map(({ headline }) => headline[key]));
    return `${percent(mean, 2)} ± ${(100 * (half ?? 0)).toFixed(2)}`;
  };
  return [
    heading(3, 'Over seeds'),
    paragraph('Mean, and half the width of its 95% interval.', 'muted'),
    table(
      ['network', 'runs', 'accuracy', 'macro F1', 'weighted F1'],
      groups.map((group) => [
        group[0]?.run.network ?? '',
        group.map(({ run }) => run.name).join(', '),
        figure(group, 'accuracy'),
        figure(group, 'macroF1'),
        figure(group, 'weightedF1'),
      ]),
    ),
  ].join('\n');
}
