import test from 'ava';
import { hostileFlow, Random } from '../fuzz/handshake-cases.ts';
import { checkHandshake } from '../fuzz/handshake-check.ts';

// By the million: test/fuzz/fuzz-handshake.ts.
test('what has to hold of a handshake holds of 10,000 hostile flows', (t) => {
  let hellos = 0;
  for (let seed = 1; seed <= 10_000; seed++) {
    try {
      hellos += checkHandshake(hostileFlow(new Random(seed * 7_919)));
    } catch (fault) {
      return t.fail(`state ${seed * 7_919}: ${String(fault)}`);
    }
  }
  // They have to reach deep: else nothing is tested.
  t.true(hellos > 5_000, `${hellos} hellos found`);
});
