// The namespaces of a batch and the path between them:
//
//   seat 0 ── veth ──┐
//   seat 1 ── veth ──┤ router ── TUN wan0 [lab-path] TUN wan0 ── servers, many addresses
//   ...              ┘            └ lab-tap writes the capture
//
// A seat is a computer of its own: whatever it sends belongs to what is being done there at that time.

import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../src/errors.ts';
import { addNamespace } from '../namespaces.ts';
import { Running, run } from '../processes.ts';
import { NETNS_CONFIG, PREFIX } from './names.ts';
import { endProcesses } from './space-processes.ts';
import {
  DEVICE,
  lanLines,
  pathSettings,
  routerLines,
  seatLines,
  serverLines,
  type WorldPlan,
} from './world-plan.ts';

export interface WorldTools {
  /** lab-path and lab-tap. */
  readonly path: string;
  readonly tap: string;
}

/** What lab-path counted: emulator/src/lab-path.cpp. */
export interface PathReport {
  readonly packetsUp: number;
  readonly packetsDown: number;
  readonly lost: number;
  readonly queueDropped: number;
  readonly poolDropped: number;
  readonly strangers: number;
  readonly writeFailed: number;
  readonly latenessUs: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
  };
  readonly priority: string;
}

export interface WorldReport {
  readonly path: PathReport;
  readonly tap: { readonly packets: number; readonly dropped: number };
}

export class World {
  readonly #plan: WorldPlan;
  readonly #work: string;
  #path: Running | undefined;
  #tap: Running | undefined;

  private constructor(plan: WorldPlan, work: string) {
    this.#plan = plan;
    this.#work = work;
  }

  /**
   * Makes the namespaces, starts the path and the capture into `work`/raw.pcap.
   *
   * @throws InputError ERR_LAB_NAMESPACES: this machine or user may not make network namespaces.
   */
  static async open(plan: WorldPlan, work: string, tools: WorldTools): Promise<World> {
    const world = new World(plan, work);
    try {
      await world.#make(tools);
    } catch (fault) {
      await world.close();
      throw fault;
    }
    return world;
  }

  get capture(): string {
    return join(this.#work, 'raw.pcap');
  }

  spaceOf(role: 'router' | 'server' | number): string {
    return `${PREFIX}${process.pid}-${typeof role === 'number' ? `seat${role}` : role}`;
  }

  /** Arguments of `ip` that run a program inside; it replaces `ip`, so its process id is the child's. */
  inside(role: 'router' | 'server' | number, command: readonly string[]): string[] {
    return ['netns', 'exec', this.spaceOf(role), ...command];
  }

  /** Ends capture and path and tells what they counted. @throws SluiceError when packets are missing in the capture. */
  async finish(): Promise<WorldReport> {
    const tap = await reportOf(this.#tap);
    const path = await reportOf(this.#path);
    const report = { path, tap } as WorldReport;
    if (report.tap.dropped > 0) {
      throw new SluiceError(
        'ERR_LAB_LOSS',
        `the capture lost ${report.tap.dropped} of ${report.tap.packets} packets`,
      );
    }
    return report;
  }

  /** Whatever stands is removed. */
  async close(): Promise<void> {
    await this.#tap?.stop();
    await this.#path?.stop();
    for (const role of this.#roles()) {
      const space = this.spaceOf(role);
      await rm(join(NETNS_CONFIG, space), { recursive: true, force: true });
      if (!existsSync(`/run/netns/${space}`)) continue;
      // A program that was stopped may have left one of its own, such as a browser.
      await endProcesses(space);
      await run('ip', ['netns', 'delete', space]);
    }
  }

  #roles(): ('router' | 'server' | number)[] {
    return ['router', 'server', ...this.#plan.seats.keys()];
  }

  async #make(tools: WorldTools): Promise<void> {
    for (const role of this.#roles()) await addConfigured(this.spaceOf(role));
    const settings = join(this.#work, 'path.txt');
    await writeFile(settings, pathSettings(this.#plan));
    this.#path = new Running('lab-path', tools.path, [
      this.spaceOf('router'),
      this.spaceOf('server'),
      DEVICE,
      settings,
    ]);
    await this.#path.ready('ready');
    for (const role of this.#roles()) await this.#configure(role);
    const router = this.spaceOf('router');
    this.#tap = new Running('lab-tap', tools.tap, [router, DEVICE, this.capture]);
    await this.#tap.ready('ready');
  }

  async #configure(role: 'router' | 'server' | number): Promise<void> {
    const { seats, servers, congestion } = this.#plan;
    const space = this.spaceOf(role);
    // Else IPv6 is silent for the first seconds, while addresses are checked for duplicates.
    const keys: Record<string, string> = { 'ipv6/conf/default/accept_dad': '0' };
    if (role === 'router') {
      keys['ipv4/ip_forward'] = '1';
      keys['ipv6/conf/all/forwarding'] = '1';
      await this.#sysctl(role, keys);
      return this.#ip(space, routerLines());
    }
    await this.#sysctl(role, keys);
    if (role === 'server') return this.#ip(space, serverLines(servers, congestion));
    const seat = seats[role];
    if (seat === undefined) return;
    const router = this.spaceOf('router');
    const link = ['link', 'add', 'eth0', 'netns', space, 'type', 'veth'];
    await run('ip', [...link, 'peer', 'name', `lan${role}`, 'netns', router]);
    await this.#wireSizes(role, 'eth0');
    await this.#wireSizes('router', `lan${role}`);
    await this.#ip(router, lanLines(role, seat));
    await this.#ip(space, seatLines(seat));
  }

  /** No super-packets: what is captured must be what a wire would bear. */
  async #wireSizes(role: 'router' | number, device: string): Promise<void> {
    const off = ['tso', 'off', 'gso', 'off', 'gro', 'off', 'tx', 'off'];
    await run('ip', this.inside(role, ['ethtool', '-K', device, ...off]));
  }

  async #sysctl(
    role: 'router' | 'server' | number,
    keys: Record<string, string>,
  ): Promise<void> {
    const writes = Object.entries(keys).map(
      ([key, value]) => `echo ${value} >/proc/sys/net/${key}`,
    );
    await run('ip', this.inside(role, ['sh', '-c', writes.join('; ')]));
  }

  /** Several lines of `ip` in one process. */
  async #ip(space: string, lines: readonly string[]): Promise<void> {
    const file = join(this.#work, 'ip.txt');
    await writeFile(file, lines.map((line) => `${line}\n`).join(''));
    await run('ip', ['-n', space, '-batch', file]);
  }
}

async function addConfigured(name: string): Promise<void> {
  await mkdir(join(NETNS_CONFIG, name), { recursive: true });
  await addNamespace(name);
}

/** Stops a program and reads the line of JSON that it ends with. */
async function reportOf(program: Running | undefined): Promise<unknown> {
  if (program === undefined) return undefined;
  await program.stop();
  try {
    return JSON.parse(program.lastLine);
  } catch (fault) {
    const message = `${program.name} ended without its figures: ${program.said}`;
    throw new SluiceError('ERR_LAB_COMMAND', message, { cause: fault });
  }
}
