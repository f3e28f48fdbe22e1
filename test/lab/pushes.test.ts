import test from 'ava';
import fc from 'fast-check';
import { describePushes, readPushes } from '../../lab/origin/pushes.ts';

test('pushes are what was described: within their times, as often and as long', (t) => {
  const text = describePushes(
    [
      { from: 0, until: 10_000, every: { fixed: 50 }, down: { fixed: 120 } },
      { from: 4000, until: 6000, every: { fixed: 500 }, down: { uniform: [7, 9] } },
    ],
    12,
  );
  const pushes = readPushes(text);
  const small = pushes.filter(({ bytes }) => bytes < 100);
  t.is(pushes.length - small.length, 199);
  t.is(small.length, 3);
  t.true(
    small.every(({ at, bytes }) => at > 4000 && at < 6000 && bytes >= 7 && bytes <= 9),
  );
  t.deepEqual(
    pushes,
    pushes.toSorted((a, b) => a.at - b.at),
  );
});

test('a description is short and fit for a path', (t) => {
  const every = { logNormal: [5000, 0.8], within: [700, 30_000] } as const;
  const text = describePushes(
    [
      {
        from: 0,
        until: 60_000,
        every: { ...every, logNormal: [5000, 0.8], within: [700, 30_000] },
        down: { exponential: 300 },
      },
    ],
    99_999,
  );
  t.true(text.length < 80, text);
  t.is(encodeURI(text), text);
  t.false(text.includes('/'));
});

test('nothing described is nothing pushed', (t) => {
  t.is(describePushes([], 5), '');
  t.deepEqual(readPushes(''), []);
});

test('whatever text comes, reading it ends, and pushes have times and lengths', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.stringMatching(
          /^\d{1,3}(~\d{1,4}\.\d{1,5}\.[fulweo]\d{0,4}(-\d{0,4})?\.[fulweo]\d{0,4})*$/,
        ),
      ),
      (text) =>
        readPushes(text).every(
          ({ at, bytes }) => at >= 0 && bytes >= 0 && Number.isFinite(bytes),
        ),
    ),
  );
  t.pass();
});
