// Serves the films that media/make-films.ts made, and the player that pages show them with.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reply } from './replies.ts';

const TYPES: Readonly<Record<string, string>> = {
  m3u8: 'application/vnd.apple.mpegurl',
  js: 'text/javascript',
  m4s: 'video/iso.segment',
  mp4: 'video/mp4',
};

export interface FilmFiles {
  /** Of all films. */
  readonly folder: string;
  /** hls.js. */
  readonly player: string;
}

/** GET /h/FILM/FILE, and /h/hls.js. What there is not is a 404. */
export async function serveFilm(
  reply: Reply,
  files: FilmFiles,
  segments: readonly string[],
): Promise<void> {
  const [film = '', file = ''] = segments;
  const safe = segments.every((segment) => /^[a-z0-9-]+(\.[a-z0-9]+)?$/.test(segment));
  const path = film === 'hls.js' ? files.player : join(files.folder, film, file);
  const bytes = safe ? await readFile(path).catch(() => undefined) : undefined;
  if (bytes === undefined) {
    reply.writeHead(404, {});
    reply.end();
    return;
  }
  reply.writeHead(200, {
    'access-control-allow-origin': '*',
    'cache-control': 'no-store',
    'content-type': TYPES[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
    'content-length': bytes.byteLength,
  });
  reply.end(bytes);
}
