// The thread in which onnxruntime computes: its `run` blocks, and the main loop must not. Batches come and go by transfer.

import { parentPort, workerData } from 'node:worker_threads';
import { loadBundle } from '../bundle/load-bundle.ts';
import type { Trust } from '../bundle/trust.ts';
import { BundleError } from '../errors.ts';
import type { FeatureBatch } from '../features/features.ts';
import { Classifier, type Prediction } from './classifier.ts';

/** What the worker is to load; it checks again what it reads. */
export interface WorkerBundle {
  readonly path: string;
  readonly trust: Trust;
}

export interface WorkerTask {
  readonly batch: FeatureBatch;
  readonly flows: number;
}

export type WorkerAnswer =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'predictions';
      /** Given back for the next task. */
      readonly batch: FeatureBatch;
      readonly predictions: readonly Prediction[];
      /** Spent in the model. */
      readonly microseconds: number;
    }
  | { readonly kind: 'fault'; readonly code: string; readonly message: string };

/** The memory of a batch, to be transferred. */
export function memoryOf(batch: FeatureBatch): ArrayBuffer[] {
  const { handshakeBytes, series, statistics } = batch;
  return [handshakeBytes, series, statistics].map(({ buffer }) => buffer as ArrayBuffer);
}

async function serve(
  port: NonNullable<typeof parentPort>,
  { path, trust }: WorkerBundle,
): Promise<void> {
  const answer = (message: WorkerAnswer, memory: ArrayBuffer[] = []) =>
    port.postMessage(message, memory);
  try {
    const classifier = await Classifier.open(await loadBundle(path, trust));
    const work = async ({ batch, flows }: WorkerTask): Promise<void> => {
      const start = performance.now();
      const predictions = await classifier.classifyBatch(batch, flows);
      const microseconds = Math.round((performance.now() - start) * 1000);
      answer({ kind: 'predictions', batch, predictions, microseconds }, memoryOf(batch));
    };
    // One after the other, however they come.
    let last = Promise.resolve();
    port.on('message', (task: WorkerTask) => {
      last = last.then(() => work(task));
    });
    answer({ kind: 'ready' });
  } catch (fault) {
    const code = fault instanceof BundleError ? fault.code : 'ERR_CLASSIFY_WORKER';
    answer({ kind: 'fault', code, message: (fault as Error).message });
  }
}

if (parentPort !== null) {
  await serve(parentPort, workerData as WorkerBundle);
}
