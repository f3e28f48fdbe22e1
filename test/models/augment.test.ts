import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { augment, augmentationSchema, lookRandom } from '../../models/augment.ts';
import {
  jitter,
  lose,
  type Packets,
  packetsOf,
  resize,
  sourceOf,
  stretch,
} from '../../models/augment-packets.ts';
import { seededRandom } from '../../models/random.ts';
import {
  PAPER_PACKETS,
  type PacketSource,
  writePackets,
} from '../../src/features/features.ts';
import { SERIES_CHANNELS } from '../../src/features/shapes.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';

const HEADER_BYTES = 40;
const STEPS = 32;

/** A flow of any packets, in the order of their times, the first at 0. */
const packets: fc.Arbitrary<Packets> = fc
  .array(
    fc.record({
      gapNs: fc.integer({ min: 0, max: 2e9 }),
      payloadLength: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1460 })),
      tcpFlags: fc.constantFrom(2, 16, 24, 17),
      direction: fc.constantFrom<1 | -1>(1, -1),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((rows) => {
    let timeNs = 0;
    return rows.map(({ gapNs, payloadLength, tcpFlags, direction }, i) => {
      timeNs += i === 0 ? 0 : gapNs;
      const ipLength = payloadLength + HEADER_BYTES;
      return { timeNs, payloadLength, ipLength, tcpFlags, direction, behind: false };
    });
  });

const transport = fc.constantFrom<'tcp' | 'udp'>('tcp', 'udp');
const seed = fc.integer({ min: 0, max: 2 ** 31 });

function flow(list: Packets, kind: 'tcp' | 'udp'): PacketSource {
  const like = {
    seriesPackets: 0,
    packet: () => {},
    transport: kind,
    initialWindow: { up: 1, down: 2 },
  };
  return sourceOf(list, like);
}

function holds<Ts>(t: ExecutionContext, property: fc.IProperty<Ts>): void {
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
}

function inTime(list: Packets): boolean {
  return list.every(
    ({ timeNs }, i) => Number.isInteger(timeNs) && timeNs >= (list[i - 1]?.timeNs ?? 0),
  );
}

const everything = augmentationSchema.parse({
  timeStretch: { share: 1 },
  jitter: { share: 1 },
  loss: { share: 1, rate: 0.3 },
  sizeNoise: { share: 1 },
  cut: { share: 1 },
  missingHandshake: { share: 1 },
});

test('with every switch off a flow stays what it is', (t) => {
  const off = augmentationSchema.parse({});
  holds(
    t,
    fc.property(packets, transport, seed, (list, kind, number) => {
      const { source, lookedAfter, handshakeMissing } = augment(
        flow(list, kind),
        off,
        seededRandom(number),
      );
      t.deepEqual(packetsOf(source), list);
      return lookedAfter === Number.POSITIVE_INFINITY && !handshakeMissing;
    }),
  );
});

test('the same seed gives the same look, and the flow that was given is left alone', (t) => {
  holds(
    t,
    fc.property(packets, transport, seed, (list, kind, number) => {
      const before = structuredClone(list);
      const look = () =>
        packetsOf(augment(flow(list, kind), everything, lookRandom(number, 3, 7)).source);
      t.deepEqual(look(), look());
      t.deepEqual(list, before);
    }),
  );
});

test('another seed, epoch or flow gives other random numbers', (t) => {
  const draws = [
    [1, 1, 1],
    [2, 1, 1],
    [1, 2, 1],
    [1, 1, 2],
  ].map(([s = 0, e = 0, f = 0]) => lookRandom(s, e, f)());
  t.is(new Set(draws).size, draws.length);
});

test('whatever is done, times stay in order and begin at 0', (t) => {
  holds(
    t,
    fc.property(packets, transport, seed, (list, kind, number) => {
      const made = packetsOf(
        augment(flow(list, kind), everything, seededRandom(number)).source,
      );
      return inTime(made) && (made[0]?.timeNs ?? 0) === 0;
    }),
  );
});

test('stretching changes times by one factor and nothing else', (t) => {
  holds(
    t,
    fc.property(
      packets,
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      (list, factor) => {
        const made = stretch(list, factor);
        t.deepEqual(
          made.map((p) => ({ ...p, timeNs: 0 })),
          list.map((p) => ({ ...p, timeNs: 0 })),
        );
        return made.every(
          (p, i) => Math.abs(p.timeNs - (list[i]?.timeNs ?? 0) * factor) <= 0.5,
        );
      },
    ),
  );
});

test('jitter makes packets late, never early, and keeps their order', (t) => {
  holds(
    t,
    fc.property(packets, seed, (list, number) => {
      const made = jitter(list, 5e6, seededRandom(number));
      return inTime(made) && made.every((p, i) => p.timeNs >= (list[i]?.timeNs ?? 0));
    }),
  );
});

