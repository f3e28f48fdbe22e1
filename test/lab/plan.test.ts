import test from 'ava';
import { CERTIFICATE_KINDS, planCapture } from '../../lab/plan.ts';
import {
  CLIENT_PROFILES,
  NETWORK_DEMO,
  NETWORK_PROFILES,
  negotiated,
  SERVER_PROFILES,
} from '../../lab/profiles.ts';

const order = {
  name: 'plan',
  seed: 42,
  network: NETWORK_DEMO,
  flowsPerClass: 3,
  scale: 1,
  clearTraffic: false,
  profileFlows: {},
};

test('one seed gives one plan, another seed other hosts and addresses', (t) => {
  const plan = planCapture(order);
  t.deepEqual(planCapture(order), plan);
  const other = planCapture({ ...order, seed: 43 });
  const names = new Set(plan.hosts.map(({ name }) => name));
  t.false(other.hosts.some(({ name }) => names.has(name)));
});

test('a plan has hosts on every server and every kind of certificate, and no address twice', (t) => {
  const { sites, hosts, clients } = planCapture(order);
  const served = [...new Set(hosts.map(({ site }) => site))];
  t.deepEqual(served, [...SERVER_PROFILES.keys()]);
  const kinds = new Set(hosts.map(({ certificate }) => certificate));
  t.deepEqual([...kinds].sort(), [...CERTIFICATE_KINDS].sort());
  const addresses = [...sites, ...clients].flatMap(({ ipv4, ipv6 }) => [
    ipv4,
    ipv6 ?? ipv4,
  ]);
  const given = [...sites, ...clients].filter(({ ipv6 }) => ipv6 !== undefined).length;
  t.is(new Set(addresses).size, sites.length + clients.length + given);
});

test('every client profile reaches most servers, and each kind of ALPN comes about', (t) => {
  const outcomes = new Set<string>();
  for (const client of CLIENT_PROFILES) {
    const reached = SERVER_PROFILES.map((server) => negotiated(client, server));
    t.true(
      reached.filter((alpn) => alpn !== undefined).length >= SERVER_PROFILES.length - 1,
    );
    for (const alpn of reached) outcomes.add(alpn ?? 'fails');
  }
  for (const alpn of ['h2', 'http/1.1', 'none']) t.true(outcomes.has(alpn));
});

test("the demo's line is none of the data set's", (t) => {
  for (const network of NETWORK_PROFILES) {
    t.notDeepEqual(network, NETWORK_DEMO);
    t.not(network.mtu, NETWORK_DEMO.mtu);
  }
});
