// The captures that peers are compared on: are they what the comparison says they are?

import { execFile, execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { conversation, SEGMENT_BYTES } from '../../bench/peers/conversation.ts';
import { checksum } from '../../bench/peers/frames.ts';
import { type CaptureFacts, makeCapture } from '../../bench/peers/make-capture.ts';
import { inDirectory } from '../../bench/peers/measure.ts';
import type { Recording } from '../../bench/peers/recording.ts';
import { spread } from '../../bench/peers/report.ts';
import { Draw } from '../../lab/draw.ts';
import { readPackets } from '../../lab/packets.ts';
import { emptySummary, readFlows } from '../../src/flow/read-flows.ts';
import { factsOf } from '../../src/handshake/facts.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { clientHello, records, serverHello } from '../helpers/tls.ts';
import { tsharkVersion } from '../helpers/tshark.ts';

const PACKETS_PER_FLOW = 16;
const START_US = 1_790_000_000_000_000;
const IP_AT = 14;
const TCP_AT = 34;

/** A certificate's worth of bytes behind the ServerHello, so that it takes several segments. */
function recordingOf(sni: string): Recording {
  const hello = records(clientHello({ sni, alpn: ['h2'], versions: [0x0304] }));
  const answer = Buffer.concat([records(serverHello()), Buffer.alloc(2500, 23)]);
  return {
    version: 'TLSv1.3',
    handshake: [
      { way: 'up', bytes: hello },
      { way: 'down', bytes: answer },
      { way: 'up', bytes: Buffer.alloc(80, 20) },
    ],
    request: Buffer.alloc(442, 23),
    reply: Buffer.alloc(20_001, 23),
  };
}

const RECORDINGS = [recordingOf('one.example.net'), recordingOf('two.example.net')];

async function made<T>(
  packets: number,
  use: (path: string, facts: CaptureFacts) => Promise<T>,
): Promise<T> {
  return inDirectory(async (directory) => {
    const path = join(directory, 'made.pcap');
    const order = {
      packets,
      packetsPerFlow: PACKETS_PER_FLOW,
      seed: 5,
      startUs: START_US,
    };
    const facts = await makeCapture(path, order, {
      recordings: RECORDINGS,
      tell: () => {},
    });
    return use(path, facts);
  });
}

for (const packets of [14, 16, 17, 33, 400, 4001]) {
  test(`a conversation of ${packets} packets has as many`, (t) => {
    for (let seed = 0; seed < 20; seed++) {
      let count = 0;
      for (const segment of conversation(
        RECORDINGS[0] ?? recordingOf(''),
        packets,
        new Draw(seed),
      )) {
        t.true(segment.payload.byteLength <= SEGMENT_BYTES);
        count++;
      }
      t.is(count, packets);
    }
  });
}

test('a made capture has the packets and the bytes that its facts name', async (t) => {
  await made(5000, async (path, facts) => {
    let packets = 0;
    let ipBytes = 0;
    let last = 0;
    for await (const packet of readPackets(path)) {
      packets++;
      ipBytes += packet.frame.ipBytes;
      t.is(packet.wireBytes, packet.bytes.byteLength);
      t.true(packet.timeUs >= last, 'packets are in order of time');
      last = packet.timeUs;
    }
    t.is(packets, facts.packets);
    t.is(ipBytes, facts.ipBytes);
    t.is((await readFile(path)).byteLength, facts.fileBytes);
    t.true(packets >= 5000 && packets < 5000 + 2 * PACKETS_PER_FLOW);
    const mean = packets / facts.flows;
    t.true(Math.abs(mean - PACKETS_PER_FLOW) < 0.5, `${mean} packets a flow`);
  });
});

test('checksums of IP and TCP are right in every packet', async (t) => {
  await made(2000, async (path) => {
    for await (const { bytes, frame } of readPackets(path)) {
      t.is(checksum(bytes, { from: IP_AT, end: TCP_AT }, 0), 0);
      const tcpBytes = frame.ipBytes - (TCP_AT - IP_AT);
      const tcp = { from: TCP_AT - 8, end: bytes.byteLength };
      t.is(checksum(bytes, tcp, frame.protocol + tcpBytes), 0);
    }
  });
});

const version = tsharkVersion();
if (version === undefined) {
  console.log('skipped: tshark is not installed, apt-get install tshark');
}
(version === undefined ? test.skip : test)(
  'tshark finds no checksum, sequence number or acknowledgement to complain about',
  async (t) => {
    await made(2000, async (path) => {
      const checks = ['ip', 'tcp'].flatMap((of) => ['-o', `${of}.check_checksum:TRUE`]);
      const bad = 'ip.checksum.status != Good || tcp.checksum.status != Good';
      const asked = ['-n', '-r', path, ...checks, '-Y', `${bad} || tcp.analysis.flags`];
      const said = execFileSync('tshark', asked, { stdio: ['ignore', 'pipe', 'ignore'] });
      t.is(said.toString(), '');
    });
  },
);

test('a checksum of an odd number of bytes is that of RFC 1071', (t) => {
  // The example of RFC 1071 section 3 (sum ddf2), and one byte more.
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0x12);
  t.is(checksum(bytes, { from: 0, end: 8 }, 0), ~0xddf2 & 0xffff);
  t.is(checksum(bytes, { from: 0, end: 9 }, 0), ~(0xddf2 + 0x1200) & 0xffff);
});

