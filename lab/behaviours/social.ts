// Social (assumption): a feed that is scrolled: batches of pictures and short clips, likes, uploads, notifications.

import type { Place, Visit } from '../client/visit.ts';

export async function social(visit: Visit): Promise<void> {
  const { draw } = visit;
  const home = visit.host();
  const feed = await visit.place(home, draw.pick([1, 1, 2]));
  const media = await visit.place(visit.host(), draw.pick([1, 2, 2, 3]));
  const batches = draw.whole(2, 5);
  const notified = draw.chance(0.25)
    ? notifications(visit, batches * 2500)
    : Promise.resolve();
  await feed.get(draw.bytes(36_000, 0.6, [8000, 200_000]), 110);
  for (let i = 0; i < batches; i++) {
    await scroll(visit, feed, media);
    await visit.pause(draw.logNormal(2000, 0.5) * visit.scale);
  }
  if (draw.chance(0.3)) await upload(visit, draw.chance(0.5) ? feed : media);
  await notified;
  feed.close();
  media.close();
}

async function scroll(visit: Visit, feed: Place, media: Place): Promise<void> {
  const { draw } = visit;
  await feed.get(draw.bytes(16_000, 0.6, [2500, 120_000]), 80);
  const seen: Promise<number>[] = [];
  for (let pictures = draw.whole(3, 9); pictures > 0; pictures--) {
    seen.push(media.get(draw.bytes(42_000, 0.8, [3000, 260_000]), 6));
  }
  if (draw.chance(0.35)) {
    seen.push(media.get(draw.bytes(320_000 * visit.scale, 0.5, [100_000, 900_000]), 12));
  }
  if (draw.chance(0.4))
    seen.push(feed.post(draw.whole(80, 600), draw.whole(40, 400), 25));
  await Promise.all(seen);
}

async function upload(visit: Visit, to: Place): Promise<void> {
  const { draw } = visit;
  await to.post(
    draw.bytes(300_000 * visit.scale, 0.6, [60_000, 1_000_000]),
    draw.whole(200, 1500),
    90,
  );
}

async function notifications(visit: Visit, lengthMs: number): Promise<void> {
  const { draw } = visit;
  const line = await visit.line(visit.host());
  await line.ask(draw.bytes(300, 0.5, [80, 1500]), draw.bytes(700, 0.7, [80, 6000]), 25);
  const gapMs = draw.uniform(1200, 3500);
  await line.askSeries(draw.whole(30, 90), {
    bytes: draw.bytes(180, 0.6, [50, 1500]),
    pieces: Math.ceil((lengthMs * visit.scale) / gapMs),
    gapMs,
  });
  line.close();
}
