// What a batch came to: NAME.batch.json beside its capture, and sums over batches.

import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SERVICES, type Service } from '../../models/labels.ts';
import { InputError } from '../../src/errors.ts';
import type { PathReport } from '../net/world.ts';
import type { Played } from './batch.ts';
import type { LabLabel, TappedFlow } from './label.ts';

const SUFFIX = '.batch.json';
/** Flows with fewer packets hardly show anything. */
const PACKETS_LEAST = 10;

/** By service: over TLS and over QUIC. */
export type Counts = Readonly<
  Record<Service, { readonly tls: number; readonly quic: number }>
>;

export interface BatchFacts {
  readonly name: string;
  readonly seed: number;
  /** The seed of the run that it is a part of. */
  readonly run: number;
  readonly startedAt: string;
  readonly seconds: number;
  readonly seats: number;
  readonly clients: readonly string[];
  readonly congestion: string;
  readonly activities: number;
  /** What went wrong in players, by scenario and software. */
  readonly faults: Readonly<Record<string, number>>;
  /** Flows of the capture that belong to no activity. */
  readonly strays: number;
  /** Connections without a request, which are left without a label. */
  readonly unused: number;
  /** Flows beyond the few of each activity that have a label. */
  readonly alike: number;
  /** Flows of activities with faults, which are left without a label, too. */
  readonly failed: number;
  /** Share of the machine's processors that were busy meanwhile, by whomever. */
  readonly busy: number;
  readonly latenessUs: PathReport['latenessUs'];
  readonly path: PathReport;
  /** Labelled ones of ten packets or more. */
  readonly flows: Counts;
  /** Activities that were played. */
  readonly played: Counts;
}

export function batchName(run: number, number: number): string {
  return `lab-${run}-${String(number).padStart(4, '0')}`;
}

export function writeFacts(folder: string, facts: BatchFacts): void {
  const file = join(folder, `${facts.name}${SUFFIX}`);
  writeFileSync(`${file}.partial`, `${JSON.stringify(facts, undefined, 2)}\n`);
  renameSync(`${file}.partial`, file);
}

/**
 * The batches that stand in a folder, in order.
 *
 * @throws InputError ERR_LAB_OUT when they are of another run than the one asked for.
 */
export function readBatches(folder: string, run?: number): BatchFacts[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith(SUFFIX));
  const found = files
    .sort()
    .map((file): BatchFacts => JSON.parse(readFileSync(join(folder, file), 'utf8')));
  const other = found.find((facts) => run !== undefined && facts.run !== run);
  if (other !== undefined) {
    throw new InputError(
      'ERR_LAB_OUT',
      `${folder} holds batches of seed ${other.run}: go on with --seed ${other.run}, or name another folder by --out`,
    );
  }
  return found;
}

function counted(
  each: (count: (service: Service, quic: boolean) => void) => void,
): Counts {
  const counts = Object.fromEntries(
    SERVICES.map((service) => [service, { tls: 0, quic: 0 }]),
  ) as Record<Service, { tls: number; quic: number }>;
  each((service, quic) => {
    counts[service][quic ? 'quic' : 'tls']++;
  });
  return counts;
}

export function countLabels(
  labels: readonly LabLabel[],
  flows: readonly TappedFlow[],
): Counts {
  return counted((count) => {
    for (const [i, { service, protocol }] of labels.entries()) {
      if ((flows[i]?.packets ?? 0) >= PACKETS_LEAST) count(service, protocol === 'h3');
    }
  });
}

export function countPlayed(played: readonly Played[]): Counts {
  return counted((count) => {
    for (const { activity } of played)
      count(activity.scenario.service, activity.protocol === 'h3');
  });
}

export function faultsOf(played: readonly Played[]): Record<string, number> {
  const faults: Record<string, number> = {};
  for (const { seat, activity, outcome } of played) {
    if (outcome.fault === undefined) continue;
    const what = `${seat.software.name} ${activity.scenario.name}: ${outcome.fault.slice(0, 120)}`;
    faults[what] = (faults[what] ?? 0) + 1;
  }
  return faults;
}

export interface FlowCount {
  readonly all: number;
  of(service: Service, quic: boolean): number;
}

/** Sums over batches. */
export function countFlows(
  batches: readonly BatchFacts[],
  what: 'flows' | 'played' = 'flows',
): FlowCount {
  const of = (service: Service, quic: boolean): number =>
    batches.reduce((sum, one) => sum + one[what][service][quic ? 'quic' : 'tls'], 0);
  const all = SERVICES.reduce((sum, one) => sum + of(one, false) + of(one, true), 0);
  return { all, of };
}
