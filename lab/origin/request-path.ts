// How a request says what the server is to do. It says so inside the encrypted stream, so nobody on the way sees it;
// players in other languages build the same paths (go/player, players/python).
//
//   GET  /g/DOWN/HOLD/RATE[/PUSH]?PADDING     DOWN bytes after HOLD ms at RATE kB/s; with PUSH a stream of pushes
//   POST /u/DOWN/HOLD                         DOWN bytes HOLD ms after the whole body has come
//   GET  /p/DOWN/HOLD?o=HOST_DOWN_HOLD,...    a document of DOWN bytes that shows these objects
//   GET  /h/FILM/FILE                         a film's playlists and segments (films.ts)
//   POST /w                                   two browsers find each other (signalling.ts)
//   GET  /c                                   a WebSocket; POST /s: a stream both ways, of framed messages
//
// Messages of a client on a channel: `AFTER.BYTES_AFTER.BYTES|PADDING`, the answers wanted; the first is
// `!PUSH|PADDING`. On /s each message, both ways, stands behind its length in four bytes.

export interface GetOrder {
  readonly down: number;
  readonly hold: number;
  readonly rate: number;
  readonly push: string;
}

export interface PageObjectOrder {
  readonly host: string;
  readonly down: number;
  readonly hold: number;
}

export function getPath(order: GetOrder, padding: string): string {
  const push = order.push === '' ? '' : `/${order.push}`;
  const query = padding === '' ? '' : `?${padding}`;
  return `/g/${order.down}/${order.hold}/${order.rate}${push}${query}`;
}

export function postPath({ down, hold }: Pick<GetOrder, 'down' | 'hold'>): string {
  return `/u/${down}/${hold}`;
}

export function pagePath(
  { down, hold }: Pick<GetOrder, 'down' | 'hold'>,
  objects: readonly PageObjectOrder[],
): string {
  const shown = objects.map((object) => `${object.host}_${object.down}_${object.hold}`);
  return `/p/${down}/${hold}?o=${shown.join(',')}`;
}

/** Whole numbers of path segments; what is no number is 0. */
export function readOrder(segments: readonly string[]): GetOrder {
  const [down, hold, rate] = segments.map((text) =>
    Math.max(0, Math.trunc(Number(text)) || 0),
  );
  return { down: down ?? 0, hold: hold ?? 0, rate: rate ?? 0, push: segments[3] ?? '' };
}

export function readObjects(query: string): PageObjectOrder[] {
  const listed = new URLSearchParams(query).get('o') ?? '';
  return listed
    .split(',')
    .filter(Boolean)
    .map((one) => {
      const [host = '', down, hold] = one.split('_');
      return { host, down: Number(down) || 0, hold: Number(hold) || 0 };
    });
}

/** The message that asks for these answers, filled up to `bytes`; longer only where the order itself is. */
export function channelMessage(
  replies: readonly (readonly [after: number, bytes: number])[],
  bytes: number,
): string {
  const order = `${replies.map(([after, size]) => `${after}.${size}`).join('_')}|`;
  return order.padEnd(bytes, PADDING);
}

export function channelOpening(push: string, bytes: number): string {
  return `!${push}|`.padEnd(bytes, PADDING);
}

const PADDING =
  'k3v9xq7wz1m5n8b2c6f4h0j-p_rtydgslaeuioKQWZXVBNMHGFDSPOIUYTREwq8d7s6a5f4g3h2j1k0lzmxncbv';

export function padding(bytes: number): string {
  return ''.padEnd(bytes, PADDING);
}
