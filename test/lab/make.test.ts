// The whole lab, small: Node as client and server, so that nothing has to be installed.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { BatchFacts } from '../../lab/batch/facts.ts';
import { type LabLabel, tappedFlows } from '../../lab/batch/label.ts';
import { readPackets } from '../../lab/packets.ts';
import { CLIENTS } from '../../lab/software/clients.ts';
import { SERVERS } from '../../lab/software/servers.ts';
import { present } from '../../lab/software/toolchain.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { vethObstacle } from '../helpers/veth.ts';

const obstacle = obstacleOf();
if (obstacle !== undefined) console.log(`skipped: tests of the whole lab: ${obstacle}`);
const whole = obstacle === undefined ? test.serial : test.serial.skip;

function obstacleOf(): string | undefined {
  const missing = ['ethtool', 'openssl', 'cmake', 'g++'].filter((one) => !present(one));
  if (missing.length > 0) return `${missing.join(', ')} not installed`;
  if (!existsSync('/dev/net/tun')) return 'no /dev/net/tun';
  return vethObstacle();
}

const PROGRAM = 'dist/lab/run.js';
const SMALL = [
  '--clients',
  'node',
  '--servers',
  'node',
  '--seats',
  '2',
  '--seconds',
  '6',
];
const READY_MS = 120_000;

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

function lab(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, said }));
  });
  return { child, ended };
}

/** Namespaces, folders and processes of the lab with that process id. */
function remains(pid: number | undefined): string[] {
  const prefix = `sluice-lab-${pid}-`;
  const entries = (folder: string): string[] =>
    existsSync(folder)
      ? readdirSync(folder).filter((name) => name.startsWith(prefix))
      : [];
  const spaces = entries('/run/netns');
  const processes = spaces.flatMap((space) =>
    execFileSync('ip', ['netns', 'pids', space], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean),
  );
  return [...spaces, ...entries('/etc/netns'), ...entries(tmpdir()), ...processes];
}

