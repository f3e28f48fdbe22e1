// Download (assumption): one file, a file in parallel parts, many packages one after another, or an updater with a
// protocol of its own. No think time.

import type { Place, Visit } from '../client/visit.ts';
import type { Host } from '../plan.ts';

const PART_BYTES_LEAST = 150_000;

export async function download(visit: Visit): Promise<void> {
  const way = visit.draw.uniform(0, 1);
  if (way < 0.45) await oneFile(visit);
  else if (way < 0.65) await inParts(visit);
  else if (way < 0.88) await packages(visit);
  else await updater(visit);
}

function fileBytes({ draw, scale }: Visit): number {
  return draw.bytes(1_100_000 * scale, 0.8, [300_000 * scale, 6_000_000 * scale]);
}

/** Often after its page; some servers send slowly on purpose. */
async function oneFile(visit: Visit): Promise<void> {
  const { draw } = visit;
  const place = await visit.place(draw.chance(0.6) ? await page(visit) : visit.host(), 1);
  const bytes = fileBytes(visit);
  if (draw.chance(0.75)) await place.get(bytes, 30);
  else {
    const piece = draw.pick([32_768, 65_536, 131_072]);
    const gapMs = draw.uniform(60, 220);
    await place.getSeries({ bytes: piece, pieces: Math.ceil(bytes / piece), gapMs });
  }
  place.close();
}

/** Looks at the page that links to the file; the file lies there or elsewhere. */
async function page(visit: Visit): Promise<Host> {
  const { draw } = visit;
  const host = visit.host();
  const place = await visit.place(host, 1);
  await place.get(draw.bytes(14_000, 0.7, [2000, 90_000]), 60);
  for (let i = draw.whole(0, 4); i > 0; i--)
    await place.get(draw.bytes(9000, 1, [400, 80_000]), 5);
  await visit.pause(draw.logNormal(700, 0.5));
  place.close();
  return draw.chance(0.3) ? host : visit.host();
}

async function inParts(visit: Visit): Promise<void> {
  const { draw } = visit;
  const lanes = draw.whole(2, 4);
  const place = await visit.place(visit.host(), lanes);
  const bytes = fileBytes(visit);
  await place.get(draw.whole(200, 900), 20);
  const part = Math.max(PART_BYTES_LEAST, Math.ceil(bytes / (lanes * draw.whole(1, 2))));
  const parts = Array.from({ length: Math.ceil(bytes / part) }, () => part);
  await allOf(place, parts);
  place.close();
}

async function packages(visit: Visit): Promise<void> {
  const { draw } = visit;
  const place = await visit.place(visit.host(), draw.whole(1, 3));
  await place.get(draw.bytes(40_000, 0.8, [5000, 300_000]), 40);
  const files = Array.from({ length: draw.whole(4, 12) }, () =>
    draw.bytes(90_000 * visit.scale, 1.1, [4000, 1_200_000 * visit.scale]),
  );
  if (draw.chance(0.5)) await allOf(place, files);
  else for (const bytes of files) await place.get(bytes, 8);
  place.close();
}

async function updater(visit: Visit): Promise<void> {
  const { draw } = visit;
  const line = await visit.line(visit.host());
  await line.ask(
    draw.bytes(300, 0.5, [80, 2000]),
    draw.bytes(1800, 0.7, [200, 20_000]),
    30,
  );
  const piece = draw.pick([16_384, 65_536, 131_072]);
  const pieces = Math.ceil(fileBytes(visit) / piece);
  await line.askSeries(draw.whole(60, 200), {
    bytes: piece,
    pieces,
    gapMs: draw.uniform(4, 40),
  });
  await line.ask(draw.whole(60, 260), draw.whole(40, 200), 10);
  line.close();
}

async function allOf(place: Place, sizes: readonly number[]): Promise<void> {
  await Promise.all(sizes.map((bytes) => place.get(bytes, 8)));
}
