// Tasks -> worker threads, one task a thread at a time, in the order given.

import { Worker } from 'node:worker_threads';
import { InputError } from '../errors.ts';
import type { BuildOptions } from './build-options.ts';
import type { BuiltShard } from './build-shard.ts';
import type { CaptureJob } from './capture-rows.ts';

export type ShardTask =
  | { readonly kind: 'hash'; readonly path: string }
  | ({ readonly kind: 'build' } & CaptureJob);

/** What a thread is told. */
export type ShardOrder = ShardTask | { readonly kind: 'end' };

/** How far a capture has been read. */
export interface ShardProgress {
  readonly frames: number;
  readonly packets: number;
  /** IP bytes on the wire. */
  readonly bytes: number;
  readonly flows: number;
}

export type ShardReply =
  | ({ readonly kind: 'progress' } & ShardProgress)
  | { readonly kind: 'hashed'; readonly sha256: string }
  | ({ readonly kind: 'built' } & BuiltShard)
  | { readonly kind: 'fault'; readonly code: string; readonly message: string };

export type ShardResult = Exclude<ShardReply, { kind: 'progress' | 'fault' }>;

export interface TaskWatcher {
  readonly progress?: (task: ShardTask, progress: ShardProgress) => void;
  /** A fault is the person's: a capture that cannot be read. */
  readonly done: (task: ShardTask, result: ShardResult | InputError) => void;
}

/** What a flow is made of lives as long as the flow is at hand: with less room it would be copied by each small collection. */
const LIMITS = { maxYoungGenerationSizeMb: 64 };
const SCRIPT = new URL('./shard-worker.js', import.meta.url);

export class ShardWorkers {
  readonly #workers: readonly Worker[];

  /** @param count of threads */
  constructor(count: number, options: BuildOptions) {
    this.#workers = Array.from(
      { length: count },
      () => new Worker(SCRIPT, { workerData: options, resourceLimits: LIMITS }),
    );
  }

  /**
   * Runs all tasks.
   *
   * @throws whatever ends a thread: out of memory, a fault of ours; and the signal's reason
   */
  async run(
    tasks: readonly ShardTask[],
    watcher: TaskWatcher,
    signal: AbortSignal,
  ): Promise<void> {
    const queue = tasks.values();
    await Promise.all(
      this.#workers.map(async (worker) => {
        for (const task of queue) {
          signal.throwIfAborted();
          watcher.done(task, await answerOf(worker, task, watcher, signal));
        }
      }),
    );
  }

  /** Ends all threads, whatever they are at. */
  async end(): Promise<void> {
    await Promise.all(this.#workers.map(ended));
  }
}

const END_MS = 5000;

/**
 * Asks a thread to end itself, which it does between two pieces of its work. To be terminated from outside in the middle of a native
 * call that makes something aborts the whole process.
 */
function ended(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => void worker.terminate(), END_MS);
    worker.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    worker.on('error', () => {});
    // Of a thread that has ended already there is no exit to come.
    if (worker.threadId === -1) {
      clearTimeout(timer);
      resolve();
    } else worker.postMessage({ kind: 'end' } satisfies ShardOrder);
  });
}

function answerOf(
  worker: Worker,
  task: ShardTask,
  watcher: TaskWatcher,
  signal: AbortSignal,
): Promise<ShardResult | InputError> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    const onError = (fault: unknown): void => settle(() => reject(fault));
    const onExit = (code: number): void =>
      settle(() => reject(new Error(`a worker thread ended with ${code}`)));
    const onMessage = (reply: ShardReply): void => {
      if (reply.kind === 'progress') watcher.progress?.(task, reply);
      else if (reply.kind !== 'fault') settle(() => resolve(reply));
      else settle(() => resolve(new InputError(reply.code, reply.message)));
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    signal.addEventListener('abort', onAbort, { once: true });
    worker.postMessage(task);
  });
}
