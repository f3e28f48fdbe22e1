import test from 'ava';
import fc from 'fast-check';
import { bootstrap, overSeeds } from '../../../models/evaluate/bootstrap.ts';
import {
  noCanaries,
  randomiseCanaries,
} from '../../../models/evaluate/randomise-canaries.ts';
import {
  areaUnderRoc,
  atThresholds,
  riskCoverage,
} from '../../../models/evaluate/risk.ts';
import { figuresOf } from '../../../models/metrics.ts';
import { seededRandom } from '../../../models/random.ts';
import { confusionMatrix, page, table } from '../../../models/report/html.ts';
import { lineChart } from '../../../models/report/line-chart.ts';
import { HANDSHAKE_BYTES } from '../../../src/features/shapes.ts';
import { handshakeOfMessages } from '../../helpers/canary-hellos.ts';

test('accuracy, macro and weighted F1 come from the counts', (t) => {
  const labels = Int32Array.of(0, 0, 0, 1, 1, 2);
  const predicted = Int32Array.of(0, 0, 1, 1, 1, 0);
  const sessions = ['a', 'a', 'b', 'c', 'd', 'e'];
  const { headline, intervals } = bootstrap(predicted, labels, sessions, 3);
  const { accuracy, macroF1 } = figuresOf(predicted, labels, ['a', 'b', 'c']);
  t.is(headline.accuracy, accuracy);
  t.true(Math.abs(headline.macroF1 - macroF1) < 1e-12);
  // F1 is 2/3, 0.8 and 0, of 3, 2 and 1 flows.
  t.true(Math.abs(headline.weightedF1 - (3 * (2 / 3) + 2 * 0.8) / 6) < 1e-12);
  t.true(intervals.accuracy[0] <= accuracy && accuracy <= intervals.accuracy[1]);
});

test('few sessions make wide intervals, however many flows they have', (t) => {
  const count = 400;
  const labels = new Int32Array(count);
  const predicted = Int32Array.from({ length: count }, (_, b) => (b % 4 === 0 ? 1 : 0));
  const width = (session: (b: number) => number) => {
    const names = Array.from({ length: count }, (_, b) => String(session(b)));
    const [low, high] = bootstrap(predicted, labels, names, 2).intervals.accuracy;
    return high - low;
  };
  // Flows of a session are right or wrong together.
  const together = width((b) => (b % 4 === 0 ? b % 8 : 100 + (b % 16)));
  const apart = width((b) => b);
  t.log(`sessions ${together.toFixed(3)}, flows ${apart.toFixed(3)}`);
  t.true(together > 2 * apart);
  // By the normal distribution 2 x 1.96 x sqrt(0.25 x 0.75 / 400).
  t.true(Math.abs(apart - 0.085) < 0.02);
});

test('over seeds the interval is that of Student', (t) => {
  const { mean, half } = overSeeds([0.9, 0.92, 0.94]);
  t.true(Math.abs(mean - 0.92) < 1e-12);
  t.true(Math.abs((half ?? 0) - (4.3 * 0.02) / Math.sqrt(3)) < 1e-9);
  t.is(overSeeds([0.9]).half, undefined);
});

test('withheld answers make the rest safer, when confidence is worth something', (t) => {
  const probabilities = Float32Array.of(0.9, 0.1, 0.8, 0.2, 0.6, 0.4, 0.55, 0.45);
  const labels = Int32Array.of(0, 0, 0, 1);
  const { points, area } = riskCoverage(probabilities, labels, 2);
  t.deepEqual(points, [
    { coverage: 0.25, risk: 0 },
    { coverage: 0.5, risk: 0 },
    { coverage: 0.75, risk: 0 },
    { coverage: 1, risk: 0.25 },
  ]);
  t.is(area, 0.0625);
  t.deepEqual(atThresholds(probabilities, labels, [0.7, 0.5]), {
    coverage: 0.5,
    accuracy: 1,
  });
});

test('the area under the ROC curve is the share of pairs in order, ties half', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
      (higher, lower) => {
        const pairs = higher.flatMap((h) =>
          lower.map((l) => (h > l ? 1 : h === l ? 0.5 : 0)),
        );
        const wanted = pairs.reduce<number>((a, b) => a + b, 0) / pairs.length;
        const got = areaUnderRoc(Float32Array.from(higher), Float32Array.from(lower));
        return Math.abs(got - wanted) < 1e-9;
      },
    ),
  );
  t.pass();
});

test('names and cipher suites that are shown are drawn anew, and nothing else', (t) => {
  const { shown, occluded, nameAt, suitesAt } = handshakeOfMessages();
  const before = shown.slice();
  const counts = noCanaries();
  randomiseCanaries(shown, seededRandom(1), counts);
  t.deepEqual(counts, { hellos: 1, withName: 1, withCiphers: 1 });
  const moved = [...shown.keys()].filter((i) => shown[i] !== before[i]);
  t.true(moved.length > 0);
  const within = ([from, length]: readonly [number, number], i: number) =>
    i >= from && i < from + length;
  t.true(moved.every((i) => within(nameAt, i) || within(suitesAt, i)));

  const copy = occluded.slice();
  const none = noCanaries();
  randomiseCanaries(occluded, seededRandom(1), none);
  t.deepEqual(none, { hellos: 1, withName: 0, withCiphers: 0 });
  t.deepEqual(occluded, copy);
});

test('no bytes make the canary test fall, and it never writes a hello that is none', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: HANDSHAKE_BYTES }), (bytes) => {
      const row = new Uint8Array(HANDSHAKE_BYTES);
      row.set(bytes);
      const before = row.slice();
      randomiseCanaries(row, seededRandom(1), noCanaries());
      const isHello = before[0] === 1 || before[0] === 2;
      return isHello || Buffer.compare(row, before) === 0;
    }),
  );
  t.pass();
});

test('nothing of a class name becomes markup', (t) => {
  const evil = '<script>alert("1")</script>&\'';
  const parts = [
    table([evil], [[evil]]),
    confusionMatrix([[1]], [evil]),
    lineChart({
      title: evil,
      xLabel: evil,
      yLabel: evil,
      lines: [{ name: evil, points: [[0, 1]] }],
    }),
  ];
  const html = page(evil, parts);
  t.notRegex(html, /<script/);
  t.regex(html, /&lt;script&gt;alert\(&quot;1&quot;\)/);
  t.regex(html, /default-src 'none'/);
});

test('a chart without points is still a chart', (t) => {
  const svg = lineChart({ title: 'empty', xLabel: '', yLabel: '', lines: [] });
  t.notRegex(svg, /NaN|Infinity/);
});
