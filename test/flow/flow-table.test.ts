// Frames in, flow records out: the native flow table through its TypeScript face.

import test from 'ava';
import fc from 'fast-check';
import { type FrameBlock, INDEX_WORDS } from '../../src/capture/frame-index.ts';
import { CaptureError } from '../../src/errors.ts';
import {
  emptyPacket,
  type FlowRecord,
  type SeriesPacket,
} from '../../src/flow/flow-record.ts';
import { FlowTable, type FlowTableOptions } from '../../src/flow/flow-table.ts';
import { TUNNELS, type Tunnel } from '../../src/flow/tunnels.ts';

const LINKTYPE_RAW = 101;
const SYN = 2;
const RST = 4;
const ACK = 16;
const START_SECONDS = 1_700_000_000;
/** Small, so that each test can have its own. */
const SMALL: Partial<FlowTableOptions> = { maxFlows: 1_024, poolBytes: 1 << 20 };

/** A packet as a test wants it; addresses are the last byte of 10.0.0.x or fd00::x. */
interface TestPacket {
  readonly from: number;
  readonly to: number;
  readonly fromPort: number;
  readonly toPort: number;
  readonly version?: 4 | 6;
  readonly transport?: 'tcp' | 'udp';
  readonly flags?: number;
  readonly sequence?: number;
  readonly payload?: number;
  readonly ms?: number;
  /** What the packet comes through, from 10.0.0.101 to 10.0.0.102. */
  readonly tunnel?: Tunnel;
}

function reversed(packet: TestPacket): TestPacket {
  const { from, to, fromPort, toPort } = packet;
  return { ...packet, from: to, to: from, fromPort: toPort, toPort: fromPort };
}

function udpBytes(fromPort: number, toPort: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(8 + payload.byteLength, 4);
  header.writeUInt16BE(fromPort, 0);
  header.writeUInt16BE(toPort, 2);
  return Buffer.concat([header, payload]);
}

function transportBytes(packet: TestPacket): Buffer {
  const payload = Buffer.alloc(packet.payload ?? 0, 0x61);
  if (packet.transport === 'udp') {
    return udpBytes(packet.fromPort, packet.toPort, payload);
  }
  const header = Buffer.alloc(20);
  header.writeUInt16BE(packet.fromPort, 0);
  header.writeUInt16BE(packet.toPort, 2);
  header.writeUInt32BE(packet.sequence ?? 0, 4);
  header.writeUInt8(5 << 4, 12);
  header.writeUInt8(packet.flags ?? ACK, 13);
  header.writeUInt16BE(1_000, 14);
  return Buffer.concat([header, payload]);
}

function ipBytes(packet: TestPacket): Buffer {
  const body = transportBytes(packet);
  const protocol = packet.transport === 'udp' ? 17 : 6;
  if (packet.version === 6) {
    const header = Buffer.alloc(40);
    header.writeUInt8(0x60, 0);
    header.writeUInt16BE(body.byteLength, 4);
    header.writeUInt8(protocol, 6);
    for (const [at, last] of [[8, packet.from] as const, [24, packet.to] as const]) {
      header.writeUInt8(0xfd, at);
      header.writeUInt8(last, at + 15);
    }
    return Buffer.concat([header, body]);
  }
  return ipv4Bytes(packet.from, packet.to, protocol, body);
}

function ipv4Bytes(from: number, to: number, protocol: number, body: Buffer): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(20 + body.byteLength, 2);
  header.writeUInt8(protocol, 9);
  header.set([10, 0, 0, from, 10, 0, 0, to], 12);
  return Buffer.concat([header, body]);
}

/** Protocol and body of an outer packet that carries an IPv4 packet. */
const ENCAPSULATED: Readonly<Record<Tunnel, (inner: Buffer) => [number, Buffer]>> = {
  gre: (inner) => [47, Buffer.concat([Buffer.from('00000800', 'hex'), inner])],
  vxlan: (inner) => {
    const ethernet = Buffer.concat([Buffer.alloc(12), Buffer.from('0800', 'hex'), inner]);
    const header = Buffer.from('0800000000002a00', 'hex');
    return [17, udpBytes(50_000, 4_789, Buffer.concat([header, ethernet]))];
  },
  gtpu: (inner) => {
    const header = Buffer.from('30ff000000000001', 'hex');
    header.writeUInt16BE(inner.byteLength, 2);
    return [17, udpBytes(50_000, 2_152, Buffer.concat([header, inner]))];
  },
  ipip: (inner) => [4, inner],
};

