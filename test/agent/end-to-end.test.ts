// The product end to end, on a wire: real TLS clients and servers of the lab cross a router namespace, where an agent
// listens and reports to a controller. What the controller has equals what the agent tallied, and both equal what an
// independent reader (lab/packets.ts) counts in tcpdump's capture of the same interface.

import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { makeAuthority, makeLeaves, rootFile } from '../../lab/certificates.ts';
import { readLabels } from '../../lab/labels.ts';
import { flowsOf } from '../../lab/match.ts';
import { Namespaces } from '../../lab/namespaces.ts';
import { planCapture } from '../../lab/plan.ts';
import { run } from '../../lab/processes.ts';
import { NETWORK_DEMO } from '../../lab/profiles.ts';
import { jsonLines } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { Inside, vethObstacle } from '../helpers/veth.ts';

const PROGRAM = fileURLToPath(new URL('../../src/bin/sluice.js', import.meta.url));
const LAB = (role: 'client' | 'server') =>
  fileURLToPath(new URL(`../../lab/${role}/${role}.js`, import.meta.url));

async function obstacle(): Promise<string | undefined> {
  const veth = vethObstacle();
  if (veth !== undefined) return veth;
  for (const [command, flag] of [
    ['tc', '-V'],
    ['tcpdump', '--version'],
    ['openssl', 'version'],
  ] as const) {
    const fault = await run(command, [flag]).then(
      () => undefined,
      (cause: Error) => cause.message,
    );
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const reason = await obstacle();
if (reason !== undefined) console.log(`skipped: agent on a router: ${reason}`);
const routerTest = reason === undefined ? test : test.skip;

interface Counts {
  flows: number;
  packets: number;
  bytes: number;
}

type ClassCounts = Readonly<
  Record<
    string,
    Record<'flows' | 'packetsUp' | 'packetsDown' | 'bytesUp' | 'bytesDown', number>
  >
>;

function sum(windows: readonly ClassCounts[]): Counts {
  const total: Counts = { flows: 0, packets: 0, bytes: 0 };
  for (const count of windows.flatMap((classes) => Object.values(classes))) {
    total.flows += count.flows;
    total.packets += count.packetsUp + count.packetsDown;
    total.bytes += count.bytesUp + count.bytesDown;
  }
  return total;
}

routerTest(
  'the controller has what the agent tallied, and both what was on the wire',
  async (t) => {
    t.timeout(180_000);
    const folder = temporaryFolder('end-to-end');
    const plan = planCapture({
      name: 'end-to-end',
      seed: 5,
      network: NETWORK_DEMO,
      flowsPerClass: 2,
      scale: 0.3,
      clearTraffic: false,
      profileFlows: {},
    });
    const file = (name: string) => join(folder, name);
    await writeFile(file('plan.json'), JSON.stringify(plan));
    await makeAuthority(file('certificates'));
    await makeLeaves(file('certificates'), plan.hosts);
    await mkdir(file('state'));
    const namespaces = await Namespaces.open(plan);
    t.teardown(() => namespaces.close());
    const started: Inside[] = [];
    t.teardown(() => {
      for (const program of started) program.child.kill('SIGKILL');
    });
    const start = (
      role: 'client' | 'router' | 'server',
      ...command: string[]
    ): Inside => {
      const program = new Inside(
        spawn('ip', namespaces.inside(role, command), {
          stdio: ['pipe', 'pipe', 'pipe'],
          env: { ...process.env, XDG_STATE_HOME: file('state') },
        }),
      );
      started.push(program);
      return program;
    };
    const sluice = (...args: string[]) =>
      start('router', process.execPath, PROGRAM, ...args);
    const tap = namespaces.tap(plan.network.tap);

    const controller = sluice(
      'controller',
      '--data',
      file('controller'),
      '--listen',
      '127.0.0.1:0',
    );
    await controller.said('listening');
    const enrolled = await sluice(
      'controller',
      'enrol',
      'router',
      '--data',
      file('controller'),
    ).ended;
    const [, token = ''] = /^token\s+(\S+)/m.exec(enrolled.stdout) ?? [];
    await writeFile(file('token'), `${token}\n`, { mode: 0o600 });
    const [url = ''] = /http:\/\/\S+/.exec(controller.stdout) ?? [];
    const dump = start(
      'router',
      'tcpdump',
      '-i',
      tap,
      '-s',
      '128',
      '-B',
      '65536',
      '-Z',
      'root',
      '-w',
      file('wire.pcap'),
    );
    await dump.said('listening on');
    const where = [
      '--controller',
      url,
      '--site',
      'router',
      '--token-file',
      file('token'),
    ];
    const agent = sluice('agent', '-i', tap, '--window-ms', '1000', ...where);
    await agent.said('classes');

    const server = start(
      'server',
      process.execPath,
      LAB('server'),
      file('plan.json'),
      file('certificates'),
      file('greetings'),
    );
    await server.said('ready');
    const client = start(
      'client',
      process.execPath,
      LAB('client'),
      file('plan.json'),
      rootFile(file('certificates')),
      file('greetings'),
      file('labels.jsonl'),
    );
    t.is((await client.ended).code, 0, client.stderr);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const { code, stderr } = await agent.stop('SIGTERM');
    t.is(code, 0, stderr);
    await dump.stop('SIGINT');

    const labels = readLabels(file('labels.jsonl')).length;
    const wire = [...(await flowsOf(file('wire.pcap'))).values()];
    const want: Counts = {
      flows: wire.length,
      packets: wire.reduce((total, flow) => total + flow.packets, 0),
      bytes: wire.reduce((total, flow) => total + flow.ipBytes, 0),
    };
    const windows = jsonLines(stderr).filter((line) => line.msg === 'window');
    const tallied = sum(windows.map(({ classes }) => classes as ClassCounts));
    const admin = new URL(
      /http:\/\/\S+#token=\S+/.exec(controller.stdout)?.[0] ?? '',
    ).hash.slice(7);
    const script = `fetch('${url}/v1/sites/router/classes', { headers: { authorization: 'Bearer ${admin}' } }).then((r) => r.json()).then((j) => console.log(JSON.stringify(j.totals)))`;
    const answer = await start('router', process.execPath, '-e', script).ended;
    const kept = sum([JSON.parse(answer.stdout) as ClassCounts]);
    await controller.stop('SIGTERM');

    t.log(
      `${labels} flows made, ${want.packets} packets, ${want.bytes} bytes, ${windows.length} windows`,
    );
    t.is(want.flows, labels);
    t.deepEqual(tallied, want);
    t.deepEqual(kept, tallied);
    t.true(windows.length >= 3);
  },
);
