// `sluice capture` on a wire: a veth pair in network namespaces that the test makes, frames sent by native/tools/
// send-frames.cpp as fast as one core can, and real TCP. Needs root: else each test is skipped.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { jsonLines, ROOT } from '../helpers/sluice.ts';
import { type Ended, type Inside, VethPair, vethObstacle } from '../helpers/veth.ts';

const PROGRAM = fileURLToPath(new URL('../../src/bin/sluice.js', import.meta.url));
const STALL = fileURLToPath(new URL('../helpers/stall.js', import.meta.url));
const SEND = join(ROOT, 'build-native-test/send-frames');

const obstacle =
  vethObstacle() ??
  (existsSync(SEND) ? undefined : `no ${SEND}: npm run test:native builds it`);
if (obstacle !== undefined) console.log(`skipped: live capture: ${obstacle}`);
const liveTest = obstacle === undefined ? test.serial : test.serial.skip;

const FLOWS = 1_000;
/** Frames are on their way to the ring for less. */
const SETTLE_MS = 300;

interface Flow {
  readonly id: number;
  readonly client: string;
  readonly clientPort: number;
  readonly vlan: number | null;
  readonly packets: number;
  readonly bytes: number;
  readonly endReason: string;
  readonly handovers: number;
}

interface Counters {
  readonly ringPackets: number;
  readonly ringDrops: number;
  readonly flows: {
    readonly packets: number;
    readonly joined: number;
    readonly flowsGivenUp: number;
    readonly drops: Readonly<Record<string, number>>;
  };
}

/** A capture of the right end, listening. */
async function capture(
  pair: VethPair,
  args: readonly string[],
  stall = false,
): Promise<Inside> {
  const node = stall ? ['--import', STALL, PROGRAM] : [PROGRAM];
  const all = [...node, 'capture', '-i', 'right0', '--json', '--stats', '0', ...args];
  const running = pair.start('right', process.execPath, ...all);
  await running.said('listening');
  return running;
}

interface Captured {
  readonly flows: readonly Flow[];
  readonly counters: readonly Counters[];
}

function parse({ stdout }: Ended): Captured {
  const lines = jsonLines(stdout);
  return {
    flows: lines.filter((line) => !('counters' in line)) as unknown as Flow[],
    counters: lines.flatMap((line) =>
      'counters' in line ? [line.counters as unknown as Counters] : [],
    ),
  };
}

async function end(t: ExecutionContext, running: Inside): Promise<Captured> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const ended = await running.stop('SIGINT');
  t.is(ended.code, 0, ended.stderr);
  return parse(ended);
}

function send(pair: VethPair, packets: number, bytes: number, vlan?: number): number {
  const args = [packets, FLOWS, bytes, ...(vlan === undefined ? [] : [vlan])].map(String);
  const { packetsPerSecond } = JSON.parse(pair.run('left', SEND, 'left0', ...args));
  return packetsPerSecond;
}

/** Every flow has its packets and bytes, to the last one; the kernel dropped none. */
function exact(
  t: ExecutionContext,
  captured: Captured,
  packets: number,
  ipBytes: number,
): void {
  const { flows, counters } = captured;
  const drops = counters.reduce((sum, { ringDrops }) => sum + ringDrops, 0);
  t.is(drops, 0, 'kernel drops');
  t.is(flows.length, FLOWS);
  t.is(
    new Set(flows.map(({ client, clientPort }) => `${client} ${clientPort}`)).size,
    FLOWS,
  );
  const each = packets / FLOWS;
  const wrong = flows.filter((f) => f.packets !== each || f.bytes !== each * ipBytes);
  t.deepEqual(wrong, []);
}

