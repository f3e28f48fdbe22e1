import test from 'ava';
import fc from 'fast-check';
import type { FeatureSpec, PacketSource } from '../../src/features/features.ts';
import {
  counts,
  PAPER_RULE,
  PAYLOAD_RULE,
  type PacketRule,
  recordPackets,
} from '../../src/features/packet-rule.ts';
import { SERIES_STEPS_MAX } from '../../src/features/shapes.ts';
import { emptyPacket, type SeriesPacket } from '../../src/flow/flow-record.ts';
import { paperSpec, seriesOf, statisticsOf } from '../helpers/features.ts';
import { anyPackets } from '../helpers/packets.ts';
import { makeRecord, type TestPacket } from '../helpers/records.ts';

const [SYN, ACK, FIN, RST] = [2, 16, 1, 4];

const packet = (own: Partial<SeriesPacket>): SeriesPacket => ({
  ...emptyPacket(),
  ...own,
});

const table = test.macro({
  exec(t, rule: Partial<PacketRule>, own: Partial<SeriesPacket>, expected: boolean) {
    t.is(counts(packet(own), { ...PAPER_RULE, ...rule }), expected);
  },
  title: (_title, rule, own, expected) =>
    `by ${JSON.stringify(rule)} ${JSON.stringify(own)} ${expected ? 'counts' : 'does not count'}`,
});

test(table, {}, { tcpFlags: ACK }, true);
test(table, {}, { tcpFlags: ACK, payloadLength: 9, behind: true }, true);
test(table, { kinds: 'no-bare-acks' }, { tcpFlags: ACK }, false);
test(table, { kinds: 'no-bare-acks' }, { tcpFlags: ACK, payloadLength: 1 }, true);
test(table, { kinds: 'no-bare-acks' }, { tcpFlags: SYN }, true);
test(table, { kinds: 'no-bare-acks' }, { tcpFlags: SYN | ACK }, true);
test(table, { kinds: 'no-bare-acks' }, { tcpFlags: FIN | ACK }, true);
test(table, { kinds: 'no-bare-acks' }, { tcpFlags: RST | ACK }, true);
test(table, { kinds: 'no-bare-acks' }, { tcpFlags: 0 }, true);
test(table, { kinds: 'payload' }, { tcpFlags: SYN }, false);
test(table, { kinds: 'payload' }, { tcpFlags: 0 }, false);
test(table, { kinds: 'payload' }, { tcpFlags: 0, payloadLength: 1 }, true);
test(table, { repeats: false }, { payloadLength: 9, behind: true }, false);
test(table, { repeats: false }, { payloadLength: 9 }, true);

test('a record holds enough packets for a series that leaves some out', (t) => {
  t.is(recordPackets(128, PAPER_RULE), 128);
  t.is(recordPackets(SERIES_STEPS_MAX, PAPER_RULE), SERIES_STEPS_MAX);
  t.true(recordPackets(128, PAYLOAD_RULE) > 128);
  t.is(recordPackets(SERIES_STEPS_MAX, PAYLOAD_RULE), SERIES_STEPS_MAX);
});

/** A line of a public data set: packets with payload, each once and in order; size is payload, + up. */
interface PublicSeries {
  readonly size: readonly number[];
  readonly iatUs: readonly number[];
}

/** As a training on such a data set reads it. */
function sourceOf({ size, iatUs }: PublicSeries): PacketSource {
  let timeUs = 0;
  const times = iatUs.map((us) => {
    timeUs += us;
    return timeUs;
  });
  return {
    seriesPackets: size.length,
    transport: 'udp',
    initialWindow: { up: 0, down: 0 },
    packet: (i, into) => {
      const signed = size[i] ?? 0;
      Object.assign(into, {
        ...emptyPacket(),
        timeNs: (times[i] ?? 0) * 1000,
        payloadLength: Math.abs(signed),
        direction: signed > 0 ? 1 : -1,
      });
    },
  };
}

/** What its authors would have made of a flow. */
function published(packets: readonly TestPacket[]): PublicSeries {
  const kept = packets.filter((p) => p.payloadLength > 0 && p.behind !== true);
  return {
    size: kept.map((p) => p.payloadLength * p.direction),
    iatUs: kept.map((p, i) => (p.timeNs - (kept[i - 1] ?? p).timeNs) / 1000),
  };
}

test('a public series of payload packets and the flow it was made of give one series', (t) => {
  const spec: FeatureSpec = {
    ...paperSpec(20, 40),
    counted: PAYLOAD_RULE,
    size: 'signed-bytes',
  };
  fc.assert(
    fc.property(anyPackets, (any) => {
      const all = any.map((p) => ({ ...p, timeNs: p.timeNs - (p.timeNs % 1000) }));
      const flow = makeRecord({ packets: all });
      const source = sourceOf(published(all));
      t.deepEqual(seriesOf(flow, spec), seriesOf(source, spec));
      const [own, theirs] = [statisticsOf(flow, spec), statisticsOf(source, spec)];
      for (const name of [
        'packetsUp',
        'bytesDown',
        'sizeMean',
        'bulkUpBytesMean',
      ] as const)
        t.is(own[name], theirs[name], name);
    }),
  );
});

test('by payload a size is the payload, in series and statistics', (t) => {
  const flow = makeRecord({
    packets: [
      { timeNs: 0, ipLength: 60, payloadLength: 0, direction: 1 },
      { timeNs: 1, ipLength: 140, payloadLength: 100, direction: 1 },
    ],
  });
  const spec: FeatureSpec = {
    ...paperSpec(4),
    counted: PAYLOAD_RULE,
    size: 'signed-bytes',
  };
  t.deepEqual(seriesOf(flow, spec), [[0, 100, 1]]);
  const { bytesUp, sizeMax, headerBytesUp } = statisticsOf(flow, spec);
  t.deepEqual(
    { bytesUp, sizeMax, headerBytesUp },
    { bytesUp: 100, sizeMax: 100, headerBytesUp: 40 },
  );
});
