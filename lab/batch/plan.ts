// A seed -> one batch: seats with their lines and software, hosts, and what is done at each seat, one activity after
// the other. The seed settles everything but how far each seat comes in its time.

import type { Service } from '../../models/labels.ts';
import { Draw } from '../draw.ts';
import { drawLine, type Profiles } from '../net/profile.ts';
import type { SeatNet, ServerAddress } from '../net/world-plan.ts';
import { CERTIFICATE_KINDS, type Host } from '../plan.ts';
import type { NamedScenario } from '../scenario/load.ts';
import type { Activity, Protocol } from '../scenario/step.ts';
import type { ClientSoftware } from '../software/clients.ts';
import type { ServerSoftware } from '../software/server-software.ts';

export interface Seat extends SeatNet {
  readonly software: ClientSoftware;
  /** Whether names stand for IPv6 addresses here. */
  readonly usesIpv6: boolean;
  readonly activities: readonly PlannedActivity[];
}

/** Its steps are drawn from scenario and seed when it is played: most of a plan never is. */
export interface PlannedActivity extends Omit<Activity, 'steps'> {
  readonly scenario: NamedScenario;
  readonly seed: number;
  /** Quiet before it. */
  readonly restMs: number;
}

export interface BatchHost
  extends ServerAddress,
    Pick<Host, 'name' | 'certificate' | 'otherNames'> {
  readonly server: ServerSoftware;
}

export interface BatchPlan {
  readonly name: string;
  readonly seed: number;
  readonly seats: readonly Seat[];
  readonly hosts: readonly BatchHost[];
  readonly congestion: string;
  /** From then on no seat begins anything. */
  readonly playMs: number;
}

/** How much each service is wanted, over QUIC and over TLS; only proportions count. */
type Wanted = (service: Service, quic: boolean) => number;

export interface BatchOrder {
  readonly name: string;
  readonly seed: number;
  readonly seats: number;
  readonly playMs: number;
  readonly scenarios: readonly NamedScenario[];
  readonly profiles: Profiles;
  readonly clients: readonly ClientSoftware[];
  readonly servers: readonly ServerSoftware[];
  readonly wanted: Wanted;
}

const ACTIVITIES = 60;
/** Longer than any scenario should take; a bad line may make it so. */
const WITHIN_MS = 75_000;
const REST_MS = [400, 1500] as const;
const RARITY_MOST = 5;
const IPV6_SHARE = 0.3;
/** One way beyond the access network: a cache nearby, the same continent, another one (assumption). */
const DELAYS_US = [
  [500, 4000],
  [4000, 15_000],
  [15_000, 45_000],
] as const;

export function planBatch(order: BatchOrder): BatchPlan {
  const draw = new Draw(order.seed);
  const hosts = drawHosts(order.servers, draw.fork('hosts'));
  const software = drawSoftware(order, draw.fork('software'));
  const profiles = draw.fork('profiles').shuffled(Object.keys(order.profiles));
  const seats = software.map((client, i): Seat => {
    const own = draw.fork(`seat ${i}`);
    return {
      ipv4: `10.${own.whole(64, 127)}.${i}.${own.whole(2, 254)}`,
      ipv6: `fd77:${100 + i}::${own.whole(2, 0xffff).toString(16)}`,
      line: drawLine(order.profiles, profiles[i % profiles.length] ?? '', own),
      software: client,
      usesIpv6: own.chance(IPV6_SHARE),
      activities: drawActivities(order, { client, hosts, seat: i }, own),
    };
  });
  return {
    name: order.name,
    seed: order.seed,
    seats,
    hosts,
    congestion: draw.fork('congestion').pick(['cubic', 'cubic', 'bbr', 'reno']),
    playMs: order.playMs,
  };
}

/** By shares, but no software more often than it may be. */
function drawSoftware({ clients, seats }: BatchOrder, draw: Draw): ClientSoftware[] {
  const chosen: ClientSoftware[] = [];
  while (chosen.length < seats) {
    const free = clients.filter(
      (client) => chosen.filter((one) => one === client).length < client.most,
    );
    const next = draw.weighted(free, ({ share }) => share);
    if (next === undefined) break;
    chosen.push(next);
  }
  return chosen;
}

