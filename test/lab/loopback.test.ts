// Clients and servers of the lab against each other on the loopback interface: no root, no namespaces, no capture.

import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { makeAuthority, makeLeaves, rootFile } from '../../lab/certificates.ts';
import { Scheduler } from '../../lab/client/scheduler.ts';
import type { FlowLabel } from '../../lab/labels.ts';
import { type CapturePlan, planCapture } from '../../lab/plan.ts';
import { Running, run } from '../../lab/processes.ts';
import { NETWORK_DEMO } from '../../lab/profiles.ts';
import { SERVICES } from '../../models/labels.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const SERVER = fileURLToPath(import.meta.resolve('../../lab/server/server.js'));
const PORTS = [24_443, 24_444];

function loopbackPlan(): CapturePlan {
  const plan = planCapture({
    name: 'loopback',
    seed: 11,
    network: NETWORK_DEMO,
    flowsPerClass: 2,
    scale: 0.15,
    clearTraffic: false,
    profileFlows: {},
  });
  const address = (net: number, i: number) => ({ ipv4: `127.9.${net}.${i + 1}` });
  return {
    ...plan,
    ports: PORTS,
    sites: plan.sites.map((site, i) => ({ ...site, ...address(1, i), ipv6: undefined })),
    clients: plan.clients.map((client, i) => ({ ...client, ...address(2, i) })),
  };
}

/** Runs the plan's sessions against a server process; gives what went wrong and what was labelled. */
async function act(plan: CapturePlan, directory: string) {
  await makeAuthority(directory);
  await makeLeaves(directory, plan.hosts);
  const planFile = join(directory, 'plan.json');
  const greetings = join(directory, 'greetings');
  await writeFile(planFile, JSON.stringify(plan));
  const server = new Running('server', process.execPath, [
    SERVER,
    planFile,
    directory,
    greetings,
  ]);
  const labels: FlowLabel[] = [];
  const faults: string[] = [];
  try {
    await server.ready('ready');
    const greeter = connect(greetings);
    const scheduler = new Scheduler({
      plan,
      ca: await readFile(rootFile(directory)),
      record: (label) => labels.push(label),
      greet: (line) => greeter.write(`${line}\n`),
      tell: (line) => faults.push(line),
      signal: AbortSignal.timeout(60_000),
    });
    const counts = await scheduler.run();
    greeter.destroy();
    return { labels, faults, counts };
  } finally {
    await server.stop();
  }
}

test('sessions of every class come to their end and are labelled', async (t) => {
  try {
    await run('openssl', ['version']);
  } catch {
    t.log('skipped: the openssl program is not installed');
    t.pass();
    return;
  }
  const directory = temporaryFolder('loopback');
  const plan = loopbackPlan();
  const { labels, faults, counts } = await act(plan, directory);
  t.deepEqual(faults, []);
  t.is(counts.failed, 0);
  const services = new Set(labels.map(({ service }) => service));
  t.deepEqual([...services].sort(), [...SERVICES]);
  for (const { client, clientPort, serverPort, session } of labels) {
    t.true(client.startsWith('127.9.2.'));
    t.true(clientPort > 0);
    t.true(PORTS.includes(serverPort));
    t.regex(session, /^loopback-s\d{3}$/);
  }
});
