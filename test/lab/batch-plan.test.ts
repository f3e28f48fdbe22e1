import test from 'ava';
import { planBatch } from '../../lab/batch/plan.ts';
import { loadProfiles } from '../../lab/net/profile.ts';
import { loadScenarios } from '../../lab/scenario/load.ts';
import { CLIENTS } from '../../lab/software/clients.ts';
import { SERVERS } from '../../lab/software/servers.ts';
import { present } from '../../lab/software/toolchain.ts';
import { SERVICES } from '../../models/labels.ts';

const profiles = loadProfiles('lab/profiles.yaml');
const scenarios = loadScenarios('lab/scenarios');
const order = {
  name: 'made-up',
  seed: 42,
  seats: 10,
  playMs: 1000,
  scenarios,
  profiles,
  clients: CLIENTS,
  servers: SERVERS,
  wanted: () => 1,
};

test('one seed gives one plan, another seed other hosts and activities', (t) => {
  const plan = planBatch(order);
  t.deepEqual(planBatch(order), plan);
  const other = planBatch({ ...order, seed: 43 });
  const names = new Set(plan.hosts.map(({ name }) => name));
  t.false(other.hosts.some(({ name }) => names.has(name)));
});

test('no address is given twice', (t) => {
  const { seats, hosts } = planBatch(order);
  const all = [...seats, ...hosts].flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
  t.is(new Set(all).size, 2 * (seats.length + hosts.length));
});

test('hosts speak the protocol that they are asked for', (t) => {
  const { seats, hosts } = planBatch(order);
  for (const { activities } of seats) {
    for (const activity of activities) {
      for (const name of activity.hosts) {
        const host = hosts.find((one) => one.name === name);
        t.true(
          host?.server.protocols.includes(activity.protocol),
          activity.scenario.name,
        );
      }
    }
  }
});

test('what is not wanted is not planned', (t) => {
  const { seats } = planBatch({
    ...order,
    wanted: (service, quic) => (service === 'mail' && !quic ? 1 : 0),
  });
  for (const { activities, software } of seats) {
    if (software.protocols.includes('h3')) continue;
    t.true(activities.length > 0);
    t.true(activities.every(({ scenario }) => scenario.service === 'mail'));
  }
});

const named = ({ name }: { name: string }) => name;
const clients = CLIENTS.filter(({ abilities }) => abilities.includes('requests')).map(
  named,
);
const servers = SERVERS.filter(({ protocols }) => protocols.includes('h1')).map(named);

test('over some batches each profile, and all software that is for any service, meets every service', (t) => {
  const met = new Set<string>();
  for (let seed = 1; seed <= 12; seed++) {
    const plan = planBatch({ ...order, seed });
    for (const { activities, software, line } of plan.seats) {
      for (const { scenario, hosts } of activities) {
        const { service } = scenario;
        met.add(`${service} by ${software.name}`).add(`${service} on ${line.profile}`);
        for (const name of hosts) {
          const host = plan.hosts.find((one) => one.name === name);
          met.add(`${service} from ${host?.server.name}`);
        }
      }
    }
  }
  for (const service of SERVICES) {
    for (const name of clients) t.true(met.has(`${service} by ${name}`), name);
    for (const name of servers) t.true(met.has(`${service} from ${name}`), name);
    for (const name of Object.keys(profiles))
      t.true(met.has(`${service} on ${name}`), name);
  }
});

test('what a software is not able to do, or nobody answers, is not planned for it', (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    for (const { activities, software } of planBatch({ ...order, seed }).seats) {
      for (const { scenario } of activities) {
        for (const need of scenario.needs) t.true(software.abilities.includes(need));
      }
    }
  }
  const servers = SERVERS.filter(({ name }) => name === 'node');
  const planned = Array.from({ length: 12 }, (_, seed) =>
    planBatch({ ...order, seed, servers }).seats.flatMap(({ activities }) => activities),
  ).flat();
  t.true(planned.length > 0);
  for (const { scenario, hosts, protocol } of planned) {
    t.false(scenario.needs.has('mail') || scenario.needs.has('talk'), scenario.name);
    t.true(hosts.every((host) => host !== ''));
    t.true(['h1', 'h2'].includes(protocol));
  }
});

test('mail, films and talks are planned, each for several programs', (t) => {
  const programs = new Map<string, Set<string>>();
  for (let seed = 1; seed <= 30; seed++) {
    for (const { activities, software } of planBatch({ ...order, seed }).seats) {
      for (const { scenario } of activities) {
        for (const need of scenario.needs) {
          programs.set(need, (programs.get(need) ?? new Set()).add(software.name));
        }
      }
    }
  }
  t.deepEqual([...(programs.get('mail') ?? [])].sort(), ['curl', 'python']);
  const browsers = ['chromium', 'chromium-quic', 'firefox', 'firefox-quic'];
  t.deepEqual([...(programs.get('talk') ?? [])].sort(), browsers);
  if (present('ffmpeg')) {
    t.deepEqual(
      [...(programs.get('films') ?? [])].sort(),
      [...browsers, 'ffmpeg'].sort(),
    );
  }
});

test('what few programs are able to do, those do the more often', (t) => {
  const counts = { mail: 0, imap: 0 };
  for (let seed = 1; seed <= 30; seed++) {
    for (const { activities, software } of planBatch({ ...order, seed }).seats) {
      if (!software.abilities.includes('mail')) continue;
      for (const { scenario } of activities) {
        if (scenario.service === 'mail') counts.mail++;
        if (scenario.needs.has('mail')) counts.imap++;
      }
    }
  }
  // By weight alone four in ten would be.
  t.true(counts.imap > 0.6 * counts.mail, `${counts.imap} of ${counts.mail}`);
});

test('lines are within what a wire can do, and slow ones still hold some packets', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    for (const { line } of planBatch({ ...order, seed }).seats) {
      t.true(line.mtu >= 1280 && line.mtu <= 1500);
      for (const way of [line.up, line.down]) {
        t.true(way.rate_kbps >= 500 && way.queue_bytes >= 10 * 1500);
        t.true(way.loss < 0.01);
      }
    }
  }
});