const flood = test.macro({
  title: (_, what: string) => `${what}: nothing is lost, counts are exact`,
  async exec(
    t,
    _what: string,
    options: {
      readonly bytes: number;
      readonly packets: number;
      readonly stall?: boolean;
      readonly args?: readonly string[];
    },
  ) {
    t.timeout(120_000);
    const pair = new VethPair();
    t.teardown(() => pair.close());
    const running = await capture(pair, options.args ?? [], options.stall);
    const rate = send(pair, options.packets, options.bytes);
    const captured = await end(t, running);
    t.log(`${Math.round(rate).toLocaleString('en-US')} packets/s sent`);
    exact(t, captured, options.packets, options.bytes - 14);
  },
});
const MANY = 600_000;
liveTest('600,000 frames of 64 bytes', flood, '600,000 frames of 64 bytes', {
  bytes: 64,
  packets: MANY,
});
liveTest('600,000 frames of 1,514 bytes', flood, '600,000 frames of 1,514 bytes', {
  bytes: 1_514,
  packets: MANY,
});
liveTest('a stalling event loop', flood, '600,000 frames while JavaScript stalls', {
  bytes: 64,
  packets: MANY,
  stall: true,
});
liveTest('two rings', flood, '600,000 frames over two rings', {
  bytes: 64,
  packets: MANY,
  args: ['--rings', '2'],
});

liveTest('flows dealt out among rings have ids of their own', async (t) => {
  const pair = new VethPair();
  t.teardown(() => pair.close());
  const running = await capture(pair, ['--rings', '3']);
  send(pair, 10 * FLOWS, 100);
  const { flows, counters } = await end(t, running);
  t.is(counters.length, 3);
  t.true(counters.filter(({ ringPackets }) => ringPackets > 0).length >= 2);
  t.is(new Set(flows.map(({ id }) => id)).size, FLOWS);
});

liveTest('a flow is shown open at each step, then at its end', async (t) => {
  const pair = new VethPair();
  t.teardown(() => pair.close());
  const running = await capture(pair, ['--ready', '3,6']);
  // One packet of each flow at a time, so that the steps come apart.
  for (let round = 0; round < 8; round++) {
    send(pair, FLOWS, 100);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  const { flows } = await end(t, running);
  const own = flows.filter(({ id }) => id === flows[0]?.id);
  t.deepEqual(
    own.map(({ packets, endReason, handovers }) => [packets, endReason, handovers]),
    [
      [3, 'open', 0],
      [6, 'open', 1],
      [8, 'flush', 2],
    ],
  );
  t.is(flows.length, 3 * FLOWS);
});

liveTest('a VLAN tag that the kernel took off is told', async (t) => {
  const pair = new VethPair();
  t.teardown(() => pair.close());
  const running = await capture(pair, []);
  send(pair, 2 * FLOWS, 100, 42);
  const { flows } = await end(t, running);
  t.is(flows.length, FLOWS);
  t.true(flows.every(({ vlan }) => vlan === 42));
});

liveTest('what the filter does not want never reaches the ring', async (t) => {
  const pair = new VethPair();
  t.teardown(() => pair.close());
  const running = await capture(pair, ['--ports', '1024,1030', '--protocols', 'tcp']);
  send(pair, 10 * FLOWS, 100);
  const { flows, counters } = await end(t, running);
  t.deepEqual(flows.map(({ clientPort }) => clientPort).sort(), [1_024, 1_030]);
  t.is(counters[0]?.ringPackets, 20);
  t.is(counters[0]?.flows.packets, 20);
});

/** A megabyte each way over real TCP. */
const TCP = `
import net from 'node:net';
const role = process.argv.at(-1);
const size = 1_000_000;
const drain = (socket, then) => { let n = 0; socket.on('data', (d) => { n += d.length; if (n === size) then(); }); };
if (role === 'server') {
  net.createServer((socket) => { drain(socket, () => socket.end(Buffer.alloc(size))); })
    .listen(443, '198.18.0.2', () => console.error('ready'));
} else {
  const socket = net.connect(443, '198.18.0.2', () => socket.write(Buffer.alloc(size)));
  drain(socket, () => socket.end());
}`;

liveTest('packets that offloads joined count as on the wire', async (t) => {
  const pair = new VethPair();
  t.teardown(() => pair.close());
  pair.ip('left', 'addr', 'add', '198.18.0.1/24', 'dev', 'left0');
  pair.ip('right', 'addr', 'add', '198.18.0.2/24', 'dev', 'right0');
  const node = ['--input-type=module', '-e', TCP, '--'];
  const server = pair.start('right', process.execPath, ...node, 'server');
  t.teardown(() => server.child.kill());
  await server.said('ready');
  const running = await capture(pair, []);
  pair.run('left', process.execPath, ...node, 'client');
  const { flows, counters } = await end(t, running);
  t.is(flows.length, 1);
  const [flow] = flows;
  t.true((counters[0]?.flows.joined ?? 0) > 0, 'offloads were on, as by default');
  t.regex(running.stderr, /offload is on: .*ethtool -K right0/);
  const { packets = 0, bytes = 0 } = flow ?? {};
  t.log(`${packets} packets, ${bytes} bytes`);
  // MSS 1,448 with timestamps: 691 full packets a direction at least, and no packet above the MTU.
  t.true(packets >= 2 * 691 && bytes / packets <= 1_500);
  t.true(bytes >= 2_000_000 + 40 * packets);
});

liveTest('an interface that goes down and comes up again is heard again', async (t) => {
  const pair = new VethPair();
  t.teardown(() => pair.close());
  const running = await capture(pair, []);
  send(pair, FLOWS, 100);
  pair.ip('right', 'link', 'set', 'right0', 'down');
  await new Promise((resolve) => setTimeout(resolve, 400));
  pair.ip('right', 'link', 'set', 'right0', 'up');
  await new Promise((resolve) => setTimeout(resolve, 400));
  send(pair, 2 * FLOWS, 100);
  const { flows } = await end(t, running);
  t.is(flows.length, FLOWS);
  t.true(flows.every(({ packets }) => packets === 3));
});

liveTest(
  'an interface that disappears ends the capture, with what was seen',
  async (t) => {
    const pair = new VethPair();
    t.teardown(() => pair.close());
    const running = await capture(pair, []);
    send(pair, FLOWS, 100);
    await new Promise((resolve) => setTimeout(resolve, 200));
    pair.ip('right', 'link', 'delete', 'right0');
    const ended = await running.ended;
    t.is(ended.code, 1);
    t.regex(ended.stderr, /right0: the interface has disappeared/);
    t.is(parse(ended).flows.length, FLOWS);
  },
);

liveTest('SIGTERM ends it in good order', async (t) => {
  const pair = new VethPair();
  t.teardown(() => pair.close());
  const running = await capture(pair, []);
  send(pair, FLOWS, 100);
  const ended = await running.stop('SIGTERM');
  t.is(ended.code, 0, ended.stderr);
  t.is(parse(ended).flows.length, FLOWS);
});

/** Root without a single capability: still reads its own files, wherever they are. */
const POWERLESS = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];

