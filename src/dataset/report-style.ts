// How report.html looks. Text has a contrast of 4.5:1 at least on either ground; tones differ for any colour vision, and no
// meaning hangs on colour alone.

export const REPORT_STYLE = `
:root { --ground: #fff; --panel: #f4f6f8; --ink: #1c2733; --muted: #55616e; --grid: #dde3e9; --line: #1c2733;
  --tone-1: #2b6cb0; --tone-2: #c2510c; --tone-3: #4d7c3a; --tone-4: #7a4fa3; --good: #2f6b2a; --bad: #a3320b; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14191f; --panel: #1e252d; --ink: #e6ebf0; --muted: #a3b0bd; --grid: #303a45; --line: #e6ebf0;
    --tone-1: #5b9ee0; --tone-2: #f08a45; --tone-3: #86b86f; --tone-4: #b893dd; --good: #8cc984; --bad: #f59b72; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 .5rem; font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; padding-top: .5rem; border-top: 1px solid var(--grid); font-size: 1.25rem; }
h3 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
a { color: var(--tone-1); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.checks { margin: 0; padding: 0; list-style: none; }
.checks li { display: flex; gap: .75rem; padding: .3rem .75rem; border-left: 4px solid var(--grid); margin-bottom: .25rem; background: var(--panel); }
.checks strong { min-width: 3rem; }
.checks .good { border-color: var(--good); } .checks .good strong { color: var(--good); }
.checks .bad { border-color: var(--bad); } .checks .bad strong { color: var(--bad); }
.wide { overflow-x: auto; margin: .75rem 0 1.5rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { padding: .25rem 0; text-align: left; font-weight: 600; }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--grid); text-align: right; vertical-align: top; }
th[scope=row], thead th:first-child { text-align: left; font-weight: 400; overflow-wrap: anywhere; }
thead th { color: var(--muted); font-weight: 600; }
#shortcuts td { white-space: nowrap; } #shortcuts td:last-child { text-align: left; }
summary { cursor: pointer; color: var(--muted); }
.plot { display: block; width: 100%; height: auto; margin: .5rem 0; }
.plot text { fill: var(--ink); font: 13px system-ui, sans-serif; }
.plot .muted { fill: var(--muted); }
.plot .grid { stroke: var(--grid); }
.plot .mark { stroke: var(--ink); stroke-dasharray: 4 3; }
.plot .whisker { stroke: var(--line); stroke-width: 1.4; }
.plot .median { stroke: var(--line); stroke-width: 2.5; }
.tone-1 { fill: var(--tone-1); } .tone-2 { fill: var(--tone-2); } .tone-3 { fill: var(--tone-3); } .tone-4 { fill: var(--tone-4); }
@media print { body { max-width: none; } }
`;
