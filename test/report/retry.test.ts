import test from 'ava';
import fc from 'fast-check';
import { afterMs, backoffMs, parseRetryAfter, slowMs } from '../../src/report/retry.ts';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('a try comes after 1 s at least and 5 min at most, ever later', (t) => {
  fc.assert(
    fc.property(fc.nat({ max: 2_000 }), chance, (attempt, random) => {
      const ms = backoffMs(attempt, random);
      return ms >= 1_000 && ms <= 300_000 && ms <= backoffMs(attempt + 1, random);
    }),
  );
  t.deepEqual(
    [0, 1, 2, 7, 8, 9].map((attempt) => backoffMs(attempt, 0.5)),
    [1_500, 2_500, 4_500, 128_500, 150_500, 150_500],
  );
  t.is(backoffMs(100, 0), 1_000, 'full jitter');
});

test('what only a person mends is tried every 2.5 to 5 min', (t) => {
  t.is(slowMs(0), 150_000);
  t.is(slowMs(0.999), 299_850);
});

test('Retry-After is honoured up to an hour, spread over a second', (t) => {
  t.is(afterMs(120_000, 0), 120_000);
  t.is(afterMs(120_000, 0.5), 120_500);
  t.is(afterMs(Number.MAX_SAFE_INTEGER, 0), 3_600_000);
});

const NOW_MS = Date.parse('2026-11-20T10:00:00Z');
for (const [value, expected] of [
  ['120', 120_000],
  ['0', 0],
  ['Fri, 20 Nov 2026 10:01:00 GMT', 60_000],
  ['Fri, 20 Nov 2026 09:00:00 GMT', 0],
  ['soon', undefined],
  ['', undefined],
  ['99999999999999999999', undefined],
  [undefined, undefined],
] as const) {
  test(`Retry-After "${value}" is ${expected} ms`, (t) => {
    t.is(parseRetryAfter(value, NOW_MS), expected);
  });
}
