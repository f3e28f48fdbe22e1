// Figures -> HTML: numbers, tables with captions. All text is escaped here.

import { escaped } from '../plot/escaped.ts';
import type { DatasetReport } from './report.ts';

export const number = (value: number): string => value.toLocaleString('en-US');
export const wholePercent = (share: number): string => `${Math.round(100 * share)}%`;
export const paragraph = (text: string): string => `<p>${text}</p>`;

/** @param cells of a row; the first one heads it */
export function table(
  caption: string,
  heads: readonly string[],
  cells: readonly (readonly string[])[],
): string {
  const head = heads.map((text) => `<th scope="col">${escaped(text)}</th>`).join('');
  const body = cells.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${escaped(first)}</th>${rest.map((text) => `<td>${escaped(text)}</td>`).join('')}</tr>`,
  );
  return `<div class="wide" tabindex="0" role="group" aria-label="${escaped(caption)}"><table>\n<caption>${escaped(caption)}</caption>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table></div>`;
}

type Counts = DatasetReport['parts'];

export function total(counts: Readonly<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
}

/** Values by class, the most common first. */
export function countTable(caption: string, head: string, counts: Counts): string {
  const names = [...new Set(Object.values(counts).flatMap(Object.keys))].sort();
  const rows = Object.entries(counts).map(([value, of]) => [
    value,
    ...names.map((name) => number(of[name] ?? 0)),
    number(total(of)),
  ]);
  return table(caption, [head, ...names, 'all'], rows);
}
