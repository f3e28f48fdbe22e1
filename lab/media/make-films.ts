// Makes the films of films.ts with ffmpeg. Argument: the folder they go into.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILM_SECONDS, FILMS, type Film, FRAME_RATE } from './films.ts';

const [folder = ''] = process.argv.slice(2);
const SOUND_KBIT = 96;

for (const film of FILMS) makeFilm(film, join(folder, film.name));
writeFileSync(join(folder, 'ready'), '');

function makeFilm(film: Film, place: string): void {
  mkdirSync(place, { recursive: true });
  for (const [i, { width, height, kbit }] of film.rungs.entries()) {
    const picture = film.picture(`${width}x${height}`, FRAME_RATE);
    const seconds = ['-t', `${FILM_SECONDS}`];
    const made = spawnSync(
      'ffmpeg',
      [
        ...['-v', 'error', '-y', '-f', 'lavfi', ...seconds, '-i', picture],
        ...['-f', 'lavfi', ...seconds, '-i', 'anoisesrc=color=pink:amplitude=0.3'],
        ...['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p'],
        ...['-b:v', `${kbit}k`, '-maxrate', `${1.6 * kbit}k`, '-bufsize', `${3 * kbit}k`],
        ...['-g', `${FRAME_RATE * film.segmentSeconds}`, '-sc_threshold', '0'],
        ...['-c:a', 'aac', '-b:a', `${SOUND_KBIT}k`, '-ac', '2'],
        ...['-f', 'hls', '-hls_time', `${film.segmentSeconds}`],
        ...['-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'],
        ...['-hls_fmp4_init_filename', `q${i}-init.mp4`],
        ...['-hls_segment_filename', join(place, `q${i}-%d.m4s`)],
        join(place, `q${i}.m3u8`),
      ],
      { encoding: 'utf8' },
    );
    if (made.status !== 0) {
      process.stderr.write(`ffmpeg: ${made.stderr ?? made.error?.message ?? ''}\n`);
      process.exit(1);
    }
  }
  writeFileSync(join(place, 'film.m3u8'), masterPlaylist(film));
}

/** RFC 8216 4.3.4.2. */
function masterPlaylist({ rungs }: Film): string {
  const variants = rungs.map(
    ({ width, height, kbit }, i) =>
      `#EXT-X-STREAM-INF:BANDWIDTH=${(kbit + SOUND_KBIT) * 1100},RESOLUTION=${width}x${height},CODECS="avc1.64001f,mp4a.40.2"\nq${i}.m3u8\n`,
  );
  return `#EXTM3U\n#EXT-X-VERSION:7\n${variants.join('')}`;
}
