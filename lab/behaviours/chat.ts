// Chat (assumption): typing bursts, short messages both ways, presence, now and then a picture. By a line of
// messages, or by requests that the server holds until it has news.

import type { Line, Visit } from '../client/visit.ts';

export async function chat(visit: Visit): Promise<void> {
  const { draw } = visit;
  const lengthMs = draw.uniform(7000, 18_000) * visit.scale;
  const media = draw.chance(0.4) ? shareMedia(visit, lengthMs) : Promise.resolve();
  const talk = draw.chance(0.65) ? overLine(visit, lengthMs) : overPolls(visit, lengthMs);
  await Promise.all([talk, media]);
}

async function overLine(visit: Visit, lengthMs: number): Promise<void> {
  const { draw } = visit;
  const line = await visit.line(visit.host());
  const end = performance.now() + lengthMs;
  await line.ask(draw.bytes(260, 0.5, [90, 1500]), draw.bytes(900, 0.7, [120, 8000]), 25);
  const history = {
    bytes: draw.bytes(1200, 0.8, [200, 9000]),
    pieces: draw.whole(2, 12),
    gapMs: 4,
  };
  await line.askSeries(draw.whole(40, 160), history);
  const presenceMs = draw.uniform(1200, 4000);
  void line.askSeries(draw.whole(30, 90), {
    bytes: draw.bytes(90, 0.4, [40, 300]),
    pieces: Math.ceil(lengthMs / presenceMs),
    gapMs: presenceMs,
  });
  while (performance.now() < end) await turn(visit, line);
  line.close();
}

/** One of us types and sends, and the others answer, or only listen. */
async function turn(visit: Visit, line: Line): Promise<void> {
  const { draw } = visit;
  if (draw.chance(0.7)) {
    for (let i = draw.whole(1, 5); i > 0; i--) {
      line.say(draw.bytes(55, 0.2, [30, 120]));
      await visit.pause(draw.logNormal(600, 0.5));
    }
    await line.ask(draw.bytes(170, 0.7, [60, 2500]), draw.bytes(70, 0.3, [30, 200]), 15);
  }
  const replies = draw.whole(0, 3);
  if (replies > 0) {
    const bytes = draw.bytes(190, 0.7, [60, 2500]);
    void line.askSeries(draw.whole(24, 60), {
      bytes,
      pieces: replies,
      gapMs: draw.logNormal(1100, 0.5),
    });
  }
  await visit.pause(draw.logNormal(1300, 0.6));
}

async function overPolls(visit: Visit, lengthMs: number): Promise<void> {
  const { draw } = visit;
  const place = await visit.place(visit.host(), 2);
  const end = performance.now() + lengthMs;
  await place.get(draw.bytes(9000, 0.8, [1000, 60_000]), 40);
  const listen = async (): Promise<void> => {
    while (performance.now() < end) {
      await place.poll(draw.bytes(220, 0.8, [40, 4000]), draw.logNormal(1800, 0.7));
    }
  };
  const write = async (): Promise<void> => {
    while (performance.now() < end) {
      await visit.pause(draw.logNormal(1800, 0.6));
      const typing = draw.chance(0.5);
      await place.post(
        draw.bytes(typing ? 70 : 240, 0.6, [40, 3000]),
        draw.whole(20, 160),
        12,
      );
    }
  };
  await Promise.all([listen(), write()]);
  place.close();
}

async function shareMedia(visit: Visit, lengthMs: number): Promise<void> {
  const { draw } = visit;
  await visit.pause(draw.uniform(0.1, 0.6) * lengthMs);
  const place = await visit.place(visit.host(), 2);
  for (let i = draw.whole(1, 3); i > 0; i--) {
    const bytes = draw.bytes(70_000, 0.8, [8000, 350_000]);
    if (draw.chance(0.4)) await place.post(bytes, draw.whole(150, 900), 60);
    else await place.get(bytes, 15);
    await visit.pause(draw.logNormal(700, 0.6));
  }
  place.close();
}