function frameBytes(packet: TestPacket): Buffer {
  const bytes = ipBytes(packet);
  if (packet.tunnel === undefined) return bytes;
  const [protocol, body] = ENCAPSULATED[packet.tunnel](bytes);
  return ipv4Bytes(101, 102, protocol, body);
}

/** A block of raw IP frames; entries of the index as INDEX_WORDS says. */
function blockOf(bytes: Uint8Array, entries: readonly (readonly number[])[]): FrameBlock {
  const index = new Uint32Array(entries.length * INDEX_WORDS);
  for (const [i, entry] of entries.entries()) index.set(entry, i * INDEX_WORDS);
  return { bytes, index, frames: entries.length, linkType: LINKTYPE_RAW };
}

/** Feeds the packets in blocks of the given size and returns copies of all records. */
function flowsOf(
  table: FlowTable,
  packets: readonly TestPacket[],
  blockFrames = packets.length,
): FlowRecord[] {
  const records: FlowRecord[] = [];
  for (let from = 0; from < packets.length; from += blockFrames) {
    const part = packets.slice(from, from + blockFrames);
    const frames = part.map(frameBytes);
    let offset = 0;
    const entries = frames.map(({ length }, i) => {
      const ms = part[i]?.ms ?? 0;
      const seconds = START_SECONDS + Math.floor(ms / 1_000);
      offset += length;
      return [offset - length, length, length, seconds, (ms % 1_000) * 1_000_000];
    });
    for (const batch of table.process(blockOf(Buffer.concat(frames), entries))) {
      for (const flow of batch) records.push(flow.copy());
    }
  }
  for (const batch of table.finish()) {
    for (const flow of batch) records.push(flow.copy());
  }
  return records;
}

function seriesOf(flow: FlowRecord): SeriesPacket[] {
  return Array.from({ length: flow.seriesPackets }, (_, i) => {
    const packet = emptyPacket();
    flow.packet(i, packet);
    return packet;
  });
}

const CLIENT: TestPacket = { from: 1, to: 2, fromPort: 40_000, toPort: 443 };

test('a TCP connection is one flow with its handshake and payload', (t) => {
  const [flow, ...others] = flowsOf(new FlowTable(SMALL), [
    { ...CLIENT, flags: SYN, sequence: 7 },
    { ...reversed(CLIENT), flags: SYN | ACK, sequence: 99, ms: 10 },
    { ...CLIENT, sequence: 8, ms: 20 },
    { ...CLIENT, sequence: 8, payload: 300, ms: 21 },
    { ...reversed(CLIENT), sequence: 100, payload: 1_200, ms: 40 },
  ]);
  t.deepEqual(others, []);
  if (flow === undefined) return t.fail('no flow');
  t.is(flow.transport, 'tcp');
  t.is(flow.client, '10.0.0.1');
  t.is(flow.clientPort, 40_000);
  t.is(flow.server, '10.0.0.2');
  t.is(flow.serverPort, 443);
  t.is(flow.vlan, undefined);
  t.is(flow.endReason, 'flush');
  t.deepEqual(flow.packets, { up: 3, down: 2 });
  t.deepEqual(flow.bytes, { up: 420, down: 1_280 });
  t.deepEqual(flow.payloadBytes, { up: 300, down: 1_200 });
  t.deepEqual(flow.initialWindow, { up: 1_000, down: 1_000 });
  t.is(flow.initialSequence('up'), 8);
  t.is(flow.initialSequence('down'), 100);
  t.is(flow.startUs, START_SECONDS * 1_000_000);
  t.is(flow.durationNs, 40_000_000);
  const series = seriesOf(flow);
  t.deepEqual(
    series.map((packet) => packet.timeNs / 1e6),
    [0, 10, 20, 21, 40],
  );
  t.deepEqual(
    series.map((packet) => packet.payloadLength * packet.direction),
    [0, -0, 0, 300, -1_200],
  );
  t.deepEqual(
    series.map((packet) => packet.tcpFlags),
    [SYN, SYN | ACK, ACK, ACK, ACK],
  );
  const segments = [...flow.segments()];
  t.deepEqual(
    segments.map(({ direction, sequence, bytes }) => [direction, sequence, bytes.length]),
    [
      ['up', 8, 300],
      ['down', 100, 1_200],
    ],
  );
});

