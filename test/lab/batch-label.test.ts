import test from 'ava';
import type { Played } from '../../lab/batch/batch.ts';
import { labelFlows, type TappedFlow } from '../../lab/batch/label.ts';
import { planBatch } from '../../lab/batch/plan.ts';
import { loadProfiles } from '../../lab/net/profile.ts';
import { loadScenarios } from '../../lab/scenario/load.ts';
import { CLIENTS } from '../../lab/software/clients.ts';
import { SERVERS } from '../../lab/software/servers.ts';

const plan = planBatch({
  name: 'made-up',
  seed: 1,
  seats: 2,
  playMs: 1000,
  scenarios: loadScenarios('lab/scenarios'),
  profiles: loadProfiles('lab/profiles.yaml'),
  clients: CLIENTS,
  servers: SERVERS,
  wanted: () => 1,
});

const HOST = plan.hosts.find(({ server }) => server.protocols.includes('h1'));
const TALKER = plan.hosts.find(({ server }) => server.protocols.includes('dtls'));

const SECOND = 1_000_000;

/** The seat's first two activities, of ten seconds each, with half a second between. */
function playedAt(index: number): Played[] {
  const seat = plan.seats[index];
  if (seat === undefined) throw new RangeError(`no seat ${index}`);
  return seat.activities.slice(0, 2).map((activity, i) => {
    const startUs = i * 10.5 * SECOND;
    return {
      seat,
      activity,
      outcome: { id: activity.id, startUs, endUs: startUs + 10 * SECOND },
    };
  });
}

function flowAt(startUs: number, changes: Partial<TappedFlow> = {}): TappedFlow {
  return {
    udp: false,
    client: plan.seats[0]?.ipv4 ?? '',
    clientPort: 50_000,
    server: HOST?.ipv4 ?? '',
    serverPort: 443,
    startUs,
    packets: 20,
    payloadUp: 100,
    payloadDown: 100,
    payloadAnswering: 500,
    ...changes,
  };
}

const played = [...playedAt(0), ...playedAt(1)];

test('a flow is of what was being done at its seat when it began', (t) => {
  const flows = [flowAt(5 * SECOND), flowAt(12 * SECOND)];
  const { labels, strays } = labelFlows(flows, played, plan.hosts);
  t.is(strays, 0);
  const [first, second] = plan.seats[0]?.activities ?? [];
  t.deepEqual(
    labels.map(({ session, service, scenario, seed }) => ({
      session,
      service,
      scenario,
      seed,
    })),
    [first, second].map((one) => ({
      session: one?.id,
      service: one?.scenario.service,
      scenario: one?.scenario.name,
      seed: one?.seed,
    })),
  );
  t.is(labels[0]?.serverSoftware, HOST?.server.name);
  t.is(labels[0]?.clientSoftware, plan.seats[0]?.software.name);
  t.is(labels[0]?.profile, plan.seats[0]?.line.profile);
});

test("another seat's flow is of what was done there, by IPv6 as well", (t) => {
  const client = plan.seats[1]?.ipv6 ?? '';
  const { labels } = labelFlows(
    [flowAt(5 * SECOND, { client, server: plan.hosts[1]?.ipv6 ?? '' })],
    played,
    plan.hosts,
  );
  t.is(labels[0]?.session, plan.seats[1]?.activities[0]?.id);
});

test('flows between activities, of strangers and to strangers are strays', (t) => {
  const flows = [
    flowAt(10.25 * SECOND),
    flowAt(40 * SECOND),
    flowAt(5 * SECOND, { client: '192.0.2.1' }),
    flowAt(5 * SECOND, { server: '192.0.2.1' }),
  ];
  t.is(labelFlows(flows, played, plan.hosts).strays, 4);
});

test('a connection that was never used is left without a label, and is no stray', (t) => {
  const { labels, strays, unused } = labelFlows(
    [
      flowAt(5 * SECOND, { payloadAnswering: 80 }),
      flowAt(5 * SECOND, { payloadAnswering: 0 }),
      flowAt(5 * SECOND, { payloadAnswering: 0, udp: true }),
    ],
    played,
    plan.hosts,
  );
  t.is(labels.length, 1);
  t.is(strays, 0);
  t.is(unused, 2);
});

test('flows of an activity that went wrong are left without a label', (t) => {
  const [first, ...others] = played;
  if (first === undefined) return t.fail();
  const wrong = { ...first, outcome: { ...first.outcome, fault: 'refused' } };
  const flows = [flowAt(5 * SECOND), flowAt(12 * SECOND)];
  const { labels, failed, strays } = labelFlows(flows, [wrong, ...others], plan.hosts);
  t.is(labels.length, 1);
  t.is(failed, 1);
  t.is(strays, 0);
});

test('of the ways that two who talk have tried, the one taken has the label', (t) => {
  const way = (port: number, payloadDown: number) =>
    flowAt(5 * SECOND, {
      udp: true,
      server: TALKER?.ipv4 ?? '',
      clientPort: port,
      serverPort: 40_000,
      payloadDown,
    });
  const flows = [way(50_001, 300), way(50_002, 90_000), way(50_003, 700), flowAt(SECOND)];
  const { labels, unused, strays } = labelFlows(flows, played, plan.hosts);
  t.deepEqual([unused, strays], [2, 0]);
  t.deepEqual(
    labels.map(({ clientPort, protocol }) => [clientPort, protocol === 'dtls']),
    [
      [50_002, true],
      [50_000, false],
    ],
  );
});

test('of an activity with many flows a few have its label, always the same ones', (t) => {
  const flows = Array.from({ length: 30 }, (_, i) =>
    flowAt(SECOND + i * 1000, { clientPort: 50_000 + i }),
  );
  const found = labelFlows([...flows, flowAt(12 * SECOND)], played, plan.hosts);
  t.deepEqual([found.labels.length, found.alike, found.strays], [5, 26, 0]);
  const ports = found.labels.map(({ clientPort }) => clientPort);
  t.notDeepEqual(ports.slice(0, 4), [50_000, 50_001, 50_002, 50_003]);
  t.deepEqual(
    labelFlows([...flows, flowAt(12 * SECOND)], played, plan.hosts).labels,
    found.labels,
  );
});
