import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type Frame, LINKTYPE_RAW, parseFrame } from '../../lab/frame.ts';
import {
  captureHeader,
  captureRecord,
  type Packet,
  readPackets,
} from '../../lab/packets.ts';
import { type TrimOptions, trimCapture } from '../../lab/trim.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const ETHERNET_BYTES = 14;
const IPV6_BYTES = 40;
const TCP_BYTES = 32;
const SYN = 2;
const ACK = 16;

interface Made {
  readonly up: boolean;
  readonly payload: number;
  readonly flags?: number;
  readonly port?: number;
}

/** A TCP packet over IPv6 between 2001:db8::1 and 2001:db8:0:1::2. */
function tcpFrame({ up, payload, flags = ACK, port = 50_000 }: Made): Uint8Array {
  const bytes = new Uint8Array(ETHERNET_BYTES + IPV6_BYTES + TCP_BYTES + payload).fill(
    0xee,
  );
  const view = new DataView(bytes.buffer);
  view.setUint16(12, 0x86dd);
  view.setUint8(ETHERNET_BYTES, 0x60);
  view.setUint16(ETHERNET_BYTES + 4, TCP_BYTES + payload);
  view.setUint8(ETHERNET_BYTES + 6, 6);
  const client = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1];
  const server = [0x2001, 0xdb8, 0, 1, 0, 0, 0, 2];
  for (const [i, group] of [
    ...(up ? client : server),
    ...(up ? server : client),
  ].entries()) {
    view.setUint16(ETHERNET_BYTES + 8 + 2 * i, group);
  }
  const tcp = ETHERNET_BYTES + IPV6_BYTES;
  view.setUint16(tcp, up ? port : 443);
  view.setUint16(tcp + 2, up ? 443 : port);
  view.setUint8(tcp + 12, (TCP_BYTES / 4) << 4);
  view.setUint8(tcp + 13, flags);
  return bytes;
}

function packet(made: Made, timeUs: number): Packet {
  const bytes = tcpFrame(made);
  const frame = parseFrame(bytes);
  if (frame === undefined) throw new Error('the frame of the test cannot be parsed');
  return { frame, bytes, wireBytes: bytes.byteLength, timeUs };
}

interface Seen {
  readonly captured: number;
  readonly wireBytes: number;
  readonly ipBytes: number;
  readonly timeUs: number;
}

async function trimmed(packets: readonly Packet[], options: TrimOptions) {
  const directory = temporaryFolder('trim');
  const records = packets.map((one) => captureRecord(one, one.bytes.byteLength));
  const from = join(directory, 'from.pcap');
  const to = join(directory, 'to.pcap.gz');
  writeFileSync(from, Buffer.concat([captureHeader(), ...records]));
  const summary = await trimCapture(from, to, options);
  const seen: Seen[] = [];
  for await (const { bytes, wireBytes, frame, timeUs } of readPackets(to)) {
    seen.push({
      captured: bytes.byteLength,
      wireBytes,
      ipBytes: frame.ipBytes,
      timeUs,
    });
  }
  return { summary, seen };
}

const headers = ETHERNET_BYTES + IPV6_BYTES + TCP_BYTES;
const options = { flowPackets: 5, wholePackets: 3, payloadBytes: 250 };

test('a frame tells its flow and where its payload starts', (t) => {
  t.deepEqual(parseFrame(tcpFrame({ up: true, payload: 10, flags: SYN })), {
    protocol: 6,
    source: '2001:db8::1',
    sourcePort: 50_000,
    destination: '2001:db8:0:1::2',
    destinationPort: 443,
    ipBytes: IPV6_BYTES + TCP_BYTES + 10,
    headerBytes: headers,
    linkBytes: ETHERNET_BYTES,
    opens: true,
  });
});

test('a raw IP packet is the same without its link', (t) => {
  const frame = tcpFrame({ up: false, payload: 10 });
  const raw = parseFrame(frame.subarray(ETHERNET_BYTES), LINKTYPE_RAW);
  t.deepEqual(raw, {
    ...(parseFrame(frame) as Frame),
    headerBytes: headers - ETHERNET_BYTES,
    linkBytes: 0,
  });
  t.is(
    parseFrame(frame.subarray(ETHERNET_BYTES, ETHERNET_BYTES + 19), LINKTYPE_RAW),
    undefined,
  );
});

test('a frame cut inside its headers is none', (t) => {
  const whole = tcpFrame({ up: true, payload: 10 });
  for (const length of [0, 13, 34, 60, headers - 13]) {
    t.is(parseFrame(whole.subarray(0, length)), undefined);
  }
});

test('trimming keeps times and lengths and cuts payload', async (t) => {
  const start = 1_790_000_000_000_123;
  const packets = [
    packet({ up: true, payload: 200 }, start),
    packet({ up: true, payload: 200 }, start + 1),
    packet({ up: false, payload: 200 }, start + 2),
    packet({ up: true, payload: 1000 }, start + 999_999),
    packet({ up: false, payload: 3 }, start + 1_000_000),
    packet({ up: false, payload: 3 }, start + 2_000_000),
  ];
  const { summary, seen } = await trimmed(packets, options);
  t.deepEqual(
    seen.map(({ captured }) => captured - headers),
    [200, 50, 200, 0, 0],
  );
  t.deepEqual(
    seen.map(({ captured: _, ...rest }) => rest),
    packets.slice(0, 5).map(({ wireBytes, timeUs, frame }) => ({
      wireBytes,
      timeUs,
      ipBytes: frame.ipBytes,
    })),
  );
  t.like(summary, { flows: 1, packets: 6, packetsKept: 5 });
});

test('each flow has its own bounds', async (t) => {
  const packets = [50_001, 50_002, 50_003].flatMap((port) =>
    Array.from({ length: 7 }, (_, i) => packet({ up: true, payload: 9, port }, i)),
  );
  const { summary, seen } = await trimmed(packets, options);
  t.like(summary, { flows: 3, packets: 21, packetsKept: 15 });
  t.is(seen.length, 15);
});
