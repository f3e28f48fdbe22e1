// client - router - server as network namespaces joined by veth pairs, with the line's shape on the router.
//
//   client ns          router ns                server ns
//   lan-c  <-- veth --> lan-r   wan-r <-- veth --> wan-s
//                       tbf down  tbf up

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { InputError, SluiceError } from '../src/errors.ts';
import type { CapturePlan } from './plan.ts';
import { run } from './processes.ts';
import type { NetworkProfile } from './profiles.ts';

const PREFIX = 'sluice-lab-';
const NAMESPACES_DIRECTORY = '/run/netns';
const ROLES = ['client', 'router', 'server'] as const;
type Role = (typeof ROLES)[number];
/** Bytes that a tbf lets through at once: a few packets, so that the line is felt. */
const BURST_BYTES_LEAST = 8000;

/** The namespaces of one capture; `close` removes them and with them every interface. */
export class Namespaces {
  readonly #id: string;

  private constructor(id: string) {
    this.#id = id;
  }

  /**
   * Makes and configures all three.
   *
   * @throws InputError ERR_LAB_NAMESPACES: this machine or user may not make network namespaces.
   */
  static async open(plan: CapturePlan): Promise<Namespaces> {
    const made = new Namespaces(`${PREFIX}${process.pid}`);
    try {
      for (const role of ROLES) {
        await addNamespace(made.name(role));
        // Else IPv6 is silent for the first seconds, while addresses are checked for duplicates.
        await made.#set(role, 'ipv6/conf/all/accept_dad', '0');
        await made.#set(role, 'ipv6/conf/default/accept_dad', '0');
      }
      await made.#join();
      await made.#configure(plan);
    } catch (fault) {
      await made.close();
      throw fault;
    }
    return made;
  }

  name(role: Role): string {
    return `${this.#id}-${role}`;
  }

  /** Arguments of `ip` that run a program inside; the program replaces `ip`, so its process id is the child's. */
  inside(role: Role, command: readonly string[]): string[] {
    return ['netns', 'exec', this.name(role), ...command];
  }

  /** The router's interface on that side. */
  tap(side: NetworkProfile['tap']): string {
    return side === 'lan' ? 'lan-r' : 'wan-r';
  }

  async close(): Promise<void> {
    const present = new Set(namespaceNames());
    for (const role of ROLES) {
      const name = this.name(role);
      if (present.has(name)) await run('ip', ['netns', 'delete', name]);
    }
  }

