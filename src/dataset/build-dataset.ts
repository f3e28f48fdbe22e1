// Captures -> shards, by worker threads; the biggest first, so that none is left alone with it at the end.

import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { InputError } from '../errors.ts';
import type { BuildOptions } from './build-options.ts';
import type { BuiltShard } from './build-shard.ts';
import { makeShardFolder } from './dataset-file.ts';
import type { CaptureFile } from './find-captures.ts';
import { removeOwn, removeStale } from './shard-folder.ts';
import {
  type ShardProgress,
  type ShardResult,
  type ShardTask,
  ShardWorkers,
} from './shard-workers.ts';
import { sidecarPath } from './sidecar.ts';

/** How far a build is; numbers never go back. */
export interface BuildProgress {
  readonly phase: 'hash' | 'build';
  readonly captures: number;
  readonly capturesDone: number;
  /** Of capture files; of those that stand already nothing counts. */
  readonly bytes: number;
  readonly bytesDone: number;
  readonly packets: number;
  readonly flows: number;
}

export interface BuildRun {
  readonly workers: number;
  /** Aborted: what stands stays, what is at work is given up. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BuildProgress) => unknown;
  /** A line for people. */
  readonly onWords: (line: string) => void;
}

export interface BuildOutcome {
  /** In no order. */
  readonly shards: readonly BuiltShard[];
  /** Captures with the content of another. */
  readonly duplicates: number;
  /** Captures that could not be read. */
  readonly faults: number;
  /** Of captures built in this run. */
  readonly packets: number;
  readonly flows: number;
  readonly bytes: number;
}

/**
 * Builds the shards of captures; what stands with the same options is kept.
 *
 * @throws the signal's reason when it is aborted; InputError ERR_OUTPUT where the folder cannot be written
 */
export async function buildShards(
  captures: readonly CaptureFile[],
  options: BuildOptions,
  run: BuildRun,
): Promise<BuildOutcome> {
  makeShardFolder(options.directory);
  await removeStale(options.directory);
  const threads = Math.max(1, Math.min(run.workers, captures.length));
  const workers = new ShardWorkers(threads, options);
  try {
    const build = new Build(captures, run);
    await build.hash(workers);
    await build.build(workers);
    return build.outcome();
  } finally {
    await workers.end();
    await removeOwn(options.directory);
  }
}

/** Of a frame's head in a capture file beside its IP packet. */
const FRAME_OVERHEAD_BYTES = 30;

class Build {
  readonly #captures: readonly CaptureFile[];
  readonly #run: BuildRun;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #hashes = new Map<string, string>();
  readonly #shards: BuiltShard[] = [];
  /** Of captures at work. */
  readonly #running = new Map<string, ShardProgress>();
  #duplicates = 0;
  #faults = 0;
  #done = { captures: 0, bytes: 0, packets: 0, flows: 0 };
  #total = { captures: 0, bytes: 0 };

  constructor(captures: readonly CaptureFile[], run: BuildRun) {
    this.#captures = captures.toSorted((a, b) => b.bytes - a.bytes);
    this.#run = run;
    this.#sizes = new Map(captures.map(({ path, bytes }) => [path, bytes]));
  }

