import test from 'ava';
import fc from 'fast-check';
import { axisOf } from '../../src/plot/axis.ts';
import { flowSvg } from '../../src/plot/flow-svg.ts';
import { anyPackets, CONVERSATION } from '../helpers/packets.ts';
import { makeRecord } from '../helpers/records.ts';

const WORDS = { title: 'a → b', subtitle: 'words' };

test('an axis has round numbers and holds its range', (t) => {
  t.deepEqual(axisOf(0, 1448, 5).ticks, [0, 500, 1000, 1500]);
  t.deepEqual(axisOf(-60, 557, 4).ticks, [-200, 0, 200, 400, 600]);
  t.deepEqual(axisOf(0, 0.3, 3).ticks, [0, 0.1, 0.2, 0.3]);
  fc.assert(
    fc.property(
      // Bytes, packets, or seconds to the nanosecond.
      fc.constantFrom(1, 1e-9),
      fc.integer({ min: -65_535, max: 65_535 }),
      fc.nat(),
      (unit, from, length) => {
        const [least, span] = [from * unit, length * unit];
        const { ticks, share } = axisOf(least, least + span, 8);
        const inside = (value: number) =>
          share(value) >= -1e-6 && share(value) <= 1 + 1e-6;
        return inside(least) && inside(least + span) && ticks.length <= 12;
      },
    ),
  );
});

test('a picture has a stem a packet, up above the line and down below', (t) => {
  const svg = flowSvg(makeRecord({ packets: CONVERSATION }), { x: 'packet', ...WORDS });
  const stems = [
    ...svg.matchAll(/<line class="(up|down)[^"]*"[^>]* y1="([\d.]+)" y2="([\d.]+)"/g),
  ];
  t.is(stems.length, CONVERSATION.length);
  stems.forEach(([, way, zero, end], i) => {
    t.is(way, CONVERSATION[i]?.direction === 1 ? 'up' : 'down');
    t.is(Number(end) < Number(zero), way === 'up');
  });
});

test('whatever the packets, every number of a picture is finite', (t) => {
  fc.assert(
    fc.property(
      anyPackets,
      fc.constantFrom('time' as const, 'packet' as const),
      (packets, x) => {
        const svg = flowSvg(makeRecord({ packets }), { x, ...WORDS });
        return !/NaN|Infinity|undefined/.test(svg);
      },
    ),
  );
  t.pass();
});

test('a flow without a packet that is described is an empty picture', (t) => {
  for (const x of ['time', 'packet'] as const) {
    const svg = flowSvg(makeRecord({ packets: [] }), { x, ...WORDS });
    t.false(/NaN|Infinity/.test(svg));
  }
});

test('a name in a capture cannot end the picture', (t) => {
  const svg = flowSvg(makeRecord({ packets: CONVERSATION }), {
    x: 'time',
    title: '</title><script>&"',
    subtitle: 'a\u0000<b>',
  });
  t.false(svg.includes('<script>'));
  t.false(svg.includes('<b>'));
  t.false(svg.includes('\u0000'));
});
