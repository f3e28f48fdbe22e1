// Series and inputs of models; statistics have their own file.

import test from 'ava';
import fc from 'fast-check';
import { featuresOf, PAPER_PACKETS } from '../../src/features/features.ts';
import {
  fitStatistics,
  IAT_NORMALISERS,
  normaliseStatistics,
  SIZE_NORMALISERS,
} from '../../src/features/normalise.ts';
import { SERIES_CHANNELS } from '../../src/features/shapes.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { cutRecord } from '../../src/flow/cut-record.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { paperSpec, seriesOf, statisticsOf } from '../helpers/features.ts';
import { anyPackets, CONVERSATION } from '../helpers/packets.ts';
import { makeRecord } from '../helpers/records.ts';

test('the series is time, size and direction per packet, zero-padded', (t) => {
  const flow = makeRecord({ packets: CONVERSATION });
  const { series } = featuresOf(flow, handshakeOf(flow), paperSpec(8));
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
  t.is(IAT_NORMALISERS['sign-log-ms'](-0.01), -Math.log(11));
  t.is(IAT_NORMALISERS['sign-log-us'](-0.01), -Math.log(10_001));
  t.is(IAT_NORMALISERS.seconds(-0.01), -0.01);
});

test('a size may leave as an exact signed number', (t) => {
  const spec = { ...paperSpec(8), size: 'signed-bytes' as const };
  const sizes = seriesOf(makeRecord({ packets: CONVERSATION }), spec).map(
    ([, size]) => size,
  );
  t.deepEqual(sizes, [60, -60, 557, -1500, -152]);
  for (const bytes of [0, 1, 65_535]) {
    t.is(Math.fround(SIZE_NORMALISERS['signed-bytes'](bytes, 1)), bytes);
    t.is(Math.fround(SIZE_NORMALISERS['signed-bytes'](bytes, -1)), 0 - bytes);
  }
});

test('features of the first N packets are those of a flow that ends there', (t) => {
  fc.assert(
    fc.property(anyPackets, fc.integer({ min: 1, max: 40 }), (all, n) => {
      const whole = makeRecord({ packets: all, windowUp: 1, windowDown: 2 });
      const ended = makeRecord({ packets: all.slice(0, n), windowUp: 1, windowDown: 2 });
      const early = featuresOf(whole, handshakeOf(whole), paperSpec(40, n));
      t.deepEqual(early, featuresOf(ended, handshakeOf(ended), paperSpec(40)));
      const cut = cutRecord(whole, n);
      t.deepEqual(early, featuresOf(cut, handshakeOf(cut), paperSpec(40)));
    }),
  );
});

test('T bounds the packets that count, in series and statistics alike', (t) => {
  fc.assert(
    fc.property(anyPackets, fc.integer({ min: 1, max: 40 }), (all, steps) => {
      const flow = makeRecord({ packets: all });
      t.deepEqual(
        statisticsOf(flow, paperSpec(steps, 40)),
        statisticsOf(flow, paperSpec(40, steps)),
      );
      t.is(seriesOf(flow, paperSpec(steps, 40)).length, Math.min(steps, all.length));
    }),
  );
});

test('a packet more changes its own row of the series alone', (t) => {
  fc.assert(
    fc.property(anyPackets, (all) => {
      const before = seriesOf(makeRecord({ packets: all.slice(0, -1) }), paperSpec(40));
      const after = seriesOf(makeRecord({ packets: all }), paperSpec(40));
      t.is(after.length, all.length);
      t.deepEqual(after.slice(0, -1), before);
    }),
  );
});

test('normalised statistics are finite and within the clip, whatever the flow', (t) => {
  for (const kind of ['z-score', 'sign-log-z-score'] as const) {
    const rows = [CONVERSATION, CONVERSATION.slice(0, 2), CONVERSATION.slice(0, 3)].map(
      (packets) => Object.values(statisticsOf(makeRecord({ packets }))),
    );
    const normaliser = fitStatistics(rows, STATISTICS.length, 4, kind);
    fc.assert(
      fc.property(anyPackets, (packets) => {
        const raw = Object.values(statisticsOf(makeRecord({ packets })));
        const into = new Float32Array(STATISTICS.length);
        normaliseStatistics(raw, normaliser, into);
        return into.every((value) => Math.abs(value) <= 4);
      }),
    );
  }
  t.pass();
});

test('a z-score is the distance from the mean in deviations', (t) => {
  const normaliser = fitStatistics([[1], [3]], 1, 4, 'z-score');
  const into = new Float32Array(1);
  normaliseStatistics([4], normaliser, into);
  t.deepEqual([...into], [2]);
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

test("the paper's choices are the defaults", (t) => {
  t.deepEqual(PAPER_PACKETS, {
    counted: { kinds: 'all', repeats: true, length: 'ip' },
    iat: 'sign-log-ms',
    size: 'per-128',
  });
  t.is(seriesOf(makeRecord({ packets: CONVERSATION }), paperSpec(9)).length, 5);
});