test('the flow table finds as many flows, packets and bytes as were made, each with its handshake', async (t) => {
  await made(5000, async (path, facts) => {
    const summary = emptySummary();
    const totals = { flows: 0, packets: 0, bytes: 0 };
    for await (const batch of readFlows(path, {}, summary)) {
      for (const flow of batch) {
        totals.flows++;
        totals.packets += flow.packets.up + flow.packets.down;
        totals.bytes += flow.bytes.up + flow.bytes.down;
        t.is(flow.endReason, 'fin');
        t.regex(factsOf(handshakeOf(flow)).sni ?? '', /^(one|two)\.example\.net$/);
      }
    }
    const { flows, packets, ipBytes: bytes } = facts;
    t.deepEqual(totals, { flows, packets, bytes });
    t.is(summary.counters?.flowsCreated, flows);
    t.is(summary.counters?.poolFull, 0);
  });
});

test('a sequence number follows from the one before it in its direction', async (t) => {
  await made(2000, async (path) => {
    const next = new Map<string, number>();
    for await (const { bytes, frame } of readPackets(path)) {
      const tcp = new DataView(bytes.buffer, bytes.byteOffset + TCP_AT);
      const way = `${frame.source} ${frame.sourcePort} ${frame.destination}`;
      const sequence = tcp.getUint32(4);
      t.is(sequence, next.get(way) ?? sequence);
      const flags = tcp.getUint8(13);
      const space =
        bytes.byteLength - frame.headerBytes + ((flags >> 1) & 1) + (flags & 1);
      next.set(way, (sequence + space) >>> 0);
    }
  });
});

test('a spread of an even number of values has the mean of the middle two as its median', (t) => {
  t.deepEqual(spread([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 });
  t.deepEqual(spread([9]), { median: 9, min: 9, max: 9 });
  t.throws(() => spread([]), { instanceOf: RangeError });
});

const PROGRAM = fileURLToPath(new URL('../../bench/peers/run.js', import.meta.url));
const ENDS: readonly [args: string, code: number, says: RegExp][] = [
  ['--help', 0, /--rounds <number>[\s\S]*--packets <number>[\s\S]*--json/],
  ['--rounds 0', 2, /expected a whole number of 1 or more/],
  ['--packets many', 2, /expected a whole number of 1 or more/],
  ['--such', 2, /unknown option '--such'/],
  ['capture.pcap', 2, /too many arguments/],
];
for (const [args, code, says] of ENDS) {
  test(`bench:peers ${args} ends with ${code}`, async (t) => {
    const outcome = await new Promise<{ code: unknown; said: string }>((resolve) => {
      execFile(process.execPath, [PROGRAM, ...args.split(' ')], (fault, stdout, stderr) =>
        resolve({ code: fault?.code ?? 0, said: stdout + stderr }),
      );
    });
    t.is(outcome.code, code);
    t.regex(outcome.said, says);
  });
}
