// Makes one capture: namespaces, certificates, tcpdump, server, client; then trims it and puts its labels beside it.

import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../src/errors.ts';
import { makeAuthority, makeLeaves, rootFile } from './certificates.ts';
import { readLabels, writeLabels } from './labels.ts';
import { flowsOf, labelKey, placeLabels } from './match.ts';
import { Namespaces } from './namespaces.ts';
import type { CapturePlan } from './plan.ts';
import { Running } from './processes.ts';
import { type TrimOptions, type TrimSummary, trimCapture } from './trim.ts';

/** tcpdump stops by itself here, whatever happens to us: far above what a capture needs. */
const PACKETS_MAX = '3000000';
const BUFFER_KIB = '65536';
/** Time for the kernel to hand over the last packets. */
const DRAIN_MS = 1200;

/** Processes of their own, each in its namespace. */
const PROGRAMS = {
  client: fileURLToPath(import.meta.resolve('./client/client.js')),
  server: fileURLToPath(import.meta.resolve('./server/server.js')),
} as const;

export interface CaptureTask {
  readonly plan: CapturePlan;
  readonly trim: TrimOptions;
  /** Directory for `<name>.pcap.gz` and `<name>.labels.jsonl`. */
  readonly out: string;
  /** Directory that gets the whole capture too. */
  readonly keepRaw: string | undefined;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface CaptureResult extends TrimSummary {
  readonly labels: number;
  readonly startedAt: string;
  readonly seconds: number;
}

/**
 * Runs the plan. Whatever happens, processes and namespaces of its own are gone afterwards.
 *
 * @throws SluiceError when the capture is not what it should be; nothing is written to `out` then.
 */
export async function makeCapture(task: CaptureTask): Promise<CaptureResult> {
  const { plan, out, keepRaw, tell } = task;
  const work = await mkdtemp(join(tmpdir(), 'sluice-lab-'));
  const started = new Date();
  try {
    const raw = join(work, `${plan.name}.pcap`);
    const labels = join(work, 'labels.jsonl');
    await act(task, { work, raw, labels });
    const seconds = Math.round((Date.now() - started.getTime()) / 1000);
    await mkdir(out, { recursive: true });
    const result = await finish(task, { raw, labels });
    if (keepRaw !== undefined) {
      await mkdir(keepRaw, { recursive: true });
      await copyFile(raw, join(keepRaw, `${plan.name}.pcap`));
    }
    tell(
      `${plan.name}: ${result.labels} flows, ${result.packets} packets, ${result.bytes} bytes kept`,
    );
    return { ...result, startedAt: started.toISOString(), seconds };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Files {
  readonly work: string;
  readonly raw: string;
  readonly labels: string;
}

/** The live part. */
async function act(
  { plan, signal, tell }: CaptureTask,
  { work, raw, labels }: Files,
): Promise<void> {
  const planFile = join(work, 'plan.json');
  const certificates = join(work, 'certificates');
  const greetings = join(work, 'greetings');
  await writeFile(planFile, JSON.stringify(plan));
  await makeAuthority(certificates);
  await makeLeaves(certificates, plan.hosts);
  signal.throwIfAborted();
  const namespaces = await Namespaces.open(plan);
  const running: Running[] = [];
  const start = (name: string, args: readonly string[]): Running => {
    const program = new Running(name, 'ip', args);
    running.unshift(program);
    return program;
  };
  const node = (role: 'client' | 'server', ...args: string[]): Running => {
    const command = [process.execPath, PROGRAMS[role], ...args];
    return start(role, namespaces.inside(role, command));
  };
  try {
    const tap = namespaces.tap(plan.network.tap);
    const dump = ['tcpdump', '-i', tap, '-s', '0', '-B', BUFFER_KIB, '-c', PACKETS_MAX];
    const tcpdump = start(
      'tcpdump',
      namespaces.inside('router', [...dump, '-Z', 'root', '-w', raw]),
    );
    await tcpdump.ready('listening on');
    await node('server', planFile, certificates, greetings).ready('ready');
    signal.throwIfAborted();
    const client = node('client', planFile, rootFile(certificates), greetings, labels);
    const code = await client.ended(signal);
    tell(`${plan.name}: ${client.said.trim().split('\n').join('; ')}`);
    if (code !== 0)
      throw new SluiceError('ERR_LAB_CLIENT', `${plan.name}: the client gave up`);
    await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
    await tcpdump.stop();
    const lost = Number(
      /(\d+) packets? dropped by kernel/.exec(tcpdump.said)?.[1] ?? Number.NaN,
    );
    if (lost !== 0)
      throw new SluiceError('ERR_LAB_LOSS', `tcpdump lost packets: ${tcpdump.said}`);
  } finally {
    for (const program of running) await program.stop();
    await namespaces.close();
  }
}

async function finish(
  { plan, trim, out }: CaptureTask,
  { raw, labels }: Pick<Files, 'raw' | 'labels'>,
): Promise<TrimSummary & { labels: number }> {
  const { placed, lost } = placeLabels(readLabels(labels), await flowsOf(raw));
  if (lost.length > 0) {
    const first = lost[0] === undefined ? '' : labelKey(lost[0]);
    const message = `${plan.name}: ${lost.length} labelled flows are not in the capture: ${first}`;
    throw new SluiceError('ERR_LAB_LABELS', message);
  }
  const capture = join(out, `${plan.name}.pcap.gz`);
  const summary = await trimCapture(raw, `${capture}.part`, trim);
  if (summary.longestIpBytes > plan.network.mtu) {
    await rm(`${capture}.part`);
    const found = `${summary.longestIpBytes} bytes with an MTU of ${plan.network.mtu}`;
    throw new SluiceError(
      'ERR_LAB_OFFLOAD',
      `${plan.name}: offloads were on, a packet has ${found}`,
    );
  }
  await rename(`${capture}.part`, capture);
  writeLabels(join(out, `${plan.name}.labels.jsonl`), placed);
  return { ...summary, labels: placed.length };
}
