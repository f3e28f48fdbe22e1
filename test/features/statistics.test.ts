import test from 'ava';
import fc from 'fast-check';
import {
  STATISTICS,
  STATISTICS_TABLE,
  type StatisticName,
} from '../../src/features/statistics-table.ts';
import { close, type Named, statisticsOf } from '../helpers/features.ts';
import { naiveStatistics } from '../helpers/naive-statistics.ts';
import { anyPackets, CONVERSATION, orderedPackets } from '../helpers/packets.ts';
import { makeRecord, type TestPacket } from '../helpers/records.ts';

test('statistics follow the formulas', (t) => {
  const got = statisticsOf(
    makeRecord({ packets: CONVERSATION, windowUp: 64, windowDown: 65 }),
  );
  const want: Partial<Named> = {
    durationUs: 32_000,
    packetsUp: 2,
    packetsDown: 3,
    bytesUp: 617,
    bytesDown: 1712,
    payloadBytesDown: 1548,
    headerBytesUp: 112,
    headerDownMin: 52,
    payloadPacketsUp: 1,
    payloadMean: 2053 / 5,
    sizeUpMean: 308.5,
    sizeUpDeviation: Math.sqrt(2 * 248.5 ** 2),
    sizeDownMin: 60,
    sizeDownMax: 1500,
    iatUpMeanUs: 11_000,
    iatDownTotalUs: 22_000,
    iatDownMaxUs: 21_000,
    iatDownMinUs: 1_000,
    iatMeanUs: 8_000,
    bytesPerSecond: 2329 / 0.032,
    payloadBytesPerSecond: 2053 / 0.032,
    downUpPacketRatio: 1.5,
    finPackets: 1,
    synPackets: 2,
    pshPackets: 2,
    pshPacketsUp: 1,
    pshPacketsDown: 1,
    ackPackets: 4,
    smallPackets: 1,
    fullPackets: 1,
    directionChanges: 3,
    firstDownDelayUs: 10_000,
    initialWindowUp: 64,
    initialWindowDown: 65,
    activeMeanUs: 32_000,
    subflowDownPackets: 3,
  };
  for (const [name, value] of Object.entries(want)) {
    const own = got[name as StatisticName];
    t.true(close(own, value), `${name}: ${own}, ${value}`);
  }
});

test('bulks, subflows and idle times are told apart by their gaps', (t) => {
  const at = (second: number, direction: 1 | -1, payloadLength: number): TestPacket => ({
    timeNs: second * 1e9,
    ipLength: payloadLength + 40,
    payloadLength,
    tcpFlags: 16,
    direction,
  });
  const got = statisticsOf(
    makeRecord({
      packets: [
        at(0, -1, 100),
        at(0.5, -1, 100),
        at(1.5, -1, 100),
        at(1.6, 1, 0), // an acknowledgement does not interrupt
        at(2, -1, 100), // the fourth: a bulk of 400 bytes in 2 s
        at(2.5, 1, 7), // a payload does
        at(3, -1, 10),
        at(8.5, -1, 10), // 5.5 s later: idle
        at(9.6, -1, 10), // over 1 s: another subflow
      ],
    }),
  );
  const want: Partial<Named> = {
    bulkDownBytesMean: 400,
    bulkDownPacketsMean: 4,
    bulkDownBytesPerSecond: 200,
    bulkUpBytesMean: Number.NaN,
    bulkUpBytesPerSecond: Number.NaN,
    subflowDownPackets: 7 / 3,
    subflowUpBytes: 7 / 3,
    idleMeanUs: 5.5e6,
    idleDeviationUs: Number.NaN,
    activeMaxUs: 3e6,
    activeMinUs: 1.1e6,
  };
  for (const [name, value] of Object.entries(want)) {
    const own = got[name as StatisticName];
    t.true(close(own, value), `${name}: ${own}, ${value}`);
  }
});

test('a statistic without a value is NaN or infinite, never a made-up number', (t) => {
  const one = statisticsOf(
    makeRecord({ packets: CONVERSATION.slice(0, 1), windowDown: 9 }),
  );
  for (const name of [
    'sizeDownMean',
    'sizeUpDeviation',
    'iatMeanUs',
    'headerDownMin',
  ] as const)
    t.is(one[name], Number.NaN, name);
  for (const name of [
    'idleMeanUs',
    'activeMeanUs',
    'bulkUpBytesMean',
    'firstDownDelayUs',
  ] as const)
    t.is(one[name], Number.NaN, name);
  t.is(one.initialWindowDown, Number.NaN, 'nothing has come down yet');
  t.is(one.bytesPerSecond, Number.POSITIVE_INFINITY);
  t.is(one.payloadBytesPerSecond, Number.NaN);
  t.is(one.downUpPacketRatio, 0);
  const down = statisticsOf(makeRecord({ packets: CONVERSATION.slice(1, 2) }));
  t.is(down.downUpPacketRatio, Number.POSITIVE_INFINITY);
  const none = statisticsOf(makeRecord({ packets: [] }));
  for (const name of STATISTICS)
    t.true(Object.is(none[name], Number.NaN) || none[name] === 0, name);
});

