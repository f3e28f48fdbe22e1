import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { InputError } from '../../src/errors.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import {
  type CaptureSummary,
  emptySummary,
  readFlows,
} from '../../src/flow/read-flows.ts';
import {
  classicPcap,
  interfaceBlock,
  packetBlock,
  pcapngBlock,
  sectionHeader,
} from '../helpers/captures.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const LINKTYPE_RAW = 101;
const LITTLE = { littleEndian: true, nanoseconds: false, linkType: LINKTYPE_RAW };

const folder = temporaryFolder('flows');
let files = 0;

/** An IPv4 packet with a UDP datagram from the port to 443. */
function datagram(port: number, payload: number): Buffer {
  const bytes = Buffer.alloc(28 + payload);
  bytes.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
  bytes.writeUInt16BE(bytes.length, 2);
  bytes.writeUInt16BE(port, 20);
  bytes.writeUInt16BE(443, 22);
  bytes.writeUInt16BE(8 + payload, 24);
  return bytes;
}

interface Read {
  readonly flows: readonly FlowRecord[];
  readonly summary: CaptureSummary;
}

async function read(bytes: Uint8Array): Promise<Read> {
  const path = join(folder, `${files++}`);
  await writeFile(path, bytes);
  const summary = emptySummary();
  const flows: FlowRecord[] = [];
  for await (const batch of readFlows(path, {}, summary)) {
    for (const flow of batch) flows.push(flow.copy());
  }
  return { flows, summary };
}

const frames = Array.from({ length: 9_000 }, (_, i) => ({
  bytes: datagram(1 + (i % 3_000), 100 + (i % 900)),
  seconds: 1_600_000_000 + (i >> 6),
  nanoseconds: 0,
}));
const classic = classicPcap(frames, LITTLE);
const modern = Buffer.concat([
  sectionHeader(true),
  interfaceBlock(LINKTYPE_RAW, true),
  packetBlock(0, 1n, datagram(1, 10), true),
  packetBlock(7, 1n, datagram(1, 10), true),
  pcapngBlock(0x0bad, Buffer.alloc(3_000_000), true),
  packetBlock(0, 2n, datagram(1, 10), true),
]);

const CASES: readonly [title: string, bytes: Buffer][] = [
  ['a pcap', classic],
  ['a pcap that breaks off', classic.subarray(0, -3)],
  ['a pcapng', modern],
  ['a pcapng that breaks off', modern.subarray(0, -3)],
  ['a pcapng with a damaged block', Buffer.concat([modern, Buffer.alloc(12)])],
];
for (const [title, bytes] of CASES) {
  test(`${title} gives the same flows and notes as a file and packed`, async (t) => {
    const plain = await read(bytes);
    const packed = await read(gzipSync(bytes));
    t.true(plain.flows.length > 0);
    t.deepEqual(plain.summary, packed.summary);
    t.deepEqual(
      plain.flows.map(({ clientPort, packets, bytes, startUs }) => [
        clientPort,
        packets,
        bytes,
        startUs,
      ]),
      packed.flows.map(({ clientPort, packets, bytes, startUs }) => [
        clientPort,
        packets,
        bytes,
        startUs,
      ]),
    );
  });
}

const REFUSED: readonly [title: string, bytes: Buffer, code: string][] = [
  ['an empty file', Buffer.alloc(0), 'ERR_CAPTURE_EMPTY'],
  ['a file of one byte', Buffer.from('a'), 'ERR_NOT_A_CAPTURE'],
  ['text', Buffer.from('once upon a time, and so on'), 'ERR_NOT_A_CAPTURE'],
  ['a section cut short', sectionHeader(true).subarray(0, 20), 'ERR_NOT_A_CAPTURE'],
];
for (const [title, bytes, code] of REFUSED) {
  test(`${title} is refused as no capture`, async (t) => {
    const fault = await t.throwsAsync(read(bytes), { instanceOf: InputError });
    t.is(fault?.code, code);
  });
}
