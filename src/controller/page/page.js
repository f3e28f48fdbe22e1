// Routes by the address's fragment, asks the controller every 10 s while the page is seen, and draws what it answered.

import * as api from './api.js';
import { binAt, bins, edgeOf, layout } from './chart.js';
import { html, patch } from './dom.js';
import * as format from './format.js';
import { RANGES, siteView, windowOf } from './site.js';
import { sitesView } from './sites.js';

const REFRESH_MS = 10_000;
const main = document.getElementById('main');
const forget = document.getElementById('forget');
/** What is drawn; `hidden` are classes switched off, `taken` the colours given so far, `cursorMs` the chosen bar. */
const state = { hidden: new Set(), taken: new Map() };
let running = new AbortController();
let timer;

const tokenForm = () => html`
  <form>
    <h1 tabindex="-1" data-key="token">Controller token</h1>
    <p>The admin's token opens this page. It is kept until this tab is closed.</p>
    <label for="token">Token</label>
    <input id="token" name="token" type="password" autocomplete="off" required
      ${state.problem ? html`aria-describedby="problem"` : ''}>
    <button type="submit">Open</button>
  </form>`;

function problemBanner() {
  const { problem, updatedMs } = state;
  if (problem === undefined) return '';
  const parts = [problem.message.replace(/\.?$/, '.')];
  if (updatedMs)
    parts.push(`Shown is what was known at ${format.clock(updatedMs, true)}.`);
  if (api.token() !== null) parts.push('Trying again every 10 seconds.');
  return html`<div class="problem" role="alert" id="problem" data-key="problem">${parts.join(' ')}</div>`;
}

function freshness({ updatedMs, problem }) {
  if (updatedMs === undefined) return problem ? '' : 'Loading…';
  return `Updated ${format.clock(updatedMs, true)}, every 10 seconds; times in ${format.zone()}`;
}

function placeTooltip() {
  const tooltip = main.querySelector('.tooltip');
  if (tooltip === null) return;
  const all = bins(state.data);
  const place = layout(main.clientWidth, all.length);
  const edge = edgeOf(
    all.findIndex(({ startMs }) => startMs === state.cursorMs),
    place,
  );
  const width = tooltip.offsetWidth;
  const [left, right] = [edge - width - 10, edge + place.bar + 10];
  const most = Math.max(0, place.width - width);
  tooltip.style.setProperty(
    'left',
    `${right <= most || left < 0 ? Math.min(right, most) : left}px`,
  );
  // On a phone it fits on neither side: below the bars it hides strips, but not the chosen bar.
  if (right > most && left < 0)
    tooltip.style.setProperty('top', `${place.share.top - 24}px`);
}

function render() {
  const asked = api.token() === null;
  state.nowMs = api.now();
  forget.hidden = asked;
  document.title = state.name && !asked ? `${state.name} - Sluice` : 'Sluice';
  const view = () =>
    state.name ? siteView(state, main.clientWidth) : sitesView(state.sites, state.nowMs);
  patch(
    main,
    html`${problemBanner()}${asked ? tokenForm() : view()}
      <p class="quiet" data-key="freshness">${asked ? '' : freshness(state)}</p>`,
  );
  placeTooltip();
  const place = asked ? '#token' : `h1[data-key="${CSS.escape(state.name || 'sites')}"]`;
  // Whoever listens to the page rather than seeing it learns that another view is there.
  if (place !== state.place) main.querySelector(place)?.focus();
  state.place = place;
}

async function load(signal) {
  if (!state.name) return { sites: await api.getSites(signal) };
  const wanted = windowOf(RANGES[state.range], api.now());
  const [sites, data] = await Promise.all([
    api.getSites(signal),
    api.getClasses(state.name, wanted, signal),
  ]);
  return { sites, data, site: sites.find(({ name }) => name === state.name) };
}

