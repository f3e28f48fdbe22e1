import type { ExecutionContext } from 'ava';

/** Fails unless all values are within `tolerance`; logs the largest difference and where it is. */
export function closeTo(
  t: ExecutionContext,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number,
): void {
  t.is(got.length, want.length);
  let largest = 0;
  let where = 0;
  for (let i = 0; i < want.length; i++) {
    const difference = Math.abs((got[i] ?? Number.NaN) - (want[i] ?? Number.NaN));
    // A NaN is further off than anything.
    if (!(difference <= largest)) [largest, where] = [difference, i];
  }
  t.log(`largest difference ${largest} at ${where}, allowed ${tolerance}`);
  t.true(largest <= tolerance);
}