test('a port scan makes no records', (t) => {
  const table = new FlowTable(SMALL);
  const probes = Array.from({ length: 500 }, (_, i) => ({
    ...CLIENT,
    toPort: i + 1,
    flags: SYN,
  }));
  const answers = probes.slice(0, 400).map((probe) => ({
    ...reversed(probe),
    flags: RST | ACK,
  }));
  t.deepEqual(flowsOf(table, [...probes, ...answers]), []);
  const counters = table.counters();
  t.is(counters.flowsCreated, 500);
  t.is(counters.flowsWithoutPayload, 500);
  const { rst } = counters.flowsEnded;
  t.is(rst, 400);
  t.is(counters.packets, 900);
  t.is(counters.chunksPeak, 0);
});

test('frames that hold no packet are counted by reason', (t) => {
  const table = new FlowTable(SMALL);
  const block = blockOf(new Uint8Array(100), [
    [0, 50, 50, 0, 0],
    [60, 41, 41, 0, 0],
  ]);
  t.deepEqual([...table.process(block)], []);
  const { drops, frames, packets } = table.counters();
  t.is(frames, 2);
  t.is(packets, 0);
  t.is(drops['bad-ip-version'], 1);
  t.is(drops['bad-index'], 1);
});

const openTunnel = test.macro({
  exec(t, tunnel: Tunnel) {
    const packet = { ...CLIENT, payload: 300, tunnel };
    for (const options of [SMALL, { ...SMALL, tunnels: [tunnel] }]) {
      const [flow, ...others] = flowsOf(new FlowTable(options), [packet, CLIENT]);
      t.deepEqual(others, []);
      t.is(flow?.client, '10.0.0.1');
      t.is(flow?.serverPort, 443);
      t.deepEqual(flow?.bytes, { up: 380, down: 0 });
    }
  },
  title: (_, tunnel) => `a packet through ${tunnel} belongs to the flow inside`,
});
for (const tunnel of TUNNELS) test(openTunnel, tunnel);

const shutTunnel = test.macro({
  exec(t, tunnel: Tunnel, clients: readonly string[], dropped: number) {
    const others = TUNNELS.filter((name) => name !== tunnel);
    const table = new FlowTable({ ...SMALL, tunnels: others });
    const flows = flowsOf(table, [{ ...CLIENT, payload: 300, tunnel }]);
    t.deepEqual(
      flows.map((flow) => flow.client),
      clients,
    );
    t.is(table.counters().drops['other-protocol'], dropped);
  },
  title: (_, tunnel) => `${tunnel} is left alone when it is not to be opened`,
});
test(shutTunnel, 'gre', [], 1);
test(shutTunnel, 'vxlan', ['10.0.0.101'], 0);
test(shutTunnel, 'gtpu', ['10.0.0.101'], 0);
test(shutTunnel, 'ipip', [], 1);

test('a table with the default options takes less than 100 MB', (t) => {
  const { memoryBytes } = new FlowTable();
  t.true(memoryBytes < 100_000_000, `${memoryBytes} bytes`);
});

test('more flows than a batch holds come in several batches', (t) => {
  const table = new FlowTable({ ...SMALL, poolBytes: 8 << 20 });
  const packets = Array.from({ length: 1_000 }, (_, i) => ({
    ...CLIENT,
    fromPort: 1_000 + i,
    payload: 1_400,
  }));
  const flows = flowsOf(table, packets);
  t.is(flows.length, 1_000);
  t.deepEqual(
    flows.map((flow) => flow.clientPort),
    packets.map((packet) => packet.fromPort),
  );
});