test('UDP has no window', (t) => {
  const flow = makeRecord({
    packets: CONVERSATION,
    protocol: 17,
    windowUp: 1,
    windowDown: 1,
  });
  const { initialWindowUp, initialWindowDown } = statisticsOf(flow);
  t.deepEqual([initialWindowUp, initialWindowDown], [Number.NaN, Number.NaN]);
});

for (const [what, arbitrary] of [
  ['in order', orderedPackets],
  ['whatever the stamps', anyPackets],
] as const) {
  test(`one pass and a list for every number agree, ${what}`, (t) => {
    fc.assert(
      fc.property(arbitrary, (packets) => {
        const got = statisticsOf(makeRecord({ packets, windowUp: 5, windowDown: 6 }));
        const want = naiveStatistics({
          packets: packets.map((p) => ({
            timeUs: p.timeNs / 1000,
            up: p.direction === 1,
            ipLength: p.ipLength,
            payload: p.payloadLength,
            flags: p.tcpFlags ?? 0,
          })),
          windowUp: packets.some((p) => p.direction === 1) ? 5 : Number.NaN,
          windowDown: packets.some((p) => p.direction === -1) ? 6 : Number.NaN,
        });
        t.deepEqual(Object.keys(want).toSorted(), [...STATISTICS].toSorted());
        for (const name of STATISTICS) {
          // Sums of doubles in another order.
          if (!close(got[name], want[name], 1e-6))
            throw new Error(`${name}: ${got[name]}, a list gives ${want[name]}`);
        }
      }),
    );
  });
}

/** Statistics of one direction, with the other direction's name. */
const PAIRS = STATISTICS.filter((name) => /Up/.test(name) && !/Ratio/.test(name)).map(
  (up) => [up, up.replace('Up', 'Down') as StatisticName] as const,
);

test('exchanging the directions exchanges the statistics of up and down', (t) => {
  const oneWay = new Set<string>([
    'downUpPacketRatio',
    'downUpByteRatio',
    'firstDownDelayUs',
  ]);
  const others = STATISTICS.filter(
    (name) => !PAIRS.flat().includes(name) && !oneWay.has(name),
  );
  fc.assert(
    fc.property(anyPackets, (all) => {
      const turned = all.map(
        (p) => ({ ...p, direction: p.direction === 1 ? -1 : 1 }) as const,
      );
      const a = statisticsOf(makeRecord({ packets: all, windowUp: 1, windowDown: 2 }));
      const b = statisticsOf(makeRecord({ packets: turned, windowUp: 2, windowDown: 1 }));
      for (const [up, down] of PAIRS) {
        if (!Object.is(a[up], b[down]) || !Object.is(a[down], b[up])) throw new Error(up);
      }
      for (const name of others) {
        if (!Object.is(a[name], b[name])) throw new Error(name);
      }
      if (!close(a.downUpPacketRatio, 1 / b.downUpPacketRatio)) throw new Error('ratio');
    }),
  );
  t.is(PAIRS.length, 28);
  t.is(PAIRS.length * 2 + others.length + oneWay.size, STATISTICS.length);
});

test('a packet more down leaves what is known of up, and of its first packets, alone', (t) => {
  const ofUp = STATISTICS.filter(
    (name) => /Up/.test(name) && !/Ratio|PerSecondUp|subflow|bulk/.test(name),
  );
  fc.assert(
    fc.property(orderedPackets, (all) => {
      const [last = CONVERSATION[1], ...rest] = all.toReversed();
      const before = rest.toReversed();
      const after = [...before, { ...last, direction: -1 } as TestPacket];
      const a = statisticsOf(makeRecord({ packets: before, windowUp: 1, windowDown: 2 }));
      const b = statisticsOf(makeRecord({ packets: after, windowUp: 1, windowDown: 2 }));
      for (const name of ofUp) {
        if (!Object.is(a[name], b[name])) throw new Error(name);
      }
      if (b.packetsDown !== a.packetsDown + 1) throw new Error('packetsDown');
      if (!Number.isNaN(a.firstDownDelayUs) && a.firstDownDelayUs !== b.firstDownDelayUs)
        throw new Error('firstDownDelayUs');
      if (b.durationUs < a.durationUs) throw new Error('durationUs');
    }),
  );
  t.true(ofUp.length >= 20);
});

test('names are distinct, end in their unit, and CICFlowMeter names stand once', (t) => {
  t.is(new Set(STATISTICS).size, STATISTICS.length);
  for (const { name, unit } of STATISTICS_TABLE) {
    t.is(unit === 'µs', name.endsWith('Us'), name);
    t.is(unit.endsWith('/s'), /PerSecond/.test(name), name);
  }
  const cic = STATISTICS_TABLE.flatMap((row) =>
    'cic' in row ? row.cic.split(', ') : [],
  );
  t.is(new Set(cic).size, cic.length);
  // 77 columns that are no names of the flow, less one that is there twice.
  t.is(cic.length, 76);
});
