// Mail (assumption): dialogues like those of IMAP and SMTP where nothing else was agreed on, else a web mailer or
// a mail protocol by messages (as JMAP's).

import type { Line, Place, Visit } from '../client/visit.ts';
import type { Host } from '../plan.ts';

export async function mail(visit: Visit): Promise<void> {
  const { draw } = visit;
  const host = visit.host();
  const none = visit.alpn(host) === 'none';
  if (draw.chance(none ? 0.25 : 0.65)) await webMailer(visit, host);
  else if (draw.chance(0.65)) {
    await readBox(visit, host);
    if (draw.chance(0.35)) await send(visit, visit.host());
  } else await send(visit, host);
}

/** As IMAP: log in, list, fetch some, wait for news. */
async function readBox(visit: Visit, host: Host): Promise<void> {
  const { draw } = visit;
  const line = await visit.line(host, { bytes: draw.whole(40, 220) });
  await line.greeted;
  await line.ask(draw.whole(14, 30), draw.whole(80, 320), 3);
  await line.ask(draw.whole(35, 110), draw.whole(50, 320), 45);
  for (let i = draw.whole(1, 3); i > 0; i--) {
    await line.ask(draw.whole(18, 60), draw.bytes(420, 0.7, [60, 6000]), 12);
  }
  const listed = draw.whole(8, 50);
  const list = {
    bytes: draw.uniform(220, 700),
    pieces: Math.ceil(listed / 10),
    gapMs: 6,
  };
  await line.askSeries(draw.whole(50, 150), { ...list, bytes: list.bytes * 10 });
  for (let i = draw.whole(1, 5); i > 0; i--) {
    await visit.pause(draw.logNormal(500, 0.9));
    const attachment = draw.chance(0.2);
    const bytes = attachment
      ? draw.bytes(180_000 * visit.scale, 0.8, [30_000, 900_000])
      : draw.bytes(9000, 0.9, [700, 90_000]);
    await line.ask(draw.whole(30, 80), bytes, 15);
    if (draw.chance(0.6)) await line.ask(draw.whole(28, 60), draw.whole(30, 110), 6);
  }
  if (draw.chance(0.7)) await idle(visit, line);
  await line.ask(draw.whole(10, 16), draw.whole(40, 100), 3);
  line.close();
}

async function idle(visit: Visit, line: Line): Promise<void> {
  const { draw } = visit;
  await line.ask(draw.whole(10, 14), draw.whole(12, 30), 3);
  const news = draw.whole(0, 2);
  const gapMs = draw.uniform(900, 3000);
  if (news > 0) {
    await line.askSeries(draw.whole(16, 20), {
      bytes: draw.whole(20, 60),
      pieces: news,
      gapMs,
    });
  } else await visit.pause(gapMs * 2 * visit.scale);
  await line.ask(draw.whole(6, 16), draw.whole(20, 70), 3);
}

/** As SMTP. */
async function send(visit: Visit, host: Host): Promise<void> {
  const { draw } = visit;
  const line = await visit.line(host, { bytes: draw.whole(40, 140) });
  await line.greeted;
  await line.ask(draw.whole(18, 50), draw.whole(120, 330), 3);
  await line.ask(draw.whole(40, 110), draw.whole(30, 70), 60);
  for (let mails = draw.whole(1, 3); mails > 0; mails--) {
    await line.ask(draw.whole(32, 80), draw.whole(14, 50), 5);
    for (let to = draw.whole(1, 3); to > 0; to--) {
      await line.ask(draw.whole(28, 70), draw.whole(14, 60), 8);
    }
    await line.ask(16, draw.whole(30, 60), 5);
    const bytes = draw.chance(0.3)
      ? draw.bytes(160_000 * visit.scale, 0.8, [30_000, 700_000])
      : draw.bytes(6000, 0.9, [600, 60_000]);
    await line.ask(bytes, draw.whole(30, 90), 80);
    await visit.pause(draw.logNormal(250, 0.7));
  }
  await line.ask(16, draw.whole(20, 60), 3);
  line.close();
}

async function webMailer(visit: Visit, host: Host): Promise<void> {
  const { draw } = visit;
  const place = await visit.place(host, draw.whole(1, 2));
  await place.get(draw.bytes(24_000, 0.7, [4000, 150_000]), 70);
  await place.get(draw.bytes(15_000, 0.7, [2000, 90_000]), 45);
  for (let i = draw.whole(2, 5); i > 0; i--) {
    await visit.pause(draw.logNormal(900, 0.6));
    const read = [place.get(draw.bytes(8000, 0.9, [600, 80_000]), 35)];
    for (let pictures = draw.whole(0, 3); pictures > 0; pictures--) {
      read.push(place.get(draw.bytes(25_000, 0.9, [1500, 220_000]), 12));
    }
    await Promise.all(read);
    await place.post(draw.whole(60, 350), draw.whole(30, 300), 15);
  }
  if (draw.chance(0.5)) await compose(visit, place);
  place.close();
}

async function compose(visit: Visit, place: Place): Promise<void> {
  const { draw } = visit;
  for (let i = draw.whole(1, 4); i > 0; i--) {
    await visit.pause(draw.logNormal(1100, 0.4));
    await place.post(draw.bytes(1500, 0.5, [300, 9000]), draw.whole(80, 500), 25);
  }
  if (draw.chance(0.4)) {
    await place.post(
      draw.bytes(150_000 * visit.scale, 0.8, [20_000, 700_000]),
      draw.whole(150, 700),
      60,
    );
  }
  await place.post(draw.bytes(2500, 0.6, [400, 20_000]), draw.whole(80, 500), 90);
}