const refused = test.macro({
  title: (_, title: string) => `${title} gets one clear line and exit code 2`,
  async exec(
    t,
    _title: string,
    args: readonly string[],
    message: RegExp,
    runner: readonly string[] = [],
  ) {
    const pair = new VethPair();
    t.teardown(() => pair.close());
    const [command = '', ...rest] = [
      ...runner,
      process.execPath,
      PROGRAM,
      'capture',
      ...args,
    ];
    const { code, stderr, stdout } = await pair.start('right', command, ...rest).ended;
    t.is(code, 2, stderr);
    t.regex(stderr, message);
    t.is(stderr.trim().split('\n').length, 1, stderr);
    t.is(stdout, '');
  },
});
liveTest(
  'unknown interface',
  refused,
  'an unknown interface',
  ['-i', 'eth9'],
  /no interface "eth9", expected one of lo, right0/,
);
liveTest(
  'block size',
  refused,
  'a block size that the kernel refuses',
  ['-i', 'right0', '--block-size', '5000'],
  /refuses a ring of 64 blocks of 5000 bytes \(EINVAL\), expected blocks of a power of two/,
);
liveTest(
  'no permission',
  refused,
  'a process that may not capture',
  ['-i', 'right0'],
  /needs the capability CAP_NET_RAW/,
  POWERLESS,
);
liveTest(
  'too many ports',
  refused,
  'a filter that cannot be made',
  ['-i', 'right0', '--ports', Array.from({ length: 1_025 }, (_, i) => i + 1).join()],
  /expected at most 1024 ports/,
);
