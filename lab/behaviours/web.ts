// Web (assumption): pages of objects with log-normal sizes from one to four hosts, think time between pages.

import type { Place, Visit } from '../client/visit.ts';

export async function web(visit: Visit): Promise<void> {
  const { draw } = visit;
  const home = await visit.place(visit.host(), draw.pick([1, 2, 2, 3]));
  const others = await Promise.all(
    Array.from({ length: draw.pick([0, 1, 1, 2, 3]) }, () =>
      visit.place(visit.host(), draw.pick([1, 1, 2])),
    ),
  );
  for (let pages = draw.whole(1, 3); pages > 0; pages--) {
    await page(visit, home, others);
    await visit.pause(draw.logNormal(2500, 0.5) * visit.scale);
  }
  home.close();
  for (const other of others) other.close();
}

/** The document, then what it calls for in two waves: styles and scripts, pictures and the rest. */
async function page(visit: Visit, home: Place, others: readonly Place[]): Promise<void> {
  const { draw } = visit;
  await home.get(draw.bytes(26_000, 0.9, [2500, 250_000]), 90);
  for (const wave of [draw.whole(2, 9), draw.whole(3, 22)]) {
    const objects: Promise<number>[] = [];
    for (let i = 0; i < wave; i++) {
      const place = draw.chance(0.5) ? home : draw.pick([home, ...others]);
      objects.push(place.get(draw.bytes(11_000, 1.2, [200, 500_000]), 6));
    }
    await Promise.all(objects);
    await visit.pause(draw.logNormal(60, 0.6));
  }
  if (draw.chance(0.4)) {
    const beacon = draw.pick([home, ...others]);
    await beacon.post(draw.bytes(600, 0.6, [100, 4000]), draw.whole(0, 200), 10);
  }
}
