// What a batch's namespaces are to be like -> lines for `ip -batch` in each, and the emulator's settings.

import type { Line, LineWay } from './profile.ts';

/** The emulator's TUN devices, in the router's namespace and in the servers'. */
export const DEVICE = 'wan0';
/** So many packets wait for the emulator when it gets no processor for a moment. */
const TUN_QUEUE = '10000';
const SERVER_NET = { ipv4: '10.200.0.0/16', ipv6: 'fd77:200::/64' } as const;

export interface SeatNet {
  readonly ipv4: string;
  readonly ipv6: string;
  readonly line: Line;
}

export interface ServerAddress {
  readonly ipv4: string;
  readonly ipv6: string;
  /** One way, beyond the access lines. */
  readonly delayUs: number;
  /** Not of loopback, as all others are. */
  readonly onDevice: boolean;
}

export interface WorldPlan {
  readonly seed: number;
  readonly seats: readonly SeatNet[];
  readonly servers: readonly ServerAddress[];
  /** Of the servers: cubic, reno or bbr, where the kernel has it. */
  readonly congestion: string;
}

export function routerLines(): string[] {
  return [
    'link set lo up',
    `link set ${DEVICE} up txqueuelen ${TUN_QUEUE}`,
    `route add ${SERVER_NET.ipv4} dev ${DEVICE}`,
    `route add ${SERVER_NET.ipv6} dev ${DEVICE}`,
  ];
}

export function serverLines(
  servers: readonly ServerAddress[],
  congestion: string,
): string[] {
  return [
    'link set lo up',
    `link set ${DEVICE} up txqueuelen ${TUN_QUEUE}`,
    ...servers.flatMap(({ ipv4, ipv6, onDevice }) => {
      const device = onDevice ? DEVICE : 'lo';
      return [
        `address add ${ipv4}/32 dev ${device}`,
        `address add ${ipv6}/128 dev ${device} nodad`,
      ];
    }),
    // By route: only the first namespace may make a restricted algorithm the default of all.
    `route add default dev ${DEVICE} congctl ${congestion}`,
    `route add ::/0 dev ${DEVICE} congctl ${congestion}`,
  ];
}

export function lanLines(index: number, { ipv4, ipv6, line }: SeatNet): string[] {
  return [
    `address add ${gatewayOf(ipv4)}/24 dev lan${index}`,
    `address add ${gatewayOf(ipv6)}/64 dev lan${index} nodad`,
    `link set lan${index} up mtu ${line.mtu}`,
  ];
}

export function seatLines({ ipv4, ipv6, line }: SeatNet): string[] {
  return [
    'link set lo up',
    `address add ${ipv4}/24 dev eth0`,
    `address add ${ipv6}/64 dev eth0 nodad`,
    `link set eth0 up mtu ${line.mtu}`,
    `route add default via ${gatewayOf(ipv4)}`,
    `route add ::/0 via ${gatewayOf(ipv6)}`,
  ];
}

/** The router's address in a seat's network: the same with 1 at its end. */
function gatewayOf(address: string): string {
  return address.replace(/[0-9a-f]+$/, '1');
}

export function pathSettings({ seed, seats, servers }: WorldPlan): string {
  const way = (of: LineWay): string =>
    Object.entries(of)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ');
  const rows = [
    `seed ${seed}`,
    ...seats.flatMap(({ ipv4, ipv6, line }, i) => [
      `line ${i} up ${way(line.up)}`,
      `line ${i} down ${way(line.down)}`,
      `client ${ipv4} ${i}`,
      `client ${ipv6} ${i}`,
    ]),
    ...servers.flatMap(({ ipv4, ipv6, delayUs }) => [
      `server ${ipv4} ${delayUs}`,
      `server ${ipv6} ${delayUs}`,
    ]),
  ];
  return rows.map((row) => `${row}\n`).join('');
}
