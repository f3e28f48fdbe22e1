// The look of report pages: light and dark, nothing that is fetched.

export const PAGE_STYLE = `
  :root { color-scheme: light dark; --paper: #fff; --ink: #1c2733; --muted: #55616e; --grid: #dde3e9; --cell: 11, 98, 164;
    --line-1: #0b62a4; --line-2: #b4540a; --line-3: #2a7d3f; --line-4: #8a3ffc; --line-5: #c01048; --line-6: #6b6b00; }
  @media (prefers-color-scheme: dark) { :root { --paper: #12181f; --ink: #e4eaf0; --muted: #9aa7b4; --grid: #2c3742;
    --cell: 92, 170, 232; --line-1: #5caae8; --line-2: #f0954a; --line-3: #6cc382; --line-4: #b892ff; --line-5: #ff7a9e;
    --line-6: #c9c94a; } }
  body { margin: 0 auto; max-width: 1080px; padding: 24px 20px 60px; background: var(--paper); color: var(--ink);
    font: 15px/1.5 system-ui, sans-serif; }
  h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 8px; } h3 { font-size: 16px; margin: 24px 0 6px; }
  p { max-width: 76ch; margin: 6px 0; } .muted { color: var(--muted); }
  .scroll { overflow-x: auto; } svg { max-width: 100%; height: auto; }
  .charts { display: flex; flex-wrap: wrap; gap: 20px; } .charts > * { flex: 1 1 420px; min-width: 0; }
  table { border-collapse: collapse; margin: 8px 0; font-variant-numeric: tabular-nums; }
  th, td { padding: 4px 10px; white-space: nowrap; border-bottom: 1px solid var(--grid); text-align: right; }
  th:first-child, td:first-child { text-align: left; } th { font-weight: 600; vertical-align: bottom; }
  .matrix td, .matrix th { padding: 3px 7px; text-align: center; border: 1px solid var(--grid); }
  .matrix th:first-child { text-align: right; } .small { font-size: 11px; }
  .small td, .small th { padding: 1px 3px; }
  .tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 16px 0; }
  .tile { border: 1px solid var(--grid); border-radius: 8px; padding: 10px 16px; }
  .tile b { display: block; font-size: 24px; font-weight: 600; }`;