  async hash(workers: ShardWorkers): Promise<void> {
    const tasks = this.#captures.map(({ path }) => ({ kind: 'hash', path }) as const);
    this.#begin(tasks);
    const done = (task: ShardTask, result: ShardResult | InputError): void => {
      if (result instanceof InputError) this.#fault(task.path, result);
      else if (result.kind === 'hashed') this.#hashes.set(task.path, result.sha256);
      this.#count(task.path);
      this.#tell('hash');
    };
    await workers.run(tasks, { done }, this.#run.signal);
  }

  async build(workers: ShardWorkers): Promise<void> {
    const tasks = this.#uniqueCaptures().map(
      ({ path }) =>
        ({ kind: 'build', path, sha256: this.#hashes.get(path) ?? '' }) as const,
    );
    this.#begin(tasks);
    const progress = (task: ShardTask, told: ShardProgress): void => {
      this.#running.set(task.path, told);
      this.#tell('build');
    };
    const done = (task: ShardTask, result: ShardResult | InputError): void => {
      this.#running.delete(task.path);
      if (result instanceof InputError) {
        // A disk that is full is not the capture's fault.
        if (result.code === 'ERR_OUTPUT') throw result;
        this.#fault(task.path, result);
        this.#count(task.path);
      } else if (result.kind === 'built') this.#built(task.path, result);
      this.#tell('build');
    };
    await workers.run(tasks, { progress, done }, this.#run.signal);
  }

  outcome(): BuildOutcome {
    const { packets, flows, bytes } = this.#done;
    return {
      shards: this.#shards,
      duplicates: this.#duplicates,
      faults: this.#faults,
      packets,
      flows,
      bytes,
    };
  }

  #begin(tasks: readonly ShardTask[]): void {
    const bytes = tasks.reduce((sum, { path }) => sum + this.#sizeOf(path), 0);
    this.#total = { captures: tasks.length, bytes };
    this.#done = { captures: 0, bytes: 0, packets: 0, flows: 0 };
  }

  #built(path: string, shard: BuiltShard): void {
    this.#shards.push(shard);
    for (const warning of shard.warnings) this.#run.onWords(warning);
    if (shard.kept) {
      // Nothing had to be done for it: rates and the time left go by the others.
      this.#done.captures++;
      this.#total.bytes -= this.#sizeOf(path);
      return;
    }
    const { packets = 0, flows = 0 } = shard.entry.counters;
    this.#done.packets += packets;
    this.#done.flows += flows;
    this.#count(path);
  }

  #count(path: string): void {
    this.#done.captures++;
    this.#done.bytes += this.#sizeOf(path);
  }

  #fault(path: string, fault: InputError): void {
    this.#faults++;
    this.#run.onWords(`${path}: ${fault.message}`);
  }

  #sizeOf(path: string): number {
    return this.#sizes.get(path) ?? 0;
  }

  /** One capture a content: with labels beside it before without, then the first by name. */
  #uniqueCaptures(): CaptureFile[] {
    const byHash = new Map<string, CaptureFile[]>();
    for (const capture of this.#captures) {
      const hash = this.#hashes.get(capture.path);
      if (hash === undefined) continue;
      byHash.set(hash, [...(byHash.get(hash) ?? []), capture]);
    }
    return [...byHash.values()].flatMap((same) => {
      const [first, ...others] = same.sort(byClaim);
      this.#duplicates += others.length;
      for (const { path } of others) {
        this.#run.onWords(`${path}: the same content as ${first?.path}, built once`);
      }
      return first ?? [];
    });
  }

  #tell(phase: BuildProgress['phase']): void {
    const running = [...this.#running];
    const sum = (of: (progress: ShardProgress) => number): number =>
      running.reduce((total, [, progress]) => total + of(progress), 0);
    // Nobody tells where in its file a capture is; headers and packets seen so far come close, unless it is packed.
    const runningBytes = running.reduce((total, [path, { frames, bytes }]) => {
      const read = bytes + frames * FRAME_OVERHEAD_BYTES;
      return total + Math.min(read, this.#sizeOf(path));
    }, 0);
    this.#run.onProgress({
      phase,
      captures: this.#total.captures,
      capturesDone: this.#done.captures,
      bytes: this.#total.bytes,
      bytesDone: this.#done.bytes + runningBytes,
      packets: this.#done.packets + sum(({ packets }) => packets),
      flows: this.#done.flows + sum(({ flows }) => flows),
    });
  }
}

function byClaim(a: CaptureFile, b: CaptureFile): number {
  const [ours, theirs] = [a, b].map(({ path }) => existsSync(sidecarPath(path)));
  if (ours !== theirs) return ours === true ? -1 : 1;
  const [mine, other] = [basename(a.path), basename(b.path)];
  if (mine !== other) return mine < other ? -1 : 1;
  return a.path < b.path ? -1 : 1;
}
