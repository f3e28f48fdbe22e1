import test from 'ava';
import fc from 'fast-check';
import { type FeatureSpec, featuresOf } from '../../src/features/features.ts';
import {
  fitStatistics,
  normaliseIat,
  normaliseStatistics,
} from '../../src/features/normalise.ts';
import { SERIES_CHANNELS } from '../../src/features/shapes.ts';
import {
  STATISTICS,
  type StatisticName,
  writeStatistics,
} from '../../src/features/statistics.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { makeRecord, type TestPacket } from '../helpers/records.ts';

/** By name, for people. */
function namedStatistics(
  flow: ReturnType<typeof makeRecord>,
  packets: number,
): Record<StatisticName, number> {
  const values = new Float64Array(STATISTICS.length);
  writeStatistics(flow, packets, values);
  const named = STATISTICS.map((name, s) => [name, values[s] ?? Number.NaN]);
  return Object.fromEntries(named);
}

const SPEC: FeatureSpec = {
  seriesSteps: 8,
  packets: 8,
  occlusion: { shown: [] },
};
const MS = 1_000_000;

const PACKETS: readonly TestPacket[] = [
  { timeNs: 0, ipLength: 60, payloadLength: 0, tcpFlags: 2, direction: 1 },
  { timeNs: 10 * MS, ipLength: 60, payloadLength: 0, tcpFlags: 18, direction: -1 },
  { timeNs: 11 * MS, ipLength: 557, payloadLength: 505, tcpFlags: 24, direction: 1 },
  { timeNs: 31 * MS, ipLength: 1500, payloadLength: 1448, tcpFlags: 16, direction: -1 },
  { timeNs: 32 * MS, ipLength: 152, payloadLength: 100, tcpFlags: 25, direction: -1 },
];

test('the series is time, size and direction per packet, zero-padded', (t) => {
  const flow = makeRecord({ packets: PACKETS });
  const { series } = featuresOf(flow, handshakeOf(flow), SPEC);
  t.is(series.length, 8 * SERIES_CHANNELS);
  const f = Math.fround;
  t.deepEqual(
    [...series.subarray(0, 12)],
    [
      ...[0, f(60 / 128), 1],
      ...[f(Math.log(11)), f(60 / 128), -1],
      ...[f(Math.log(2)), f(557 / 128), 1],
      ...[f(Math.log(21)), f(1500 / 128), -1],
    ],
  );
  t.true(series.subarray(15).every((value) => value === 0));
});

test('a packet stamped before its predecessor has a negative inter-arrival time', (t) => {
  t.is(normaliseIat(-0.01), -Math.log(11));
});

test('statistics follow the formulas', (t) => {
  const got = namedStatistics(makeRecord({ packets: PACKETS }), 100);
  const want: Partial<Record<StatisticName, number>> = {
    durationUs: 32_000,
    packetsUp: 2,
    packetsDown: 3,
    bytesUp: 617,
    bytesDown: 1712,
    payloadBytesDown: 1548,
    payloadPacketsUp: 1,
    sizeUpMean: 308.5,
    sizeUpDeviation: Math.sqrt(2 * 248.5 ** 2),
    sizeDownMin: 60,
    sizeDownMax: 1500,
    iatUpMeanUs: 11_000,
    iatDownMaxUs: 21_000,
    iatDownMinUs: 1_000,
    iatMeanUs: 8_000,
    bytesPerSecond: 2329 / 0.032,
    downUpPacketRatio: 1.5,
    finPackets: 1,
    synPackets: 2,
    pshPacketsUp: 1,
    pshPacketsDown: 1,
    ackPackets: 4,
    smallPackets: 1,
    fullPackets: 1,
    directionChanges: 3,
    firstDownDelayUs: 10_000,
  };
  for (const [name, value] of Object.entries(want)) {
    const difference = Math.abs(got[name as StatisticName] - value);
    t.true(
      difference <= 1e-9 * Math.abs(value),
      `${name}: ${got[name as StatisticName]}, ${value}`,
    );
  }
});

test('a statistic without a value is NaN or infinite, never a made-up number', (t) => {
  const one = namedStatistics(makeRecord({ packets: PACKETS.slice(0, 1) }), 100);
  t.is(one.sizeDownMean, Number.NaN);
  t.is(one.sizeUpDeviation, Number.NaN);
  t.is(one.iatMeanUs, Number.NaN);
  t.is(one.bytesPerSecond, Number.POSITIVE_INFINITY);
  t.is(one.downUpPacketRatio, 0);
});

const packets = fc.array(
  fc.record({
    timeNs: fc.nat(60_000 * MS),
    ipLength: fc.integer({ min: 20, max: 65_535 }),
    payloadLength: fc.nat(65_495),
    tcpFlags: fc.nat(255),
    direction: fc.constantFrom<1 | -1>(1, -1),
  }),
  { minLength: 1, maxLength: 40 },
);

test('features cut at N are the features of the flow whose packets end at N', (t) => {
  fc.assert(
    fc.property(packets, fc.integer({ min: 1, max: 40 }), (all, n) => {
      const spec = { ...SPEC, seriesSteps: 40, packets: n };
      const whole = makeRecord({ packets: all });
      const cut = makeRecord({ packets: all.slice(0, n) });
      t.deepEqual(
        featuresOf(whole, handshakeOf(whole), spec),
        featuresOf(cut, handshakeOf(cut), spec),
      );
    }),
  );
});

test('exchanging the directions exchanges the statistics of up and down', (t) => {
  const pairs = STATISTICS.filter(
    (name) => name.includes('Up') && !name.includes('Ratio'),
  ).map((up) => [up, up.replace('Up', 'Down') as StatisticName] as const);
  fc.assert(
    fc.property(packets, (all) => {
      const turned = all.map(
        (p) => ({ ...p, direction: p.direction === 1 ? -1 : 1 }) as const,
      );
      const a = namedStatistics(makeRecord({ packets: all }), 40);
      const b = namedStatistics(makeRecord({ packets: turned }), 40);
      return pairs.every(
        ([up, down]) => Object.is(a[up], b[down]) && Object.is(a[down], b[up]),
      );
    }),
  );
  t.true(pairs.length >= 15);
});

test('normalised statistics are finite and within the clip, whatever the flow', (t) => {
  const normaliser = fitStatistics(
    [PACKETS, PACKETS.slice(0, 2), PACKETS.slice(0, 3)].map((list) => {
      const named = namedStatistics(makeRecord({ packets: list }), 100);
      return STATISTICS.map((name) => named[name]);
    }),
    STATISTICS.length,
    4,
  );
  fc.assert(
    fc.property(packets, (all) => {
      const named = namedStatistics(makeRecord({ packets: all }), 40);
      const into = new Float32Array(STATISTICS.length);
      normaliseStatistics(
        STATISTICS.map((name) => named[name]),
        normaliser,
        into,
      );
      return into.every((value) => Math.abs(value) <= 4);
    }),
  );
  t.pass();
});

test('values without a number are replaced as the paper does', (t) => {
  const into = new Float32Array(4);
  const normaliser = {
    kind: 'sign-log-z-score' as const,
    mean: [0, 0, 0, 0],
    deviation: [1, 1, 1, 0],
    clip: 4,
  };
  normaliseStatistics([Number.NaN, Infinity, -Infinity, 9], normaliser, into);
  t.deepEqual([...into], [-1, 2, -2, 0]);
});
