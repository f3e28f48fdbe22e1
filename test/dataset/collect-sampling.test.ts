import test from 'ava';
import { DailySampling } from '../../src/dataset/collect-sampling.ts';

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;

/** Flows kept of one each minute of a day. */
function keptOf(sampling: DailySampling, name: string, day: number): number[] {
  const minutes = Array.from({ length: 1_440 }, (_, minute) => minute);
  return minutes.filter((minute) => {
    return sampling.take(name, day * DAY_US + (minute * HOUR_US) / 60);
  });
}

test('of a frequent class a day keeps its share, over all its hours', (t) => {
  const kept = keptOf(new DailySampling(240), 'web', 20_000);
  t.is(kept.length, 240);
  for (let hour = 0; hour < 23; hour++) {
    const inHour = kept.filter((minute) => Math.floor(minute / 60) === hour).length;
    t.true(inHour >= 9 && inHour <= 20, `hour ${hour}: ${inHour}`);
  }
});

test('a rare class is kept whole while a frequent one is not', (t) => {
  const sampling = new DailySampling(240);
  keptOf(sampling, 'web', 20_000);
  const noon = 20_000 * DAY_US + 12 * HOUR_US;
  t.false(sampling.take('web', noon));
  for (let i = 0; i < 100; i++) t.true(sampling.take('games', noon + i));
});

test('the next day has a share of its own', (t) => {
  const sampling = new DailySampling(1);
  t.true(sampling.take('web', DAY_US));
  t.false(sampling.take('web', DAY_US + 1));
  t.true(sampling.take('web', 2 * DAY_US));
});

test('a flow of the day before counts for the day that has begun', (t) => {
  const sampling = new DailySampling(1);
  t.true(sampling.take('web', 2 * DAY_US));
  t.false(sampling.take('web', 2 * DAY_US - 1));
});

test('a share of 0 keeps everything', (t) => {
  t.is(keptOf(new DailySampling(0), 'web', 1).length, 1_440);
});
