import test from 'ava';
import fc from 'fast-check';
import { CEILING_PACKETS, Ceiling } from '../../src/dataset/ceiling.ts';

function ceilingOf(
  flows: readonly (readonly [sizes: readonly number[], service: string])[],
) {
  const ceiling = new Ceiling();
  for (const [sizes, service] of flows) ceiling.add(Int32Array.from(sizes), service);
  return ceiling.summary();
}

test('planted contradictions give the exact ceiling', (t) => {
  const same = [517, -1400, -300];
  const flows = [
    ...new Array<[number[], string]>(6).fill([same, 'web']),
    ...new Array<[number[], string]>(3).fill([same, 'mail']),
    // Told apart by their fourth packet.
    [[...same, 80], 'games'],
    [[...same, 90], 'chat'],
  ] as const;
  const [at3, at5] = ceilingOf(flows);
  t.deepEqual(at3, {
    packets: 3,
    flows: 11,
    sequences: 1,
    repeated: 11,
    contradicted: 11,
    accuracy: 6 / 11,
  });
  t.deepEqual(at5, {
    packets: 5,
    flows: 11,
    sequences: 3,
    repeated: 9,
    contradicted: 9,
    accuracy: 8 / 11,
  });
});

test('the ceiling rises with packets, and no table of sequences beats it', (t) => {
  const flow = fc.tuple(
    fc.array(fc.constantFrom(100, -100, 200), { maxLength: 12 }),
    fc.constantFrom('web', 'mail'),
  );
  fc.assert(
    fc.property(fc.array(flow, { minLength: 1, maxLength: 60 }), (flows) => {
      const summary = ceilingOf(flows);
      const naive = CEILING_PACKETS.map((packets) => {
        const votes = new Map<string, string[]>();
        for (const [sizes, service] of flows) {
          const key = sizes.slice(0, packets).join();
          votes.set(key, [...(votes.get(key) ?? []), service]);
        }
        const right = [...votes.values()].map((list) => {
          const web = list.filter((service) => service === 'web').length;
          return Math.max(web, list.length - web);
        });
        return right.reduce((a, b) => a + b, 0) / flows.length;
      });
      t.deepEqual(
        summary.map(({ accuracy }) => accuracy),
        naive,
      );
      return naive.every((value, i) => i === 0 || value >= (naive[i - 1] ?? 0));
    }),
  );
});

test('without flows there is nothing to get wrong', (t) => {
  t.true(ceilingOf([]).every(({ accuracy, flows }) => accuracy === 1 && flows === 0));
});