test('what TCP loses comes again: of each packet at least one is left, behind the others', (t) => {
  holds(
    t,
    fc.property(packets, seed, (list, number) => {
      const made = lose(list, 'tcp', 0.5, seededRandom(number));
      const key = ({ payloadLength, direction, tcpFlags }: Packets[number]) =>
        `${payloadLength} ${direction} ${tcpFlags}`;
      const left = made.map(key);
      for (const packet of list) {
        const at = left.indexOf(key(packet));
        if (at < 0) return false;
        left.splice(at, 1);
      }
      // What is there besides was seen twice.
      const twice = made.length - list.length;
      return inTime(made) && made.filter((p) => p.behind).length >= twice;
    }),
  );
});

test('a packet that was sent again is marked as one that starts behind what had been sent', (t) => {
  const list = Array.from({ length: 20 }, (_, i) => ({
    timeNs: i * 1e6,
    payloadLength: 100 + i,
    ipLength: 140 + i,
    tcpFlags: 24,
    direction: 1 as const,
    behind: false,
  }));
  const made = lose(list, 'tcp', 0.3, seededRandom(4));
  let furthest = 0;
  let again = 0;
  for (const packet of made) {
    t.is(
      packet.behind,
      packet.payloadLength <= furthest,
      `payload ${packet.payloadLength} after ${furthest}`,
    );
    if (packet.behind) again++;
    furthest = Math.max(furthest, packet.payloadLength);
  }
  t.true(again > 0);
});

test('what UDP loses is gone, but for the first packet and those without payload', (t) => {
  holds(
    t,
    fc.property(packets, seed, (list, number) => {
      const made = lose(list, 'udp', 0.5, seededRandom(number));
      const rest = list.filter((p, i) => i === 0 || p.payloadLength === 0);
      t.deepEqual(
        made.filter((p) => p === list[0] || p.payloadLength === 0),
        rest,
      );
      return made.every((p) => list.includes(p));
    }),
  );
});

test('size noise keeps headers, directions and times, and no packet gets empty or larger than a link', (t) => {
  holds(
    t,
    fc.property(packets, seed, (list, number) => {
      const made = resize(list, 0.7, 16, seededRandom(number));
      return made.every((packet, i) => {
        const was = list[i];
        if (was === undefined) return false;
        const change = packet.payloadLength - was.payloadLength;
        return (
          packet.ipLength - packet.payloadLength === HEADER_BYTES &&
          packet.timeNs === was.timeNs &&
          packet.direction === was.direction &&
          Math.abs(change) <= 16 &&
          packet.ipLength <= 1500 &&
          packet.payloadLength > 0 === was.payloadLength > 0
        );
      });
    }),
  );
});

test('a cut flow has the features of one that ended there', (t) => {
  const cut = augmentationSchema.parse({ cut: { share: 1, packets: [5] } });
  const spec = { ...PAPER_PACKETS, packets: STEPS };
  const features = (source: PacketSource) => {
    const series = new Float32Array(STEPS * SERIES_CHANNELS);
    const statistics = new Float64Array(STATISTICS.length);
    writePackets(source, spec, series, statistics);
    return { series, statistics };
  };
  holds(
    t,
    fc.property(packets, transport, seed, (list, kind, number) => {
      const { source, lookedAfter } = augment(
        flow(list, kind),
        cut,
        seededRandom(number),
      );
      t.deepEqual(features(source), features(flow(list.slice(0, 5), kind)));
      return lookedAfter === 5;
    }),
  );
});

test('statistics are those of the changed packets, not of the flow as it was', (t) => {
  const list = Array.from({ length: 10 }, (_, i) => ({
    timeNs: i * 1e6,
    payloadLength: 500,
    ipLength: 540,
    tcpFlags: 24,
    direction: 1 as const,
    behind: false,
  }));
  const stretched = augmentationSchema.parse({ timeStretch: { share: 1, factor: 4 } });
  const { source } = augment(flow(list, 'tcp'), stretched, seededRandom(2));
  const statistics = new Float64Array(STATISTICS.length);
  writePackets(
    source,
    { ...PAPER_PACKETS, packets: STEPS },
    new Float32Array(STEPS * SERIES_CHANNELS),
    statistics,
  );
  const durationUs = statistics[STATISTICS.indexOf('durationUs')];
  t.is(durationUs, (packetsOf(source).at(-1)?.timeNs ?? 0) / 1000);
  t.not(durationUs, 9000);
});

test('a switch that is turned leaves what the others draw alone', (t) => {
  const list: Packets = [
    {
      timeNs: 0,
      payloadLength: 9,
      ipLength: 49,
      tcpFlags: 24,
      direction: 1,
      behind: false,
    },
  ];
  const missing = (more: object) =>
    Array.from({ length: 50 }, (_, i) => {
      const options = augmentationSchema.parse({
        missingHandshake: { share: 0.5 },
        ...more,
      });
      return augment(flow(list, 'tcp'), options, seededRandom(i)).handshakeMissing;
    });
  t.deepEqual(
    missing({}),
    missing({ jitter: { share: 1 }, loss: { share: 1 }, cut: { share: 1 } }),
  );
  const times = missing({}).filter(Boolean).length;
  t.true(times > 10 && times < 40, `${times} of 50 at share 0.5`);
});
