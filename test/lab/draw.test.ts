import test from 'ava';
import { Deck, Draw } from '../../lab/draw.ts';

const many = (draw: Draw, count: number): number[] =>
  Array.from({ length: count }, () => draw.uniform(0, 1));

test('one seed gives one stream', (t) => {
  t.deepEqual(many(new Draw(7), 50), many(new Draw(7), 50));
  t.notDeepEqual(many(new Draw(7), 50), many(new Draw(8), 50));
});

test('a fork does not depend on what was drawn before it', (t) => {
  const fresh = new Draw(7);
  const used = new Draw(7);
  many(used, 10);
  t.deepEqual(many(fresh.fork('a'), 5), many(used.fork('a'), 5));
  t.notDeepEqual(many(fresh.fork('a'), 5), many(fresh.fork('b'), 5));
});

test('draws keep to their ranges', (t) => {
  const draw = new Draw(1);
  for (let i = 0; i < 2000; i++) {
    const whole = draw.whole(3, 5);
    t.true(whole >= 3 && whole <= 5);
    const bytes = draw.bytes(1000, 2, [100, 5000]);
    t.true(Number.isInteger(bytes) && bytes >= 100 && bytes <= 5000);
  }
  t.regex(draw.token(12), /^[a-z][a-z0-9]{11}$/);
});

test('half of the log-normal draws lie below the median', (t) => {
  const draw = new Draw(2);
  const below = Array.from({ length: 4000 }, () => draw.logNormal(50, 0.8)).filter(
    (x) => x < 50,
  ).length;
  // Four standard deviations of a fair coin thrown 4000 times.
  t.true(Math.abs(below - 2000) < 127, `${below} of 4000`);
});

test('a deck deals what has been used least', (t) => {
  const deck = new Deck(['a', 'b', 'c'], new Draw(3), {
    used: (item) => (item === 'a' ? 2 : 0),
  });
  const dealt = [deck.deal(), deck.deal(), deck.deal(), deck.deal()].sort();
  t.deepEqual(dealt, ['b', 'b', 'c', 'c']);
});

test('of what a deck has used equally it deals what others have used least', (t) => {
  const others = { a: 2, b: 0, c: 1 };
  const deck = new Deck(['a', 'b', 'c'] as const, new Draw(5), {
    elsewhere: (item) => others[item],
  });
  t.deepEqual([deck.deal(), deck.deal(), deck.deal()], ['b', 'c', 'a']);
});

test('a deck deals only what fits, and says so when nothing does', (t) => {
  const deck = new Deck([1, 2, 3], new Draw(4));
  t.deepEqual([deck.deal((n) => n > 2), deck.deal((n) => n > 2)], [3, 3]);
  t.throws(() => deck.deal((n) => n > 3), { instanceOf: RangeError });
});
