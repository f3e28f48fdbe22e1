// A flow as it was after its first packets.

import { join } from 'node:path';
import test from 'ava';
import { cutRecord } from '../../src/flow/cut-record.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { emptySummary, readFlows } from '../../src/flow/read-flows.ts';
import { HEADER_BYTES } from '../../src/flow/record-layout.ts';
import { factsOf } from '../../src/handshake/facts.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { makeRecord, type TestPacket, type TestSegment } from '../helpers/records.ts';
import { ROOT } from '../helpers/sluice.ts';

const packet = (direction: 1 | -1, payloadLength: number): TestPacket => ({
  timeNs: 0,
  ipLength: payloadLength + 40,
  payloadLength,
  direction,
});
const segment = (
  direction: 'up' | 'down',
  sequence: number,
  length: number,
): TestSegment => ({ direction, sequence, bytes: new Uint8Array(length).fill(length) });

const kept = (flow: ReturnType<typeof makeRecord>, packets: number): number[] =>
  Array.from(cutRecord(flow, packets).segments(), ({ sequence }) => sequence);

test('a cut flow holds the payload of its first packets, and no other', (t) => {
  const flow = makeRecord({
    packets: [
      packet(1, 0),
      packet(-1, 0),
      packet(1, 5),
      packet(-1, 7),
      packet(1, 0),
      packet(1, 6),
    ],
    segments: [segment('up', 10, 5), segment('down', 20, 7), segment('up', 15, 6)],
  });
  t.deepEqual(
    [0, 2, 3, 4, 5, 6, 9].map((packets) => kept(flow, packets)),
    [[], [], [10], [10, 20], [10, 20], [10, 20, 15], [10, 20, 15]],
  );
  t.is(cutRecord(flow, 3).seriesPackets, 3);
  t.is(cutRecord(flow, 9).seriesPackets, 6);
});

test('a segment that an offload had joined came with the first of its packets', (t) => {
  const flow = makeRecord({
    packets: [packet(-1, 1448), packet(-1, 1448), packet(-1, 100), packet(-1, 9)],
    segments: [segment('down', 1, 2996), segment('down', 2997, 9)],
  });
  t.deepEqual(kept(flow, 1), [1]);
  t.deepEqual(kept(flow, 3), [1]);
  t.deepEqual(kept(flow, 4), [1, 2997]);
});

test('datagrams know their number', (t) => {
  const flow = makeRecord({
    protocol: 17,
    packets: [packet(1, 5), packet(-1, 7), packet(1, 6)],
    segments: [segment('up', 0, 5), segment('down', 1, 7), segment('up', 2, 6)],
  });
  t.deepEqual(kept(flow, 2), [0, 1]);
});

test('a flow cut nowhere is the same record, cut early it has no handshake yet', async (t) => {
  const capture = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');
  let flows = 0;
  for await (const batch of readFlows(capture, {}, emptySummary())) {
    for (const flow of batch) {
      const handshake = handshakeOf(flow);
      if (flow.transport !== 'tcp' || handshake.state !== 'full') continue;
      flows++;
      t.deepEqual(cutRecord(flow, flow.seriesPackets).raw, flow.raw);
      // SYN, SYN-ACK, ACK.
      t.is(handshakeOf(cutRecord(flow, 3)).state, 'none');
      const hello = cutRecord(flow, 4);
      t.is(factsOf(handshakeOf(hello)).sni, factsOf(handshake).sni);
      t.false(factsOf(handshakeOf(hello)).serverHello);
    }
  }
  t.true(flows >= 20);
});

test('a flow cut at N is the record that was handed over, open, with N packets', async (t) => {
  const capture = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');
  const table = { readyPackets: [3, 5, 10, 30] };
  const open: FlowRecord[] = [];
  const whole = new Map<number, FlowRecord>();
  for await (const batch of readFlows(capture, table, emptySummary())) {
    for (const flow of batch) {
      if (flow.endReason === 'open') open.push(flow.copy());
      else whole.set(flow.id, flow.copy());
    }
  }
  const behindHeader = (flow: FlowRecord) => flow.raw.subarray(HEADER_BYTES);
  for (const early of open) {
    const later = whole.get(early.id);
    if (later === undefined) return t.fail('a flow without an end');
    const cut = cutRecord(later, early.seriesPackets);
    t.deepEqual(behindHeader(cut), behindHeader(early));
    t.deepEqual(handshakeOf(cut), handshakeOf(early));
  }
  // Handed over between blocks of frames: most have some packets more by then.
  t.true(open.length > 20);
  t.true(open.filter(({ seriesPackets }) => seriesPackets < 100).length > 5);
});
