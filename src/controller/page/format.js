// Numbers and times as people read them. No locale tables: the page looks the same everywhere.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A site is stale from here on, and silent from `SILENT_MS` on. */
const STALE_MS = 5 * MINUTE;
const SILENT_MS = HOUR;

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const two = (number) => String(number).padStart(2, '0');

/** 1234567 -> `1,234,567`. */
export const count = (number) =>
  String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ',');

/** Three digits and a prefix. */
function scaled(number, prefixes) {
  let [value, step] = [number, 0];
  // 999.5 would be printed as 1000.
  while (value >= 999.5 && step < prefixes.length - 1) {
    value /= 1000;
    step += 1;
  }
  const places = Number.isInteger(value) || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return [value.toFixed(places), prefixes[step]];
}

/** 12300 -> `12.3k`, 12000 -> `12k`. */
export const shortCount = (number) => scaled(number, ['', 'k', 'M', 'G', 'T']).join('');

/** 1500000 -> `1.50 MB`; powers of 1000. */
export const bytes = (number) =>
  scaled(number, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']).join(' ');

/** `1 flow`, `2 flows`. */
export const flows = (number) => `${count(number)} ${number === 1 ? 'flow' : 'flows'}`;

/** Part of whole: `12.3 %`; a part that is there is never `0 %`; `-` without a whole. */
export function share(part, whole) {
  if (!(whole > 0)) return '-';
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent === 100 ? 100 : Math.min(percent, 99.9).toFixed(1)} %`;
}

/** A span in its largest fitting unit: `12 s`, `4 min`, `3 h`, `2 d`. */
export function span(ms) {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** `just now`, `12 s ago`, `never`. Clocks that run ahead count as now. */
export function age(thenMs, nowMs) {
  if (thenMs === null) return 'never';
  return nowMs - thenMs < 2 * SECOND ? 'just now' : `${span(nowMs - thenMs)} ago`;
}

/** How a site is by the age of its last report; each has a word and a shape beside its colour. */
export function condition(lastReportMs, nowMs) {
  if (lastReportMs === null) return { key: 'never', word: 'never reported', shape: '○' };
  const old = nowMs - lastReportMs;
  if (old >= SILENT_MS) return { key: 'silent', word: 'silent', shape: '■' };
  if (old >= STALE_MS) return { key: 'stale', word: 'stale', shape: '▲' };
  return { key: 'fresh', word: 'reporting', shape: '●' };
}

/** Local time: `14:05`, with seconds `14:05:09`. */
export function clock(ms, withSeconds = false) {
  const date = new Date(ms);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return withSeconds ? `${time}:${two(date.getSeconds())}` : time;
}

/** Local day: `Mon 24`. */
export const day = (ms) => `${DAYS[new Date(ms).getDay()]} ${new Date(ms).getDate()}`;

/** Local time zone now: `UTC+1`, `UTC-3:30`. */
export function zone(offsetMinutes = new Date().getTimezoneOffset()) {
  const minutes = Math.abs(offsetMinutes);
  const rest = minutes % 60 === 0 ? '' : `:${two(minutes % 60)}`;
  return `UTC${offsetMinutes > 0 ? '-' : '+'}${Math.floor(minutes / 60)}${rest}`;
}
