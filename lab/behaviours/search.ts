// Search (assumption): suggestions while typing (one request every 80-330 ms), a page of results, thumbnails.

import type { Place, Visit } from '../client/visit.ts';

export async function search(visit: Visit): Promise<void> {
  const { draw } = visit;
  const place = await visit.place(visit.host(), draw.pick([1, 1, 2]));
  if (draw.chance(0.5)) await place.get(draw.bytes(30_000, 0.6, [6000, 120_000]), 40);
  const pictures = draw.chance(0.6)
    ? await visit.place(visit.host(), draw.whole(1, 2))
    : place;
  for (let queries = draw.whole(1, 3); queries > 0; queries--) {
    await type(visit, place);
    await results(visit, place, pictures);
    await visit.pause(draw.logNormal(1600, 0.5) * visit.scale);
  }
  place.close();
  if (pictures !== place) pictures.close();
}

async function type(visit: Visit, place: Place): Promise<void> {
  const { draw } = visit;
  const asked: Promise<number>[] = [];
  for (let keys = draw.whole(3, 14); keys > 0; keys--) {
    if (draw.chance(0.85)) asked.push(place.get(draw.bytes(900, 0.5, [120, 5000]), 12));
    await visit.pause(draw.uniform(80, 330));
  }
  await Promise.all(asked);
}

async function results(visit: Visit, place: Place, pictures: Place): Promise<void> {
  const { draw } = visit;
  await place.get(draw.bytes(48_000, 0.45, [12_000, 180_000]), 140);
  const thumbnails = Array.from({ length: draw.whole(0, 10) }, () =>
    pictures.get(draw.bytes(5000, 0.6, [700, 30_000]), 5),
  );
  await Promise.all(thumbnails);
  if (draw.chance(0.5))
    await place.post(draw.bytes(500, 0.5, [100, 3000]), draw.whole(0, 60), 8);
}
