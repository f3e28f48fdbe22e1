// A seed -> everything that a capture is set up with: line, servers, host names, clients. Both processes of the lab
// read the plan as JSON; what happens during the capture is drawn from the plan's seed too (client/scheduler.ts).

import { Draw } from './draw.ts';
import { type NetworkProfile, SERVER_PROFILES } from './profiles.ts';

export const CERTIFICATE_KINDS = [
  'p256',
  'p256-chain',
  'rsa2048',
  'rsa2048-chain',
] as const;
type CertificateKind = (typeof CERTIFICATE_KINDS)[number];

/** A name that clients ask for. Its site decides how it speaks TLS. */
export interface Host {
  readonly name: string;
  /** Index into the plan's sites. */
  readonly site: number;
  readonly certificate: CertificateKind;
  /** More names in the certificate: they make it longer. */
  readonly otherNames: readonly string[];
  /** Added to the wait of each reply: the lab's lines have no delay of their own. */
  readonly latencyMs: number;
  /** Bytes of headers in each reply and of the cookie in each request. */
  readonly headerBytes: number;
  readonly cookieBytes: number;
}

/** One server program on its addresses. */
export interface Site {
  /** Name of its ServerProfile. */
  readonly profile: string;
  readonly ipv4: string;
  readonly ipv6: string | undefined;
}

export interface ClientAddress {
  readonly ipv4: string;
  readonly ipv6: string;
}

type ProfileFlows = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** One capture to be made. */
export interface CapturePlan {
  readonly name: string;
  readonly seed: number;
  readonly network: NetworkProfile;
  readonly sites: readonly Site[];
  readonly hosts: readonly Host[];
  readonly clients: readonly ClientAddress[];
  /** The first is the usual one; the others serve a tenth of the sessions of each class. */
  readonly ports: readonly number[];
  /** Flows wanted of each class; a session that has begun is finished. */
  readonly flowsPerClass: number;
  /** Sessions at a time. */
  readonly users: number;
  /** Multiplies the length of sessions and the size of bulk transfers. */
  readonly scale: number;
  /** Plain HTTP and DNS-like datagrams beside the labelled flows. */
  readonly clearTraffic: boolean;
  /** Flows that earlier captures of the run have, by class and client profile: later ones even them out. */
  readonly profileFlows: ProfileFlows;
  readonly timeLimitMs: number;
}

export interface CaptureOrder {
  readonly name: string;
  readonly seed: number;
  readonly network: NetworkProfile;
  readonly flowsPerClass: number;
  readonly scale: number;
  readonly clearTraffic: boolean;
  readonly profileFlows: ProfileFlows;
}

const HOSTS_PER_SITE = 2;
const CLIENTS = 4;
const USERS = 8;
const PORT_USUAL = 443;
const PORTS_OTHER = [8443, 9443] as const;
/** RFC 2544 and RFC 3849: ranges for tests and documentation, so that no address is anybody's. */
const IPV4_SERVERS = '198.18';
const IPV4_CLIENTS = '198.19';
const IPV6_PREFIX = '2001:db8';

/** The same order gives the same plan. */
export function planCapture(order: CaptureOrder): CapturePlan {
  const draw = new Draw(order.seed);
  const net = draw.whole(1, 250);
  const sites = SERVER_PROFILES.map(({ name }, i): Site => {
    const last = 10 + 20 * i + draw.whole(0, 15);
    // Two servers in three have both addresses.
    const both = i % 3 !== 2;
    const ipv6 = both
      ? `${IPV6_PREFIX}:${net.toString(16)}::${last.toString(16)}`
      : undefined;
    return { profile: name, ipv4: `${IPV4_SERVERS}.${net}.${last}`, ipv6 };
  });
  const certificates = draw.shuffled([
    ...CERTIFICATE_KINDS,
    ...CERTIFICATE_KINDS,
    ...CERTIFICATE_KINDS,
  ]);
  const hosts = sites.flatMap((_, site) =>
    Array.from({ length: HOSTS_PER_SITE }, (_unused, n) =>
      planHost(draw, site, certificates[site * HOSTS_PER_SITE + n] ?? 'p256'),
    ),
  );
  return {
    name: order.name,
    seed: order.seed,
    network: order.network,
    sites,
    hosts,
    clients: planClients(draw),
    ports: [PORT_USUAL, ...PORTS_OTHER],
    flowsPerClass: order.flowsPerClass,
    users: USERS,
    scale: order.scale,
    clearTraffic: order.clearTraffic,
    profileFlows: order.profileFlows,
    timeLimitMs: 240_000,
  };
}

function planHost(draw: Draw, site: number, certificate: CertificateKind): Host {
  return {
    name: hostName(draw),
    site,
    certificate,
    otherNames: Array.from({ length: draw.whole(0, 4) }, () => hostName(draw)),
    latencyMs: Math.round(draw.logNormal(18, 0.6)),
    headerBytes: draw.whole(60, 700),
    cookieBytes: draw.chance(0.7) ? draw.whole(30, 500) : 0,
  };
}

/** RFC 2606: `.example` is nobody's. */
function hostName(draw: Draw): string {
  return `${draw.token(draw.whole(2, 12))}.${draw.token(draw.whole(4, 16))}.example`;
}

function planClients(draw: Draw): ClientAddress[] {
  const net = draw.whole(1, 250);
  return Array.from({ length: CLIENTS }, (_, i) => {
    const last = 10 + 30 * i + draw.whole(0, 25);
    return {
      ipv4: `${IPV4_CLIENTS}.${net}.${last}`,
      ipv6: `${IPV6_PREFIX}:f${net.toString(16).padStart(3, '0')}::${last.toString(16)}`,
    };
  });
}
