// View 2: one site's classes over time, with totals.

import * as chart from './chart.js';
import { html } from './dom.js';
import * as format from './format.js';
import { badge } from './sites.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** By its key in the address. */
export const RANGES = {
  '15m': { words: '15 minutes', label: '15 min', spanMs: 15 * MINUTE, stepMs: MINUTE },
  '1h': { words: 'hour', label: '1 h', spanMs: HOUR, stepMs: 2 * MINUTE },
  '6h': { words: '6 hours', label: '6 h', spanMs: 6 * HOUR, stepMs: 10 * MINUTE },
  '24h': { words: '24 hours', label: '24 h', spanMs: 24 * HOUR, stepMs: 30 * MINUTE },
  '7d': { words: '7 days', label: '7 d', spanMs: 168 * HOUR, stepMs: 4 * HOUR },
};
const UNITS = { flows: 'Flows', bytes: 'Bytes' };

/** Whole steps up to the one that is running: bars keep their places from refresh to refresh. */
export function windowOf({ spanMs, stepMs }, nowMs) {
  const toMs = (Math.floor(nowMs / stepMs) + 1) * stepMs;
  return { fromMs: toMs - spanMs, toMs, stepMs };
}

const written = (value, by) =>
  by === 'flows' ? format.flows(value) : format.bytes(value);
const swatch = (name, taken) =>
  html`<span class="swatch ${chart.styleOf(name, taken)}"></span>`;

/** A link that switches one thing in the address and leaves the rest. */
function choice({ name, range, by }, text, change) {
  const wanted = { site: name, range, by, ...change };
  const on = wanted.range === range && wanted.by === by;
  const href = `#${new URLSearchParams(wanted)}`;
  return html`<a href="${href}" ${on ? html`aria-current="true"` : ''}>${text}</a>`;
}

const controls = (state) => html`
  <div class="controls">
    <div class="choices" role="group" aria-label="Counted">
      ${Object.entries(UNITS).map(([by, text]) => choice(state, text, { by }))}
    </div>
    <div class="choices" role="group" aria-label="Range">
      ${Object.entries(RANGES).map(([range, { label }]) => choice(state, label, { range }))}
    </div>
  </div>`;

const legend = ({ hidden, taken }, names) => html`
  <div class="legend" role="group" aria-label="Classes in the chart">
    ${names.map(
      (name) => html`
        <button type="button" data-key="${name}" aria-pressed="${!hidden.has(name)}">
          ${swatch(name, taken)}${name}
        </button>`,
    )}
  </div>`;

/** What is to say of one bin: a heading, shown classes by size, and the rest in words. */
function details({ startMs, point }, names, { by, data, nowMs }) {
  const endMs = startMs + data.stepMs;
  const day = data.toMs - data.fromMs > 12 * HOUR ? `${format.day(startMs)}, ` : '';
  const filling = endMs > nowMs ? ', still filling' : '';
  const entries = names
    .map((name) => [name, chart.amount(point?.classes[name], by)])
    .filter(([, value]) => value > 0)
    .sort((a, b) => b[1] - a[1]);
  const total = chart.sum(entries.map(([, value]) => value));
  const unknown = chart.unknownShare(point);
  const [drops, lost] = [chart.sum(point?.drops), chart.sum(point?.lost)];
  const rest = [point === undefined ? 'nothing reported' : `${written(total, by)} shown`];
  if (unknown !== undefined) rest.push(`${format.share(unknown, 1)} unknown`);
  if (drops > 0) rest.push(`${format.count(drops)} packets dropped`);
  if (lost > 0) rest.push(`${format.count(lost)} lost`);
  const heading = `${day}${format.clock(startMs)} to ${format.clock(endMs)}${filling}`;
  return { heading, entries, rest: rest.join(', ') };
}

const tooltip = ({ heading, entries, rest }, { taken, by }) => html`
  <div class="tooltip" aria-hidden="true">
    <strong>${heading}</strong>
    <table>
      ${entries.map(
        ([name, value]) => html`
          <tr>
            <td>${swatch(name, taken)}${name}</td>
            <td class="number">${written(value, by)}</td>
          </tr>`,
      )}
    </table>
    <p>${rest}</p>
  </div>`;