  async #ip(role: Role, ...args: string[]): Promise<void> {
    await run('ip', ['-n', this.name(role), ...args]);
  }

  async #join(): Promise<void> {
    for (const [near, nearEnd, farEnd, far] of [
      ['client', 'lan-c', 'lan-r', 'router'],
      ['router', 'wan-r', 'wan-s', 'server'],
    ] as const) {
      const link = ['link', 'add', nearEnd, 'netns', this.name(near), 'type', 'veth'];
      await run('ip', [...link, 'peer', 'name', farEnd, 'netns', this.name(far)]);
    }
  }

  async #configure(plan: CapturePlan): Promise<void> {
    const { network } = plan;
    await this.#set('router', 'ipv4/ip_forward', '1');
    await this.#set('router', 'ipv6/conf/all/forwarding', '1');
    for (const [role, device] of [
      ['client', 'lan-c'],
      ['router', 'lan-r'],
      ['router', 'wan-r'],
      ['server', 'wan-s'],
    ] as const) {
      await this.#wireSizes(role, device);
      await this.#ip(role, 'link', 'set', device, 'mtu', String(network.mtu), 'up');
    }
    for (const role of ROLES) await this.#ip(role, 'link', 'set', 'lo', 'up');
    await this.#address(plan);
    await this.#shape('lan-r', network.downMbit, network.queueKiB);
    await this.#shape('wan-r', network.upMbit, network.queueKiB);
  }

  async #address({ clients, sites, network }: CapturePlan): Promise<void> {
    const add = (role: Role, device: string, address: string): Promise<void> =>
      this.#ip(role, 'address', 'add', address, 'dev', device, ...flagsOf(address));
    for (const [role, device, ipv4, ipv6] of [
      ['client', 'lan-c', '10.77.1.2/30', 'fd77:1::2/64'],
      ['router', 'lan-r', '10.77.1.1/30', 'fd77:1::1/64'],
      ['router', 'wan-r', '10.77.2.1/30', 'fd77:2::1/64'],
      ['server', 'wan-s', '10.77.2.2/30', 'fd77:2::2/64'],
    ] as const) {
      await add(role, device, ipv4);
      await add(role, device, ipv6);
    }
    for (const { ipv4, ipv6 } of clients) {
      const way = { via4: '10.77.1.2', via6: 'fd77:1::2', toward: 'lan-r' };
      await this.#serve('client', ipv4, way);
      await this.#serve('client', ipv6, way);
    }
    for (const { ipv4, ipv6 } of sites) {
      const way = { via4: '10.77.2.2', via6: 'fd77:2::2', toward: 'wan-r' };
      await this.#serve('server', ipv4, way);
      if (ipv6 !== undefined) await this.#serve('server', ipv6, way);
    }
    for (const [role, via4, via6] of [
      ['client', '10.77.1.1', 'fd77:1::1'],
      ['server', '10.77.2.1', 'fd77:2::1'],
    ] as const) {
      // By route: only the first namespace may make a restricted algorithm the default of all.
      const congestion = ['congctl', network.congestion];
      await this.#ip(role, 'route', 'add', 'default', 'via', via4, ...congestion);
      await this.#ip(role, '-6', 'route', 'add', 'default', 'via', via6, ...congestion);
    }
  }

  /** An address of that namespace's own, and the router's way to it. */
  async #serve(
    role: 'client' | 'server',
    address: string,
    way: { readonly via4: string; readonly via6: string; readonly toward: string },
  ): Promise<void> {
    const v6 = address.includes(':');
    const one = `${address}/${v6 ? 128 : 32}`;
    await this.#ip(role, 'address', 'add', one, 'dev', 'lo', ...flagsOf(one));
    const via = v6 ? way.via6 : way.via4;
    const family = v6 ? ['-6'] : [];
    await this.#ip(
      'router',
      ...family,
      'route',
      'add',
      one,
      'via',
      via,
      'dev',
      way.toward,
    );
  }

  /** No super-packets: what is captured must be what a wire would bear. */
  async #wireSizes(role: Role, device: string): Promise<void> {
    const off = ['tso', 'off', 'gso', 'off', 'gro', 'off', 'tx', 'off'];
    try {
      await run('ip', this.inside(role, ['ethtool', '-K', device, ...off]));
    } catch (fault) {
      if (!(fault instanceof SluiceError) || !/no such file/i.test(fault.message))
        throw fault;
      // Without ethtool: segments of one packet. Checksums stay those of offload, which nothing here reads.
      await this.#ip(role, 'link', 'set', device, 'gso_max_segs', '1');
    }
  }

  async #shape(device: string, mbit: number, queueKiB: number): Promise<void> {
    // A millisecond's worth on the fast ones.
    const burst = Math.max(BURST_BYTES_LEAST, mbit * 125);
    const shape = [
      'rate',
      `${mbit}mbit`,
      'burst',
      String(burst),
      'limit',
      `${queueKiB}kb`,
    ];
    const tc = ['tc', 'qdisc', 'add', 'dev', device, 'root', 'tbf', ...shape];
    await run('ip', this.inside('router', tc));
  }

  async #set(role: Role, key: string, value: string): Promise<void> {
    const write = `echo ${value} > /proc/sys/net/${key}`;
    await run('ip', this.inside(role, ['sh', '-c', write]));
  }
}

function flagsOf(address: string): string[] {
  return address.includes(':') ? ['nodad'] : [];
}

/** @throws InputError ERR_LAB_NAMESPACES */
export async function addNamespace(name: string): Promise<void> {
  try {
    await run('ip', ['netns', 'add', name]);
  } catch (fault) {
    if (fault instanceof InputError) throw fault;
    const said = fault instanceof Error ? fault.message : String(fault);
    throw new InputError(
      'ERR_LAB_NAMESPACES',
      `cannot make a network namespace (${said}): the lab needs root and a kernel with network namespaces`,
      { cause: fault },
    );
  }
}

function namespaceNames(): string[] {
  if (!existsSync(NAMESPACES_DIRECTORY)) return [];
  return readdirSync(NAMESPACES_DIRECTORY).filter((name) => name.startsWith(PREFIX));
}

/** Removes what killed runs have left, processes included; to be called before any is made. Gives the names. */
export async function removeStale(): Promise<string[]> {
  const removed: string[] = [];
  for (const name of namespaceNames()) {
    const owner = Number(/^\d+/.exec(name.slice(PREFIX.length))?.[0] ?? 0);
    // One that bears our own number is of an earlier process: none has been made yet.
    if (owner !== process.pid && isLab(owner)) continue;
    const pids = (await run('ip', ['netns', 'pids', name])).split('\n').filter(Boolean);
    // Whatever runs in a namespace of this name was started by a lab that is gone.
    for (const pid of pids) endProcess(Number(pid));
    await run('ip', ['netns', 'delete', name]);
    removed.push(name);
  }
  return removed;
}

/** A lab is running under that process id, this one included. */
function isLab(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('lab/run');
  } catch {
    return false;
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It ended by itself.
  }
}
