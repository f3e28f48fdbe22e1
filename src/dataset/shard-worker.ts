// A worker thread of a build: takes one task after the other. Each reads the label table for itself.

import { parentPort, workerData } from 'node:worker_threads';
import { InputError } from '../errors.ts';
import { type BuildOptions, readLabels } from './build-options.ts';
import { buildShard } from './build-shard.ts';
import { fileSha256 } from './dataset-file.ts';
import type { ShardOrder, ShardReply, ShardTask } from './shard-workers.ts';

const port = parentPort;
if (port === null) throw new Error('shard-worker.js is started by shard-workers.js');
const options = workerData as BuildOptions;
const table = await readLabels(options.labels);
const PROGRESS_MS = 200;

const reply = (message: ShardReply): void => port.postMessage(message);

async function run(task: ShardTask): Promise<ShardReply> {
  if (task.kind === 'hash') {
    return { kind: 'hashed', sha256: await fileSha256(task.path).catch(cannotRead) };
  }
  let told = 0;
  const built = await buildShard(task, {
    options,
    table,
    onProgress: ({ frames, packets, bytes, flowsCreated }) => {
      const now = performance.now();
      if (now - told < PROGRESS_MS) return;
      told = now;
      reply({ kind: 'progress', frames, packets, bytes, flows: flowsCreated });
    },
  });
  return { kind: 'built', ...built };
}

function cannotRead(cause: NodeJS.ErrnoException): never {
  throw new InputError('ERR_CAPTURE_OPEN', `cannot be read (${cause.code})`, { cause });
}

port.on('message', (order: ShardOrder) => {
  // Of this thread alone.
  if (order.kind === 'end') process.exit();
  run(order).then(reply, (fault: unknown) => {
    // Anything else is a fault of ours, and ends the build.
    if (!(fault instanceof InputError)) throw fault;
    reply({ kind: 'fault', code: fault.code, message: fault.message });
  });
});
