// Parts of report pages. Text is escaped here; markup is a string that came from here or from a chart.

import { escaped, percent } from './markup.ts';
import { PAGE_STYLE } from './page-style.ts';

/** A whole page that needs nothing else and may fetch nothing: its policy says so to the browser. */
export function page(title: string, body: readonly string[]): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(title)}</title>
<style>${PAGE_STYLE}
</style>
</head>
<body>
${body.join('\n')}
</body>
</html>
`;
}

export function paragraph(text: string, kind?: 'muted'): string {
  return `<p${kind === undefined ? '' : ` class="${kind}"`}>${escaped(text)}</p>`;
}

export function heading(level: 1 | 2 | 3, text: string): string {
  return `<h${level}>${escaped(text)}</h${level}>`;
}

/** Cells are text. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = (tag: string, own: readonly string[]) =>
    own.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join('');
  return [
    '<div class="scroll"><table>',
    `<thead><tr>${cells('th', head)}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')}</tbody>`,
    '</table></div>',
  ].join('\n');
}

/** Figures at a glance: a number and what it is. */
export function tiles(
  figures: readonly (readonly [value: string, what: string])[],
): string {
  const each = figures.map(
    ([value, what]) => `<div class="tile"><b>${escaped(value)}</b>${escaped(what)}</div>`,
  );
  return `<div class="tiles">${each.join('')}</div>`;
}

export function charts(drawings: readonly string[]): string {
  return `<div class="charts">${drawings.map((svg) => `<div>${svg}</div>`).join('')}</div>`;
}

/** Up to so many classes each cell has its number. */
const NUMBERED = 20;

/** Rows: labels, columns: predictions; the darker, the larger its share of the row. */
export function confusionMatrix(
  confusion: readonly (readonly number[])[],
  classes: readonly string[],
): string {
  const small = classes.length > NUMBERED;
  const rows = confusion.map((row, k) => {
    const flows = row.reduce((a, b) => a + b, 0);
    const cells = row.map((count, j) => {
      const share = count / Math.max(flows, 1);
      const title = `${classes[k]} taken for ${classes[j]}: ${count}`;
      const text = small ? '' : count === 0 ? '' : String(count);
      // Never so dark that ink cannot be read on it.
      return `<td style="background:rgba(var(--cell),${(0.55 * share).toFixed(3)})" title="${escaped(title)}">${text}</td>`;
    });
    return `<tr><th>${escaped(classes[k] ?? '')}</th>${cells.join('')}</tr>`;
  });
  const head = classes.map((name) => (small ? '<th></th>' : `<th>${escaped(name)}</th>`));
  return `<div class="scroll"><table class="matrix${small ? ' small' : ''}"><thead><tr><th>label \\ answer</th>${head.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

export function interval([low, high]: readonly [number, number]): string {
  return `${percent(low)} to ${percent(high)}`;
}
