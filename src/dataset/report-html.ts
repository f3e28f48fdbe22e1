// report.json -> report.html: one file that needs nothing from outside, light or dark as the reader has it.

import { escaped } from '../plot/escaped.ts';
import type { DatasetReport } from './report.ts';
import { sectionsOf } from './report-sections.ts';
import { REPORT_STYLE } from './report-style.ts';
import { number } from './report-tables.ts';

/** Nothing is fetched, nothing runs, whatever the data say. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function reportHtml(report: DatasetReport): string {
  const title =
    report.split === null ? 'Data set' : `Data set, split ${report.split.name}`;
  const sections = sectionsOf(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escaped(title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p>${overview(report)}</p>
<nav aria-label="Sections"><ul>
${sections.map(({ id, title: words }) => `<li><a href="#${id}">${words}</a></li>`).join('\n')}
</ul></nav>
</header>
<main>
${sections.map(({ id, title: words, body }) => `<section id="${id}" aria-labelledby="${id}-title">\n<h2 id="${id}-title">${words}</h2>\n${body}\n</section>`).join('\n')}
</main>
</body>
</html>
`;
}

function overview({ dataset, rows, split }: DatasetReport): string {
  const facts = [
    `${number(rows.all)} flows of ${number(dataset.captures)} captures (${escaped(dataset.sources.join(', '))})`,
    `${number(rows.labelled)} for training, ${number(rows.unlabelled)} without a label, ${number(rows.infrastructure)} of infrastructure`,
    `content <code>${escaped(dataset.contentSha256.slice(0, 16))}</code>`,
  ];
  if (split !== null) {
    const kind = split.folds === null ? 'parts' : `${split.folds} folds`;
    facts.push(`split into ${kind} by ${escaped(split.by)}, seed ${split.seed}`);
  }
  return `${facts.join('; ')}.`;
}