/** One slider over the bins: arrow keys move it, and its text is what the tooltip shows. */
function figure(state, names, width) {
  const { data, by, taken, cursorMs } = state;
  const all = chart.bins(data);
  const found = all.findIndex(({ startMs }) => startMs === cursorMs);
  const cursor = found < 0 ? undefined : found;
  const at = cursor ?? all.length - 1;
  const told = details(all[at], names, state);
  const texts = told.entries.map(([name, value]) => `${name} ${written(value, by)}`);
  const place = chart.layout(width, all.length);
  return html`
    <div class="chart" id="chart" role="slider" tabindex="0"
      aria-label="${UNITS[by]} by class over time"
      aria-valuemin="0" aria-valuemax="${all.length - 1}" aria-valuenow="${at}"
      aria-valuetext="${[told.heading, told.rest, ...texts].join(', ')}">
      ${chart.drawing({ data, names, by, taken, cursor }, place)}
      ${cursor === undefined ? '' : tooltip(told, state)}
    </div>`;
}

function totals({ data, by, taken, range }) {
  const entries = Object.entries(data.totals)
    .map(([name, entry]) => ({ name, flows: entry.flows, bytes: chart.amount(entry) }))
    .sort((a, b) => b[by] - a[by]);
  const [flows, bytes] = ['flows', 'bytes'].map((key) =>
    chart.sum(entries.map((entry) => entry[key])),
  );
  const row = (first, entry) => html`
    <tr>
      <th scope="row">${first}</th>
      <td class="number">${format.count(entry.flows)}</td>
      <td class="number">${format.share(entry.flows, flows)}</td>
      <td class="number">${format.bytes(entry.bytes)}</td>
      <td class="number">${format.share(entry.bytes, bytes)}</td>
    </tr>`;
  return html`
    <table class="totals">
      <caption>Totals of the last ${RANGES[range].words}</caption>
      <thead>
        <tr>
          <th scope="col">Class</th>
          <th scope="col" class="number">Flows</th>
          <th scope="col" class="number">of flows</th>
          <th scope="col" class="number">Bytes</th>
          <th scope="col" class="number">of bytes</th>
        </tr>
      </thead>
      <tbody>
        ${entries.map((entry) => row([swatch(entry.name, taken), entry.name], entry))}
      </tbody>
      <tfoot>${row('all', { flows, bytes })}</tfoot>
    </table>
    <p class="quiet">
      unknown: the model was not sure enough. other: no handshake was seen, so these
      flows are not classified.
    </p>`;
}

function facts(site, nowMs) {
  const parts = [];
  if (site.lastReportMs !== null)
    parts.push(`last report ${format.age(site.lastReportMs, nowMs)}`);
  if (site.lastEndMs !== null) parts.push(`counts until ${format.clock(site.lastEndMs)}`);
  if (site.model !== null) parts.push(`model ${site.model}`);
  if (site.agentVersion !== null) parts.push(`agent ${site.agentVersion}`);
  return html`<p class="quiet">${[badge(site, nowMs), ...parts.map((part) => ` · ${part}`)]}</p>`;
}

const empty = (site, words) =>
  site?.lastReportMs === null
    ? html`<p class="empty">
        <strong>This site has not reported yet.</strong>
        <span> Counts appear here with the first report of its agent.</span></p>`
    : html`<p class="empty">
        <strong>No flows in the last ${words}.</strong>
        <span> A longer range may show some.</span></p>`;

const ALL_OFF = html`<p data-key="off">Every class is switched off. Press one to show it.</p>`;

function body(state, width) {
  const { site, data, hidden, range, by } = state;
  const counted = ({ flows, drops, lost }) => flows + chart.sum(drops) + chart.sum(lost);
  if (!data.points.some((point) => counted(point) > 0))
    return empty(site, RANGES[range].words);
  const names = chart.stackOrder(data.classes);
  const shown = names.filter((name) => !hidden.has(name));
  return html`
    <h2>${UNITS[by]} in each ${format.span(data.stepMs)}, by class</h2>
    ${legend(state, names)}
    ${shown.length === 0 ? ALL_OFF : ''}${figure(state, shown, width)}${totals(state)}`;
}

/** The view. `state.data` is undefined until the first answer. */
export const siteView = (state, width) => html`
  <p class="back" data-key="back"><a href="#">← All sites</a></p>
  <h1 tabindex="-1" data-key="${state.name}">${state.name}</h1>
  ${state.site === undefined ? '' : facts(state.site, state.nowMs)}
  ${controls(state)}
  ${state.data === undefined ? '' : body(state, width)}`;