function drawHosts(servers: readonly ServerSoftware[], draw: Draw): BatchHost[] {
  const wanted = servers.flatMap((server) =>
    Array.from({ length: server.hosts }, () => server),
  );
  return draw.shuffled(wanted).map((server, i) => {
    const domain = `${draw.token(draw.whole(3, 12))}.example`;
    const name = draw.chance(0.3) ? domain : `${draw.token(draw.whole(2, 14))}.${domain}`;
    const otherNames = Array.from(
      { length: draw.whole(0, 4) },
      () => `${draw.token(draw.whole(3, 10))}.${domain}`,
    );
    return {
      name,
      server,
      otherNames,
      certificate: draw.pick(CERTIFICATE_KINDS),
      onDevice: server.onDevice === true,
      ipv4: `10.200.${draw.whole(0, 255)}.${i + 1}`,
      ipv6: `fd77:200::${draw.whole(1, 0xffff).toString(16)}:${(i + 1).toString(16)}`,
      delayUs: Math.round(
        draw.uniform(...draw.pick<readonly [number, number]>(DELAYS_US)),
      ),
    };
  });
}

interface Place {
  readonly client: ClientSoftware;
  readonly hosts: readonly BatchHost[];
  readonly seat: number;
}

function drawActivities(order: BatchOrder, place: Place, draw: Draw): PlannedActivity[] {
  const { client } = place;
  const quic = client.protocols.includes('h3');
  const playable = playableBy(client, order.scenarios, order.servers);
  const services = [...new Set(playable.map(({ service }) => service))];
  return Array.from({ length: ACTIVITIES }, (_, number) => {
    const service = draw.weighted(services, (one) => order.wanted(one, quic));
    const own = playable.filter((scenario) => scenario.service === service);
    const scenario = draw.weighted(own, (one) => one.weight * rarity(one, order));
    return scenario === undefined
      ? []
      : [planActivity(order, place, { scenario, number }, draw)];
  }).flat();
}

/** What a client is able to play with these servers. */
export function playableBy(
  client: ClientSoftware,
  scenarios: readonly NamedScenario[],
  servers: readonly ServerSoftware[],
): NamedScenario[] {
  const protocols = spoken(servers, client);
  const called = servers.some((one) => one.protocols.includes('dtls'));
  return scenarios.filter(
    (scenario) =>
      scenario.protocols.some((protocol) => protocols.includes(protocol)) &&
      [...scenario.needs].every((need) => client.abilities.includes(need)) &&
      (called || !scenario.needs.has('talk')),
  );
}

/** How much more often those who are able to play a scenario do, because others are not: the inverse of their share, within limits. */
function rarity(scenario: NamedScenario, { clients, servers }: BatchOrder): number {
  const shareOf = (some: readonly ClientSoftware[]): number =>
    some.reduce((sum, { share }) => sum + share, 0);
  const able = clients.filter(
    (client) => playableBy(client, [scenario], servers).length > 0,
  );
  return Math.min(RARITY_MOST, shareOf(clients) / Math.max(1, shareOf(able)));
}

/** What a client and some server have in common. */
function spoken(
  servers: readonly ServerSoftware[],
  { protocols }: ClientSoftware,
): Protocol[] {
  return protocols.filter((protocol) =>
    servers.some((server) => server.protocols.includes(protocol)),
  );
}

function planActivity(
  order: BatchOrder,
  { client, hosts, seat }: Place,
  { scenario, number }: { scenario: NamedScenario; number: number },
  draw: Draw,
): PlannedActivity {
  const protocol: Protocol = draw.pick(
    spoken(order.servers, client).filter((one) => scenario.protocols.includes(one)),
  );
  const streams = protocol === 'h3' && client.streams && scenario.needs.has('channels');
  const able = draw.shuffled(
    hosts.filter(
      ({ server }) => server.protocols.includes(protocol) && (!streams || server.streams),
    ),
  );
  const seed = draw.uint32();
  return {
    id: `${order.name}-${seat}-${number}`,
    scenario,
    seed,
    protocol,
    // Names of one site stand beside each other more often than not: on the same server software if it has enough.
    hosts: scenario.hosts.map((_, i) => able[i % able.length]?.name ?? ''),
    within: WITHIN_MS,
    restMs: draw.whole(...REST_MS),
  };
}
