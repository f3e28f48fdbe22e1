// View 1: every site with its last report.

import { html } from './dom.js';
import * as format from './format.js';

/** `reporting`, `stale`, `silent`: a shape and a word, coloured. */
export function badge(site, nowMs) {
  const { key, word, shape } = format.condition(site.lastReportMs, nowMs);
  return html`<span class="badge ${key}"><span aria-hidden="true">${shape}</span> ${word}</span>`;
}

/** `3 sites: 1 reporting, 2 silent`. */
function summary(sites, nowMs) {
  const words = sites.map((site) => format.condition(site.lastReportMs, nowMs).word);
  const parts = ['reporting', 'stale', 'silent', 'never reported']
    .filter((word) => words.includes(word))
    .map((word) => `${words.filter((other) => other === word).length} ${word}`);
  return `${sites.length} ${sites.length === 1 ? 'site' : 'sites'}: ${parts.join(', ')}`;
}

// Roles are written out: the narrow layout lays rows out as a grid, and browsers then forget that this is a table.
const row = (site, nowMs) => html`
  <tr role="row" data-key="${site.name}">
    <th role="rowheader" scope="row">
      <a href="#site=${encodeURIComponent(site.name)}">${site.name}</a>
    </th>
    <td role="cell" class="status">${badge(site, nowMs)}</td>
    <td role="cell" data-label="Last report">${format.age(site.lastReportMs, nowMs)}</td>
    <td role="cell" data-label="Flows" class="number">${format.count(site.flows)}</td>
    <td role="cell" data-label="Reports" class="number">${format.count(site.reports)}</td>
    <td role="cell" data-label="Agent">${site.agentVersion ?? '-'}</td>
    <td role="cell" data-label="Model" class="model">${site.model ?? '-'}</td>
  </tr>`;

const table = (sites, nowMs) => html`
  <p class="quiet">${summary(sites, nowMs)}</p>
  <table class="sites" role="table" aria-label="Sites">
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader" scope="col">Site</th>
        <th role="columnheader" scope="col">Status</th>
        <th role="columnheader" scope="col">Last report</th>
        <th role="columnheader" scope="col" class="number">Flows</th>
        <th role="columnheader" scope="col" class="number">Reports</th>
        <th role="columnheader" scope="col">Agent</th>
        <th role="columnheader" scope="col">Model</th>
      </tr>
    </thead>
    <tbody role="rowgroup">${sites.map((site) => row(site, nowMs))}</tbody>
  </table>
  <p class="quiet">
    A site is stale after 5 minutes without a report and silent after an hour.
  </p>`;

const NONE = html`
  <p class="empty">
    <strong>No site is enrolled yet.</strong>
    <span> Enrol an agent, and its site appears here.</span>
  </p>`;

const byName = (a, b) => (a.name < b.name ? -1 : 1);

/** The view; `sites` is undefined until the first answer. */
export const sitesView = (sites, nowMs) => html`
  <h1 tabindex="-1" data-key="sites">Sites</h1>
  ${sites === undefined ? '' : sites.length === 0 ? NONE : table([...sites].sort(byName), nowMs)}`;