const badOptions = test.macro({
  exec(t, options: Record<string, unknown>, message: RegExp) {
    const fault = t.throws(() => new FlowTable(options), {
      instanceOf: CaptureError,
      code: 'ERR_FLOW_TABLE_OPTION',
    });
    t.regex(fault?.message ?? '', message);
  },
  title: (_, options) => `a flow table refuses ${JSON.stringify(options)}`,
});
test(badOptions, { maxFlows: 15 }, /maxFlows is 15, expected .* 16 to/);
test(badOptions, { seriesPackets: 1_025 }, /seriesPackets is 1025/);
test(badOptions, { payloadBytes: 0.5 }, /payloadBytes is 0.5/);
test(badOptions, { poolBytes: '1' }, /poolBytes is "1"/);
test(badOptions, { maxFlows: 100, maxRecords: 101 }, /at most maxFlows, 100/);
test(
  badOptions,
  { maxflows: 100 },
  /maxflows is 100, expected no such option; there are maxFlows, /,
);
test(badOptions, { tunnels: ['gre', 'ipsec'] }, /tunnels is \["gre","ipsec"\], .* ipip/);
test(
  badOptions,
  { readyPackets: [10, 3] },
  /readyPackets is \[10,3\], .* greater than the one before/,
);
test(badOptions, { ports: [0] }, /ports is \[0\], expected at most 1024 ports/);
test(badOptions, { tcp: false, udp: false }, /expected tcp or udp to be wanted/);
test(badOptions, { mtu: 100 }, /mtu is 100, expected 0 or at least 576/);
test(badOptions, { tunnels: 15 }, /tunnels is 15, expected a list/);

/** Few endpoints, so that packets meet. */
const anyPacket: fc.Arbitrary<TestPacket> = fc.record({
  from: fc.integer({ min: 1, max: 4 }),
  to: fc.integer({ min: 1, max: 4 }),
  fromPort: fc.integer({ min: 1, max: 3 }),
  toPort: fc.integer({ min: 1, max: 3 }),
  version: fc.constantFrom(4 as const, 6 as const),
  transport: fc.constantFrom('tcp' as const, 'udp' as const),
  flags: fc.constantFrom(SYN, SYN | ACK, ACK, ACK | 1, RST),
  sequence: fc.integer({ min: 0, max: 3 }),
  payload: fc.constantFrom(0, 0, 1, 300, 1_400),
});

test('a five-tuple and its reverse are one flow', (t) => {
  const table = new FlowTable(SMALL);
  fc.assert(
    fc.property(anyPacket, (any) => {
      const packet = { ...any, payload: 10, flags: ACK };
      const flows = flowsOf(table, [packet, reversed(packet)]);
      t.is(flows.length, 1);
      t.is(flows[0]?.clientPort, packet.fromPort);
      const loop = packet.from === packet.to && packet.fromPort === packet.toPort;
      t.deepEqual(flows[0]?.packets, loop ? { up: 2, down: 0 } : { up: 1, down: 1 });
    }),
  );
});

test('blocks of any size give the same records, whatever the seed', (t) => {
  const timed = fc.array(fc.tuple(anyPacket, fc.constantFrom(0, 1, 40, 2_000, 70_000)), {
    minLength: 1,
    maxLength: 120,
  });
  fc.assert(
    fc.property(timed, fc.integer({ min: 1, max: 50 }), (steps, blockFrames) => {
      let ms = 0;
      const packets = steps.map(([packet, wait]) => {
        ms += wait;
        return { ...packet, ms };
      });
      // A table of 16 flows, so that some are pushed out.
      const options = { maxFlows: 16, poolBytes: 1 << 20 };
      const bytesOf = (flows: readonly FlowRecord[]): string[] =>
        flows.map((flow) => JSON.stringify([describe(flow), seriesOf(flow)]));
      const whole = bytesOf(flowsOf(new FlowTable({ ...options, seed: 1 }), packets));
      const split = flowsOf(new FlowTable({ ...options, seed: 2 }), packets, blockFrames);
      t.deepEqual(bytesOf(split), whole);
    }),
    { numRuns: 60 },
  );
});

function describe(flow: FlowRecord): unknown {
  const { client, clientPort, server, serverPort, transport, endReason } = flow;
  const { packets, bytes, payloadBytes, startUs, durationNs, recordBytes } = flow;
  const segments = [...flow.segments()].map((s) => [
    s.direction,
    s.sequence,
    s.bytes.length,
  ]);
  return [
    [client, clientPort, server, serverPort, transport, endReason],
    [packets, bytes, payloadBytes, startUs, durationNs, recordBytes],
    segments,
  ];
}
