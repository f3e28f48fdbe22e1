// Games (assumption): a lobby, then a match of small messages both ways, 20-60 a second, or turn by turn.

import type { Visit } from '../client/visit.ts';

export async function games(visit: Visit): Promise<void> {
  const { draw } = visit;
  if (draw.chance(0.45)) await lobby(visit);
  if (draw.chance(0.75)) await match(visit);
  else await turns(visit);
}

/** News, friends, matchmaking; sometimes a patch. */
async function lobby(visit: Visit): Promise<void> {
  const { draw } = visit;
  const place = await visit.place(visit.host(), 1);
  for (let i = draw.whole(2, 5); i > 0; i--) {
    if (draw.chance(0.3)) await place.post(draw.whole(80, 700), draw.whole(60, 2000), 25);
    else await place.get(draw.bytes(2200, 1, [120, 40_000]), 20);
    await visit.pause(draw.logNormal(250, 0.8));
  }
  if (draw.chance(0.25)) await place.get(draw.bytes(160_000, 0.6, [40_000, 600_000]), 15);
  place.close();
}

async function match(visit: Visit): Promise<void> {
  const { draw } = visit;
  const lengthMs = draw.uniform(4000, 13_000) * visit.scale;
  const upHz = draw.uniform(20, 60);
  const downHz = draw.chance(0.5) ? upHz : draw.uniform(10, 60);
  const upBytes = draw.uniform(16, 90);
  const line = await visit.line(visit.host());
  await line.ask(
    draw.bytes(220, 0.5, [60, 1500]),
    draw.bytes(600, 0.8, [60, 12_000]),
    20,
  );
  const world = { bytes: draw.bytes(6000, 0.9, [400, 60_000]), workMs: 40 };
  await line.ask(draw.whole(20, 80), world.bytes, world.workMs);
  void line.askSeries(draw.whole(20, 60), {
    bytes: draw.bytes(130, 0.6, [30, 700]),
    pieces: (lengthMs / 1000) * downHz,
    gapMs: 1000 / downHz,
  });
  const end = performance.now() + lengthMs;
  while (performance.now() < end) {
    line.say(draw.bytes(upBytes, 0.25, [10, 400]));
    if (draw.chance(0.004))
      void line.ask(draw.whole(60, 300), draw.bytes(900, 0.8, [80, 9000]), 30);
    await visit.pause(draw.uniform(0.7, 1.3) * (1000 / upHz));
  }
  await line.ask(draw.whole(30, 120), draw.bytes(1500, 0.7, [150, 9000]), 30);
  line.close();
}

/** Cards, boards: much like chat, with a server that answers each move. */
async function turns(visit: Visit): Promise<void> {
  const { draw } = visit;
  const line = await visit.line(visit.host());
  const end = performance.now() + draw.uniform(6000, 14_000) * visit.scale;
  await line.ask(
    draw.bytes(200, 0.5, [60, 1500]),
    draw.bytes(3500, 0.8, [300, 40_000]),
    30,
  );
  while (performance.now() < end) {
    await line.ask(draw.bytes(70, 0.5, [20, 400]), draw.bytes(240, 0.7, [40, 3000]), 20);
    const others = draw.whole(0, 4);
    if (others > 0) {
      await line.askSeries(draw.whole(16, 40), {
        bytes: draw.bytes(160, 0.6, [30, 1500]),
        pieces: others,
        gapMs: draw.logNormal(450, 0.5),
      });
    }
    await visit.pause(draw.logNormal(650, 0.7));
  }
  line.close();
}
