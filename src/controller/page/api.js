// The controller's answers, and the token that asks for them. The token stays in this tab: sessionStorage ends with it.

const KEY = 'sluice-token';
const TIMEOUT_MS = 15_000;
let clockOffsetMs = 0;

/** Why an answer did not come. `status` is 0 when there was no answer at all. */
class Problem extends Error {
  constructor(status, title, detail) {
    super(detail ? `${title}: ${detail}` : title);
    Object.assign(this, { status, title, detail });
  }
}

export const token = () => sessionStorage.getItem(KEY);
export const keepToken = (value) => sessionStorage.setItem(KEY, value);
export const forgetToken = () => sessionStorage.removeItem(KEY);

/** The controller's clock, as far as its last answer told: ages are wrong by the browser's own. */
export const now = () => Date.now() + clockOffsetMs;

/** Moves a token out of the address, where it would be kept in history and bookmarks. */
export function takeTokenFromAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const found = fragment.get('token');
  if (found === null) return;
  if (found !== '') keepToken(found.trim());
  fragment.delete('token');
  const rest = fragment.toString();
  const address = location.pathname + location.search + (rest === '' ? '' : `#${rest}`);
  history.replaceState(null, '', address);
}

function header(value) {
  // A header holds Latin-1 without line ends; fetch would throw a puzzling TypeError.
  if (!/^[\x21-\x7e]+$/.test(value))
    throw new Problem(401, 'Not a token', 'A token is letters, digits and signs.');
  return { authorization: `Bearer ${value}`, accept: 'application/json' };
}

async function problemOf(answer) {
  const body = await answer.json().catch(() => undefined);
  const title = body?.title ?? `The controller answered ${answer.status}`;
  return new Problem(answer.status, String(title), body?.detail ?? '');
}

/** Throws `Problem`, or an `AbortError` when `signal` ended it. */
async function get(path, signal) {
  const headers = header(token() ?? '');
  try {
    const answer = await fetch(new URL(path, document.baseURI), {
      headers,
      cache: 'no-store',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const date = Date.parse(answer.headers.get('date') ?? '');
    // The header has whole seconds: a smaller offset is none.
    if (Math.abs(date - Date.now()) > 2000) clockOffsetMs = date - Date.now();
    else clockOffsetMs = 0;
    if (!answer.ok) throw await problemOf(answer);
    return await answer.json();
  } catch (error) {
    if (signal.aborted || error instanceof Problem) throw error;
    if (error.name === 'TimeoutError')
      throw new Problem(0, 'The controller did not answer in time', '');
    throw new Problem(
      0,
      error instanceof SyntaxError
        ? 'The controller sent something unreadable'
        : 'The controller cannot be reached',
      '',
    );
  }
}

export const getSites = async (signal) => (await get('v1/sites', signal)).sites;

export const getClasses = (site, { fromMs, toMs, stepMs }, signal) =>
  get(
    `v1/sites/${encodeURIComponent(site)}/classes?from=${fromMs}&to=${toMs}&step=${stepMs}`,
    signal,
  );
