// Flows that want a label -> predictions, by a worker of its own: gathered into batches by number or by time, in a queue
// that has a bound. What does not fit is refused and counted, so a slow model costs labels and never memory.

import { Worker } from 'node:worker_threads';
import { type Manifest, modelInputsOf } from '../bundle/manifest.ts';
import type { Trust } from '../bundle/trust.ts';
import { BundleError } from '../errors.ts';
import {
  allocateBatch,
  type FeatureBatch,
  type ModelInputs,
  writeFlow,
} from '../features/features.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import type { Handshake } from '../handshake/handshake.ts';
import type { Prediction } from './classifier.ts';
import {
  memoryOf,
  type WorkerAnswer,
  type WorkerBundle,
  type WorkerTask,
} from './classify-worker.ts';

export interface QueueOptions {
  /** Flows of one run of the model. */
  readonly batchFlows: number;
  /** A batch that is not full goes after so long. */
  readonly batchWaitMs: number;
  /** Flows that wait or are being classified. */
  readonly queueFlows: number;
}

export interface QueueCounters {
  readonly classified: number;
  /** For want of room. */
  readonly refused: number;
  /** At the moment. */
  readonly waiting: number;
  /** Spent in the model, all told. */
  readonly modelMicroseconds: number;
}

/** Batches that the worker has at once: it computes one while the other one is on its way. */
const AT_ONCE = 2;

/** Rows that wait for the worker, or are with it. */
interface Rows<Context> {
  readonly batch: FeatureBatch;
  readonly contexts: Context[];
}

/** `answered` is called for each flow that was taken, in their order. */
export class ClassifyQueue<Context> {
  readonly #worker: Worker;
  readonly #inputs: ModelInputs;
  readonly #options: QueueOptions;
  readonly #answered: (prediction: Prediction, context: Context) => void;
  /** Memory of batches, used again and again: as many as were ever needed at a time. */
  readonly #free: FeatureBatch[] = [];
  /** With the worker, in order. */
  readonly #running: Context[][] = [];
  /** Full ones first, then the one that is being filled. */
  readonly #waiting: Rows<Context>[] = [];
  #timer: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];
  #classified = 0;
  #refused = 0;
  #modelMicroseconds = 0;
  #fault: Error | undefined;

  private constructor(
    worker: Worker,
    manifest: Manifest,
    options: QueueOptions,
    answered: (prediction: Prediction, context: Context) => void,
  ) {
    this.#worker = worker;
    this.#inputs = modelInputsOf(manifest);
    this.#options = options;
    this.#answered = answered;
  }

  /**
   * Starts the worker; ready when its model is.
   *
   * @throws BundleError what keeps the worker from running the model
   */
  static async open<Context>(
    bundle: { readonly path: string; readonly manifest: Manifest; readonly trust: Trust },
    options: QueueOptions,
    answered: (prediction: Prediction, context: Context) => void,
  ): Promise<ClassifyQueue<Context>> {
    const worker = new Worker(new URL('./classify-worker.js', import.meta.url), {
      workerData: { path: bundle.path, trust: bundle.trust } satisfies WorkerBundle,
      // Its JavaScript passes batches on and little else.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    const queue = new ClassifyQueue(worker, bundle.manifest, options, answered);
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (answer: WorkerAnswer) => {
        worker.off('error', reject);
        if (answer.kind === 'fault') reject(new BundleError(answer.code, answer.message));
        else resolve();
      });
    });
    worker.on('message', (answer: WorkerAnswer) => queue.#take(answer));
    worker.on('error', (fault: Error) => queue.#fail(fault));
    return queue;
  }

  /** Writes the flow's features, and keeps nothing of it. False when the queue is full: the flow gets no label. */
  add(flow: FlowRecord, handshake: Handshake, context: Context): boolean {
    if (this.#load() >= this.#options.queueFlows) {
      this.#refused++;
      return false;
    }
    const rows = this.#filling();
    const b = rows.contexts.push(context) - 1;
    writeFlow(flow, handshake, this.#inputs, rows.batch, b);
    if (rows.contexts.length === this.#options.batchFlows) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), this.#options.batchWaitMs);
    return true;
  }

  /** When there is room for another flow; at once where there is. */
  async room(): Promise<void> {
    while (this.#load() >= this.#options.queueFlows && this.#fault === undefined) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  /** When every flow that was taken has its answer. @throws what the worker died of */
  async settled(): Promise<void> {
    while (this.#load() > 0 && this.#fault === undefined) {
      this.#send();
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    if (this.#fault !== undefined) throw this.#fault;
  }

  counters(): QueueCounters {
    return {
      classified: this.#classified,
      refused: this.#refused,
      waiting: this.#load(),
      modelMicroseconds: this.#modelMicroseconds,
    };
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#worker.terminate();
  }

  #load(): number {
    const running = this.#running.reduce((sum, contexts) => sum + contexts.length, 0);
    return this.#waiting.reduce((sum, { contexts }) => sum + contexts.length, running);
  }

  /** The rows that the next flow goes to. */
  #filling(): Rows<Context> {
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.contexts.length < this.#options.batchFlows)
      return last;
    const { seriesSteps } = this.#inputs.spec;
    const batch =
      this.#free.pop() ?? allocateBatch(this.#options.batchFlows, seriesSteps);
    const rows: Rows<Context> = { batch, contexts: [] };
    this.#waiting.push(rows);
    return rows;
  }

  /** Hands over as many batches as the worker may have. */
  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#running.length < AT_ONCE) {
      const rows = this.#waiting.shift();
      if (rows === undefined) return;
      this.#running.push(rows.contexts);
      const task: WorkerTask = { batch: rows.batch, flows: rows.contexts.length };
      this.#worker.postMessage(task, memoryOf(rows.batch));
    }
  }

  #take(answer: WorkerAnswer): void {
    if (answer.kind !== 'predictions') return;
    this.#free.push(answer.batch);
    this.#modelMicroseconds += answer.microseconds;
    const contexts = this.#running.shift() ?? [];
    for (const [i, context] of contexts.entries()) {
      const prediction = answer.predictions[i];
      if (prediction !== undefined) this.#answered(prediction, context);
    }
    this.#classified += contexts.length;
    const [next] = this.#waiting;
    if (next?.contexts.length === this.#options.batchFlows) this.#send();
    else if (next !== undefined) {
      this.#timer ??= setTimeout(() => this.#send(), this.#options.batchWaitMs);
    }
    this.#wake();
  }

  #fail(fault: Error): void {
    this.#fault = fault;
    this.#wake();
  }

  #wake(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
