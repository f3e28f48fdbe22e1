// A run of batches into a folder: goes on where an earlier one stopped, plays a batch again more gently when the
// emulator was late, tells how it goes.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICES, type Service } from '../../models/labels.ts';
import { SluiceError } from '../../src/errors.ts';
import { PREFIX } from '../net/names.ts';
import type { WorldTools } from '../net/world.ts';
import { TRIM_BRIEF, TRIM_DATASET, trimCapture } from '../trim.ts';
import { playBatch } from './batch.ts';
import {
  type BatchFacts,
  batchName,
  countFlows,
  countLabels,
  countPlayed,
  faultsOf,
  readBatches,
  writeFacts,
} from './facts.ts';
import { labelFlows, tappedFlows } from './label.ts';
import { type BatchOrder, type BatchPlan, planBatch } from './plan.ts';
import { busyShare, describeProgress } from './progress.ts';

/** Later than this for one packet in a hundred, and the timing of the batch is the machine's and not the line's. */
const LATENESS_P99_MAX_US = 2000;
const TRIES = 4;
/** Of the seats that were too many. */
const GENTLER = 0.7;
const SEATS_LEAST = 2;
const SEED_STEP = 1000;

export interface SeriesTask
  extends Pick<
    BatchOrder,
    'seats' | 'playMs' | 'scenarios' | 'profiles' | 'clients' | 'servers'
  > {
  readonly seed: number;
  /** Wanted all told, of ten packets or more. */
  readonly flows: number;
  readonly out: string;
  /** Small captures, to be shown: of each flow the beginning. */
  readonly brief: boolean;
  readonly tools: WorldTools;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Plays batches until there are as many flows as wanted. */
export async function playSeries(task: SeriesTask): Promise<void> {
  mkdirSync(task.out, { recursive: true });
  const done = readBatches(task.out, task.seed);
  const before = done.length;
  if (before > 0) task.tell(`lab: ${before} batches are there already, going on`);
  const started = Date.now();
  let { seats } = task;
  while (countFlows(done).all < task.flows) {
    const number = done.length;
    const facts = await playNumber(task, { number, seats, done });
    done.push(facts);
    // A machine that was too slow for so many is so for the next batch, too; it may get better.
    seats = Math.min(task.seats, facts.seats + 1);
    task.tell(describeProgress(facts, done, { flows: task.flows, before, started }));
  }
}

interface Turn {
  readonly number: number;
  readonly seats: number;
  readonly done: readonly BatchFacts[];
}

async function playNumber(task: SeriesTask, turn: Turn): Promise<BatchFacts> {
  let { seats } = turn;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    task.signal.throwIfAborted();
    const plan = planBatch({
      ...task,
      name: batchName(task.seed, turn.number),
      seed: task.seed + turn.number * SEED_STEP + attempt,
      seats,
      wanted: wantedOf(task, turn.done),
    });
    const facts = await playPlan(task, plan);
    if (facts.latenessUs.p99 <= LATENESS_P99_MAX_US) return facts;
    const late = (facts.latenessUs.p99 / 1000).toFixed(1);
    seats = Math.max(SEATS_LEAST, Math.floor(seats * GENTLER));
    task.tell(
      `lab: ${plan.name}: thrown away, 1% of packets left ${late} ms late; again with ${seats} seats`,
    );
  }
  throw new SluiceError(
    'ERR_LAB_LATE',
    `the emulator was late ${TRIES} times with ever fewer seats: this machine is too busy now; run again later, it goes on`,
  );
}

/** The batch's files are put into place only when it is good; its facts come last and say that it stands. */
async function playPlan(task: SeriesTask, plan: BatchPlan): Promise<BatchFacts> {
  const work = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const started = new Date();
  const busy = busyShare();
  try {
    const run = await playBatch({ plan, work, tools: task.tools, signal: task.signal });
    const busyDuring = busy();
    const { labels, flows, strays, unused, alike, failed } = labelFlows(
      await tappedFlows(run.capture),
      run.played,
      plan.hosts,
    );
    const facts: BatchFacts = {
      name: plan.name,
      seed: plan.seed,
      run: task.seed,
      startedAt: started.toISOString(),
      seconds: Math.round((Date.now() - started.getTime()) / 1000),
      seats: plan.seats.length,
      clients: plan.seats.map(
        ({ software, line }) => `${software.name} on ${line.profile}`,
      ),
      congestion: plan.congestion,
      activities: run.played.length,
      faults: faultsOf(run.played),
      strays,
      unused,
      alike,
      failed,
      busy: busyDuring,
      latenessUs: run.report.path.latenessUs,
      path: run.report.path,
      flows: countLabels(labels, flows),
      played: countPlayed(run.played),
    };
    if (facts.latenessUs.p99 > LATENESS_P99_MAX_US) return facts;
    const capture = join(task.out, `${plan.name}.pcap.gz`);
    const trim = task.brief ? TRIM_BRIEF : TRIM_DATASET;
    await trimCapture(run.capture, `${capture}.partial`, trim);
    await rename(`${capture}.partial`, capture);
    writeFileSync(
      join(task.out, `${plan.name}.labels.jsonl`),
      labels.map((label) => `${JSON.stringify(label)}\n`).join(''),
    );
    writeFacts(task.out, facts);
    return facts;
  } finally {
    rmSync(work, { recursive: true, force: true });
    await rm(join(task.out, `${plan.name}.pcap.gz.partial`), { force: true });
  }
}

/**
 * What is short of its part is wanted, the more the fewer flows an activity of it gives. What has its part is still
 * wanted a little: every seat has something to do.
 */
function wantedOf(task: SeriesTask, done: readonly BatchFacts[]): BatchOrder['wanted'] {
  const flows = countFlows(done);
  const played = countFlows(done, 'played');
  const services = SERVICES.filter((service) =>
    task.scenarios.some((scenario) => scenario.service === service),
  );
  const part = task.flows / (2 * services.length);
  return (service: Service, quic: boolean) => {
    const short = Math.max(0.05, 1 - flows.of(service, quic) / part);
    const yieldOf = (flows.of(service, quic) + 3) / (played.of(service, quic) + 2);
    return short / Math.max(0.2, yieldOf);
  };
}