whole(
  'one command makes a batch: a capture, a label for each flow, what it was made with',
  async (t) => {
    t.timeout(300_000);
    const out = temporaryFolder();
    const { child, ended } = lab(
      '--services',
      'search',
      '--flows',
      '1',
      '--seed',
      '3',
      '--out',
      out,
      ...SMALL,
    );
    const { code, said } = await ended;
    t.is(code, 0, said);
    t.deepEqual(remains(child.pid), []);
    const facts: BatchFacts = JSON.parse(
      readFileSync(join(out, 'lab-3-0000.batch.json'), 'utf8'),
    );
    t.deepEqual(facts.faults, {});
    t.is(facts.strays, 0);
    t.true(facts.latenessUs.p99 <= 2000);
    const labels = readFileSync(join(out, 'lab-3-0000.labels.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line): LabLabel => JSON.parse(line));
    const flows = await tappedFlows(join(out, 'lab-3-0000.pcap.gz'));
    t.true(labels.length > 0);
    t.is(flows.length, labels.length + facts.unused + facts.alike);
    for (const label of labels) {
      t.is(label.service, 'search');
      t.is(label.clientSoftware, 'node');
      t.is(label.serverSoftware, 'node');
      t.is(label.serverPort, 443);
    }
  },
);

whole('a batch is packets of a wire with the delay of its line', async (t) => {
  t.timeout(300_000);
  const out = temporaryFolder();
  const { ended } = lab(
    '--services',
    'download',
    '--flows',
    '1',
    '--seed',
    '5',
    '--out',
    out,
    ...SMALL,
  );
  const { code, said } = await ended;
  t.is(code, 0, said);
  const opened = new Map<string, number>();
  const roundTripsUs: number[] = [];
  let longest = 0;
  for await (const { frame, timeUs } of readPackets(join(out, 'lab-5-0000.pcap.gz'))) {
    longest = Math.max(longest, frame.ipBytes);
    if (frame.opens) opened.set(`${frame.source} ${frame.sourcePort}`, timeUs);
    const syn = opened.get(`${frame.destination} ${frame.destinationPort}`);
    if (syn === undefined) continue;
    roundTripsUs.push(timeUs - syn);
    opened.delete(`${frame.destination} ${frame.destinationPort}`);
  }
  t.true(longest > 1200 && longest <= 1500, String(longest));
  t.true(roundTripsUs.length > 0);
  // The quickest line and the nearest server make 2 · (0.8 + 0.5) ms.
  t.true(Math.min(...roundTripsUs) >= 2600, String(Math.min(...roundTripsUs)));
});

/** Scenarios with software that a machine may lack. */
const WITH_SOFTWARE = [
  {
    title: 'mail goes over IMAP and SMTP to real servers',
    scenarios: 'mail/imap-glance,mail/smtp-submit',
    clients: ['curl'],
    servers: ['dovecot', 'postfix'],
    protocols: ['imap', 'smtp'],
  },
  {
    title: 'two browsers talk, and the flow that they do it over is labelled',
    scenarios: 'games/browser-shooter',
    clients: ['chromium'],
    servers: ['node', 'chromium-peer'],
    protocols: ['dtls', 'h2'],
  },
  {
    title: 'a browser and ffmpeg play films',
    scenarios: 'streaming/preview',
    clients: ['chromium', 'ffmpeg'],
    servers: ['node'],
    protocols: ['h1', 'h2'],
  },
] as const;

for (const [i, one] of WITH_SOFTWARE.entries()) {
  const named: readonly string[] = [...one.clients, ...one.servers];
  const lacking = [...CLIENTS, ...SERVERS].flatMap((software) =>
    named.includes(software.name) ? (software.lacking() ?? []) : [],
  );
  if (lacking.length > 0) console.log(`skipped: ${one.title}: ${lacking.join('; ')}`);
  const here = lacking.length === 0 ? whole : test.serial.skip;
  here(one.title, async (t) => {
    t.timeout(600_000);
    const out = temporaryFolder();
    const seed = `${40 + i}`;
    const { child, ended } = lab(
      ...['--scenarios', one.scenarios, '--clients', one.clients.join(',')],
      ...['--servers', one.servers.join(','), '--seats', '2', '--seconds', '20'],
      ...['--flows', '1', '--seed', seed, '--out', out],
    );
    const { code, said } = await ended;
    t.is(code, 0, said);
    t.deepEqual(remains(child.pid), []);
    const facts: BatchFacts = JSON.parse(
      readFileSync(join(out, `lab-${seed}-0000.batch.json`), 'utf8'),
    );
    t.deepEqual(facts.faults, {});
    t.is(facts.strays, 0);
    const labels = readFileSync(join(out, `lab-${seed}-0000.labels.jsonl`), 'utf8')
      .trim()
      .split('\n')
      .map((line): LabLabel => JSON.parse(line));
    const protocols = new Set(labels.map(({ protocol }) => protocol));
    t.deepEqual([...protocols].sort(), [...one.protocols]);
  });
}

whole(
  'a run that is interrupted leaves nothing, says so, and can be gone on with',
  async (t) => {
    t.timeout(300_000);
    const out = temporaryFolder();
    const { child, ended } = lab('--flows', '50', '--seed', '7', '--out', out, ...SMALL);
    await playing(child.pid);
    child.kill('SIGINT');
    const { code, said } = await ended;
    t.is(code, 130, said);
    t.regex(said, /interrupted/);
    t.deepEqual(remains(child.pid), []);
    t.deepEqual(readdirSync(out), []);
  },
);

whole(
  'what a killed run leaves, clean removes: namespaces, devices, processes, folders',
  async (t) => {
    t.timeout(300_000);
    const out = temporaryFolder();
    const { child, ended } = lab('--flows', '50', '--seed', '9', '--out', out, ...SMALL);
    await playing(child.pid);
    child.kill('SIGKILL');
    await ended;
    t.not(remains(child.pid).length, 0);
    const { code, said } = await lab('clean').ended;
    t.is(code, 0, said);
    t.regex(said, /removed namespace sluice-lab-/);
    t.deepEqual(remains(child.pid), []);
  },
);

/** Waits until players run at all seats. */
async function playing(pid: number | undefined): Promise<void> {
  const end = Date.now() + READY_MS;
  const isPlaying = (): boolean => {
    const space = `sluice-lab-${pid}-seat1`;
    if (!existsSync(`/run/netns/${space}`)) return false;
    return execFileSync('ip', ['netns', 'pids', space], { encoding: 'utf8' }) !== '';
  };
  while (!isPlaying()) {
    if (Date.now() > end) throw new Error('the lab did not begin to play');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const refuses = test.macro({
  async exec(t, { args, says }: { args: string[]; says: RegExp }) {
    const { code, said } = await lab(...args).ended;
    t.is(code, 2, said);
    t.regex(said, says);
    t.is(said.trim().split('\n').length, 1, said);
  },
  title: (given) => `wrong input is told in one line: ${given}`,
});

test.serial('a service that there is not', refuses, {
  args: ['--services', 'sleep'],
  says: /no scenarios for service "sleep": expected some of chat, /,
});
test.serial('software that there is not', refuses, {
  args: ['--clients', 'netscape'],
  says: /no client software "netscape": expected some of chromium, /,
});
test.serial('a scenario that there is not', refuses, {
  args: ['--scenarios', 'web/sleep'],
  says: /no scenario "web\/sleep": expected some of chat\//,
});
