// Plays one batch: namespaces, certificates, servers, players; gives what was done at each seat and the capture.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../src/errors.ts';
import { hostFiles, makeAuthority, makeLeaves, rootFile } from '../certificates.ts';
import { NETNS_CONFIG } from '../net/names.ts';
import { World, type WorldReport, type WorldTools } from '../net/world.ts';
import type { Outcome } from '../players/play.ts';
import { Running } from '../processes.ts';
import { compileScenario } from '../scenario/compile.ts';
import type { ServedHost, ServerSoftware } from '../software/server-software.ts';
import { NODE_SERVER, originCommand } from '../software/servers.ts';
import type { BatchHost, BatchPlan, PlannedActivity, Seat } from './plan.ts';

/** An activity that was played, and when. */
export interface Played {
  readonly seat: Seat;
  readonly activity: PlannedActivity;
  readonly outcome: Outcome;
}

export interface BatchRun {
  /** Raw: every packet, in full. In the work folder. */
  readonly capture: string;
  readonly played: readonly Played[];
  readonly report: WorldReport;
}

export interface BatchTask {
  readonly plan: BatchPlan;
  /** A folder of this batch's own; not removed. */
  readonly work: string;
  readonly tools: WorldTools;
  readonly signal: AbortSignal;
}

/** A browser takes its time to start on a busy machine. */
const READY_MS = 60_000;
/** Time for the last packets to come through the slowest line. */
const DRAIN_MS = 1500;

/** Whatever happens, namespaces and processes are gone afterwards. */
export async function playBatch(task: BatchTask): Promise<BatchRun> {
  const { plan, work, tools, signal } = task;
  await makeAuthority(work);
  await makeLeaves(work, plan.hosts);
  signal.throwIfAborted();
  const world = await World.open({ ...plan, servers: plan.hosts }, work, tools);
  const running: Running[] = [];
  try {
    await startServers(task, world, running);
    const players = await startPlayers(task, world, running);
    signal.throwIfAborted();
    const until = Date.now() + plan.playMs;
    const played = await Promise.all(
      players.map((player, i) => playSeat(player, plan.seats[i], { until, signal })),
    );
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
    const report = await world.finish();
    return { capture: world.capture, played: played.flat(), report };
  } finally {
    await Promise.all(running.map((program) => program.stop()));
    await world.close();
  }
}

async function startServers(
  { plan, work }: BatchTask,
  world: World,
  running: Running[],
): Promise<void> {
  const served = (server: string): ServedHost[] =>
    plan.hosts
      .filter((host) => host.server.name === server)
      .map((host) => ({ ...host, ...hostFiles(work, host) }));
  const start = (name: string, command: readonly string[]): Running => {
    const program = new Running(name, 'ip', world.inside('server', command));
    running.push(program);
    return program;
  };
  const origin = start(
    'origin',
    await originCommand(served(NODE_SERVER), join(work, 'origin')),
  );
  await origin.ready('ready', READY_MS);
  const softwares = new Map<string, ServerSoftware>(
    plan.hosts.map(({ server }) => [server.name, server]),
  );
  for (const software of softwares.values()) {
    if (software.ready === undefined) continue;
    const folder = join(work, software.name);
    await mkdir(folder, { recursive: true });
    const command = await software.start(served(software.name), folder, plan.seed);
    await start(software.name, command).ready(software.ready, READY_MS);
  }
}

/** One player process a seat. */
async function startPlayers(
  { plan, work }: BatchTask,
  world: World,
  running: Running[],
): Promise<Running[]> {
  const quicHosts = plan.hosts
    .filter(({ server }) => server.protocols.includes('h3'))
    .map(({ name }) => name);
  return Promise.all(
    plan.seats.map(async (seat, i) => {
      const config = join(NETNS_CONFIG, world.spaceOf(i));
      await writeFile(join(config, 'hosts'), hostsFile(plan.hosts, seat.usesIpv6));
      // Nobody is asked for names; an answer that never comes would be waited for.
      await writeFile(
        join(config, 'resolv.conf'),
        'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
      );
      const home = join(work, `seat${i}`);
      await mkdir(home, { recursive: true });
      const authority = rootFile(work);
      const command = await seat.software.command({ authority, home, quicHosts });
      const player = new Running(seat.software.name, 'ip', world.inside(i, command));
      running.push(player);
      await player.ready('ready', READY_MS);
      return player;
    }),
  );
}

function hostsFile(hosts: readonly BatchHost[], ipv6: boolean): string {
  const lines = hosts.map((host) => `${ipv6 ? host.ipv6 : host.ipv4} ${host.name}\n`);
  return `127.0.0.1 localhost\n::1 localhost\n${lines.join('')}`;
}

async function playSeat(
  player: Running,
  seat: Seat | undefined,
  { until, signal }: { until: number; signal: AbortSignal },
): Promise<Played[]> {
  const played: Played[] = [];
  if (seat === undefined) return played;
  for (const activity of seat.activities) {
    await rest(activity.restMs, signal);
    if (Date.now() > until || signal.aborted) break;
    const { id, protocol, hosts, within } = activity;
    const steps = compileScenario(activity.scenario, activity.seed);
    const answer = await untilAborted(
      player.ask(JSON.stringify({ id, protocol, hosts, steps, within })),
      signal,
    );
    if (answer === undefined) {
      if (signal.aborted) break;
      const message = `${player.name} ended in ${activity.scenario.name}: ${player.said.trim()}`;
      throw new SluiceError('ERR_LAB_PLAYER', message);
    }
    played.push({ seat, activity, outcome: JSON.parse(answer) });
  }
  return played;
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await untilAborted(new Promise((resolve) => setTimeout(resolve, ms)), signal);
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  return Promise.race([work, aborted]);
}
