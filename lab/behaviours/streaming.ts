// Streaming (assumption): a ladder of 0.4-6 Mbit/s, segments fetched into a buffer and then at the pace of playing;
// also one long answer throttled by the server, and live pushes.

import type { Place, Visit } from '../client/visit.ts';

const LADDER_MBIT = [0.4, 0.8, 1.5, 2.5, 4, 6] as const;
/** Of the measured throughput, what a player dares to ask for. */
const CAUTION = 0.6;
const BYTES_PER_MBIT = 125_000;

export async function streaming(visit: Visit): Promise<void> {
  const { draw } = visit;
  const way = draw.uniform(0, 1);
  if (way < 0.65) await segmented(visit);
  else if (way < 0.82) await throttled(visit);
  else await pushed(visit);
}

async function segmented(visit: Visit): Promise<void> {
  const { draw } = visit;
  const control = await visit.place(visit.host(), 1);
  await control.get(draw.bytes(9000, 0.8, [900, 60_000]), 45);
  if (draw.chance(0.5))
    await control.post(draw.whole(900, 6000), draw.whole(600, 5000), 60);
  const apart = draw.chance(0.7);
  const media = apart ? await visit.place(visit.host(), draw.whole(1, 2)) : control;
  await media.get(draw.bytes(1600, 0.5, [300, 9000]), 8);
  const player = new Player(visit, media);
  const segments = Math.round(draw.whole(5, 11) * visit.scale);
  for (let i = 0; i < Math.max(3, segments); i++) {
    await player.segment();
    if (draw.chance(0.15))
      await control.post(draw.whole(300, 1800), draw.whole(0, 120), 10);
  }
  control.close();
  if (apart) media.close();
}

/** Plays at the pace of the clock; asks for what the line seems to bear. */
class Player {
  readonly #visit: Visit;
  readonly #media: Place;
  readonly #segmentMs: number;
  readonly #bufferMs: number;
  readonly #soundMbit: number;
  readonly #best: number;
  readonly #started = performance.now();
  #fetchedMs = 0;
  #rung = 1;

  constructor(visit: Visit, media: Place) {
    const { draw } = visit;
    this.#visit = visit;
    this.#media = media;
    this.#segmentMs = draw.pick([1000, 1500, 2000]);
    this.#bufferMs = draw.uniform(2.5, 5) * this.#segmentMs;
    this.#soundMbit = draw.chance(0.55) ? draw.pick([0.064, 0.128, 0.192]) : 0;
    this.#best = draw.whole(2, LADDER_MBIT.length - 1);
  }

  /** Waits until the buffer has room, then fetches one segment. */
  async segment(): Promise<void> {
    const { draw } = this.#visit;
    const ahead = this.#fetchedMs - (performance.now() - this.#started);
    if (ahead > this.#bufferMs) await this.#visit.pause(ahead - this.#bufferMs);
    const asked = performance.now();
    const picture = draw.bytes(
      this.#bytes(LADDER_MBIT[this.#rung] ?? 0.4),
      0.2,
      [12_000, 1_000_000],
    );
    const fetched = [this.#media.get(picture, 6)];
    if (this.#soundMbit > 0) {
      fetched.push(
        this.#media.get(
          draw.bytes(this.#bytes(this.#soundMbit), 0.05, [4000, 60_000]),
          5,
        ),
      );
    }
    await Promise.all(fetched);
    const mbit = picture / BYTES_PER_MBIT / ((performance.now() - asked) / 1000);
    this.#fetchedMs += this.#segmentMs;
    const borne = LADDER_MBIT.filter((rung) => rung <= mbit * CAUTION).length - 1;
    this.#rung = Math.max(0, Math.min(this.#best, this.#rung + 1, borne));
  }

  #bytes(mbit: number): number {
    return (mbit * BYTES_PER_MBIT * this.#segmentMs) / 1000;
  }
}

/** A progressive file whose server sends a first gulp and then piece by piece. */
async function throttled(visit: Visit): Promise<void> {
  const { draw } = visit;
  const place = await visit.place(visit.host(), 1);
  if (draw.chance(0.5)) await place.get(draw.bytes(6000, 0.7, [600, 40_000]), 40);
  const bytes = draw.pick([32_768, 65_536, 131_072]);
  await place.get(bytes * draw.whole(4, 10), 25);
  const gapMs = draw.uniform(180, 600);
  const pieces = (draw.uniform(5000, 12_000) * visit.scale) / gapMs;
  await place.getSeries({ bytes, pieces, gapMs });
  place.close();
}

/** Live, pushed in small pieces; the player reports now and then. */
async function pushed(visit: Visit): Promise<void> {
  const { draw } = visit;
  const line = await visit.line(visit.host());
  await line.ask(
    draw.bytes(300, 0.5, [80, 1500]),
    draw.bytes(1500, 0.7, [150, 12_000]),
    30,
  );
  const lengthMs = draw.uniform(5000, 11_000) * visit.scale;
  const gapMs = draw.pick([100, 200, 333, 500]);
  const bytes = draw.uniform(0.5, 3.5) * BYTES_PER_MBIT * (gapMs / 1000);
  const played = line.askSeries(draw.whole(40, 160), {
    bytes,
    pieces: lengthMs / gapMs,
    gapMs,
  });
  const reports = Math.floor(lengthMs / 2500);
  for (let i = 0; i < reports; i++) {
    await visit.pause(2000);
    line.say(draw.whole(60, 300));
  }
  await played;
  line.close();
}
