// What a capture was made with and came to: `<name>.capture.json` beside it, and the tables made of these files.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, type } from 'node:os';
import { join } from 'node:path';
import { SERVICES } from '../models/labels.ts';
import { InputError } from '../src/errors.ts';
import { table } from './batch/describe.ts';
import type { CaptureResult } from './capture.ts';
import { type FlowLabel, readLabels } from './labels.ts';
import { flowsOf, labelKey } from './match.ts';
import type { CapturePlan } from './plan.ts';
import { run } from './processes.ts';
import type { NetworkProfile } from './profiles.ts';

const SUFFIX = '.capture.json';
/** Flows with fewer packets hardly show anything (issue 3). */
const PACKETS_LEAST = 10;

export interface CaptureFacts {
  readonly name: string;
  readonly seed: number;
  readonly network: NetworkProfile;
  readonly startedAt: string;
  readonly seconds: number;
  readonly machine: string;
  readonly node: string;
  /** Of Node, which speaks TLS here, and of the program that made the certificates. */
  readonly openssl: { readonly node: string; readonly program: string };
  /** Before trimming. */
  readonly packets: number;
  readonly packetsKept: number;
  readonly bytesKept: number;
}

export async function captureFacts(
  plan: CapturePlan,
  result: CaptureResult,
): Promise<CaptureFacts> {
  return {
    name: plan.name,
    seed: plan.seed,
    network: plan.network,
    startedAt: result.startedAt,
    seconds: result.seconds,
    machine: `${type()} ${release().split('-')[0]}, ${arch()}, ${cpus().length} cores`,
    node: process.version,
    openssl: {
      node: process.versions.openssl ?? '',
      program: (await run('openssl', ['version'])).trim(),
    },
    packets: result.packets,
    packetsKept: result.packetsKept,
    bytesKept: result.bytes,
  };
}

export function writeFacts(directory: string, facts: CaptureFacts): void {
  const file = join(directory, `${facts.name}${SUFFIX}`);
  writeFileSync(file, `${JSON.stringify(facts, undefined, 2)}\n`);
}

/** Of all captures in a directory, by name. @throws InputError ERR_LAB_NO_DATA when there are none. */
export function readFacts(directory: string): CaptureFacts[] {
  const files = existsSync(directory) ? readdirSync(directory) : [];
  const found = files.filter((file) => file.endsWith(SUFFIX)).sort();
  if (found.length === 0) {
    throw new InputError('ERR_LAB_NO_DATA', `${directory} holds no capture of the lab`);
  }
  return found.map(
    (file): CaptureFacts => JSON.parse(readFileSync(join(directory, file), 'utf8')),
  );
}

/** Markdown: what the captures of a directory are, and how many flows each class has in each. */
export async function describe(directory: string): Promise<string> {
  const facts = readFacts(directory);
  const made = facts.map((one) => [
    one.name,
    one.seed,
    one.startedAt.slice(0, 16).replace('T', ' '),
    one.seconds,
    `${one.network.downMbit}/${one.network.upMbit}`,
    one.network.mtu,
    one.network.congestion,
    one.network.tap,
    one.packets,
    one.packetsKept,
    Math.round(one.bytesKept / 1000),
  ]);
  const heads = [
    'capture',
    'seed',
    'UTC',
    's',
    'Mbit/s',
    'MTU',
    'TCP',
    'tap',
    'packets',
    'kept',
    'kB',
  ];
  const labels = new Map<string, FlowLabel[]>();
  for (const { name } of facts) labels.set(name, await longFlows(directory, name));
  return `${table([heads, ...made])}\n${table(counts(labels))}`;
}

/** The labels whose flows have enough packets in the trimmed capture. */
async function longFlows(directory: string, name: string): Promise<FlowLabel[]> {
  const flows = await flowsOf(join(directory, `${name}.pcap.gz`));
  const labels = readLabels(join(directory, `${name}.labels.jsonl`));
  return labels.filter(
    (label) => (flows.get(labelKey(label))?.packets ?? 0) >= PACKETS_LEAST,
  );
}

/** Flows and sessions by class and capture. */
function counts(
  labels: ReadonlyMap<string, readonly FlowLabel[]>,
): (string | number)[][] {
  const names = [...labels.keys()];
  const all = [...labels.values()].flat();
  const rows = SERVICES.map((service) => {
    const own = all.filter((label) => label.service === service);
    const sessions = new Set(own.map(({ session }) => session)).size;
    return [
      service,
      ...names.map((name) => own.filter(({ capture }) => capture === name).length),
      own.length,
      sessions,
    ];
  });
  const sums = names.map((name) => labels.get(name)?.length ?? 0);
  const sessions = new Set(all.map(({ session }) => session)).size;
  const head = ['class', ...names, 'flows', 'sessions'];
  return [head, ...rows, ['all', ...sums, all.length, sessions]];
}