async function refresh() {
  clearTimeout(timer);
  running.abort();
  running = new AbortController();
  const { signal } = running;
  if (api.token() === null || document.hidden) return;
  try {
    const answer = await load(signal);
    Object.assign(state, answer, { problem: undefined, updatedMs: api.now() });
  } catch (error) {
    if (signal.aborted) return;
    state.problem = error;
    if (error.status === 401) signOut();
  }
  render();
  timer = setTimeout(refresh, REFRESH_MS);
}

function signOut() {
  api.forgetToken();
  Object.assign(state, {
    sites: undefined,
    site: undefined,
    data: undefined,
    updatedMs: undefined,
  });
}

function route() {
  api.takeTokenFromAddress();
  const fragment = new URLSearchParams(location.hash.slice(1));
  const name = fragment.get('site') ?? '';
  const range = Object.hasOwn(RANGES, fragment.get('range') ?? '')
    ? fragment.get('range')
    : '1h';
  const by = fragment.get('by') === 'bytes' ? 'bytes' : 'flows';
  if (name !== state.name || range !== state.range) {
    const site = state.sites?.find((each) => each.name === name);
    Object.assign(state, {
      site,
      data: undefined,
      cursorMs: undefined,
      problem: undefined,
      updatedMs: undefined,
    });
  }
  Object.assign(state, { name, range, by });
  render();
  refresh();
}

function moveCursor(cursorMs) {
  if (cursorMs === state.cursorMs) return;
  state.cursorMs = cursorMs;
  render();
}

function onPointer(event) {
  const chart = event.target.closest('#chart');
  if (chart === null || !state.data) return;
  const all = bins(state.data);
  const x = event.clientX - chart.getBoundingClientRect().left;
  moveCursor(all[binAt(x, layout(main.clientWidth, all.length))]?.startMs);
}

function onKey(event) {
  if (event.target.id !== 'chart' || !state.data) return;
  const all = bins(state.data);
  const last = all.length - 1;
  const found = all.findIndex(({ startMs }) => startMs === state.cursorMs);
  const at = found < 0 ? last : found;
  const keys = {
    ArrowLeft: at - 1,
    ArrowDown: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at + 1,
  };
  Object.assign(keys, { Home: 0, End: last, PageUp: at + 5, PageDown: at - 5 });
  if (event.key === 'Escape') return moveCursor(undefined);
  if (!Object.hasOwn(keys, event.key) || event.altKey || event.ctrlKey || event.metaKey)
    return;
  event.preventDefault();
  moveCursor(all[Math.min(Math.max(keys[event.key], 0), last)].startMs);
}

main.addEventListener('pointermove', onPointer);
main.addEventListener('pointerdown', onPointer);
main.addEventListener('pointerout', (event) => {
  const inside = event.relatedTarget?.closest?.('#chart');
  if (!inside && document.activeElement?.id !== 'chart') moveCursor(undefined);
});
main.addEventListener('keydown', onKey);
main.addEventListener('focusin', ({ target }) => {
  const last =
    target.id === 'chart' && state.data?.points.findLast(({ flows }) => flows > 0);
  if (last && state.cursorMs === undefined) moveCursor(last.startMs);
});
main.addEventListener('focusout', ({ target }) => {
  if (target.id === 'chart') moveCursor(undefined);
});
main.addEventListener('click', ({ target }) => {
  const name = target.closest('.legend button')?.dataset.key;
  if (name === undefined) return;
  if (!state.hidden.delete(name)) state.hidden.add(name);
  render();
});
main.addEventListener('submit', (event) => {
  event.preventDefault();
  api.keepToken(new FormData(event.target).get('token').trim());
  state.problem = undefined;
  render();
  refresh();
});
forget.addEventListener('click', () => {
  signOut();
  state.problem = undefined;
  running.abort();
  render();
});
document.addEventListener('visibilitychange', refresh);
addEventListener('hashchange', route);
new ResizeObserver(render).observe(main);
route();
