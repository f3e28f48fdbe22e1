// A training's state after an epoch, in one file that is replaced in one step: whatever ends the process, training goes on from
// the last epoch that was finished. Layout: 8 bytes of magic, header length (uint32), header (JSON), float32 values back to back;
// all little endian.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../src/errors.ts';
import type { AdamState } from '../adam.ts';
import type { EpochRecord } from './fit.ts';

export interface Checkpoint {
  /** Of everything that decides the curve: a checkpoint of another configuration or other data is refused. */
  readonly digest: string;
  readonly history: readonly EpochRecord[];
  readonly bestEpoch: number;
  /** In the model's order. */
  readonly weights: readonly Float32Array[];
  /** Of the best epoch; empty where none was finished. */
  readonly best: readonly Float32Array[];
  /** The running mean of the weights; empty where none is kept. */
  readonly mean: readonly Float32Array[];
  readonly adam: AdamState;
}

interface Header {
  readonly digest: string;
  readonly history: readonly EpochRecord[];
  readonly bestEpoch: number;
  readonly steps: number;
  readonly weights: readonly number[];
  readonly best: readonly number[];
  readonly mean: readonly number[];
  /** Of each variable, once for each moment. */
  readonly moments: readonly number[];
}

const MAGIC = 'sluicec2';
const FILE = 'checkpoint.bin';
const HEAD_BYTES = MAGIC.length + 4;

export function hasCheckpoint(directory: string): boolean {
  return existsSync(join(directory, FILE));
}

export function removeCheckpoint(directory: string): void {
  rmSync(join(directory, FILE), { force: true });
}

/** Synchronous: it must not be torn between two ticks, and takes some milliseconds. */
export function writeCheckpoint(directory: string, checkpoint: Checkpoint): void {
  const { digest, history, bestEpoch, weights, best, mean, adam } = checkpoint;
  const header: Header = {
    digest,
    history,
    bestEpoch,
    steps: adam.steps,
    weights: weights.map(({ length }) => length),
    best: best.map(({ length }) => length),
    mean: mean.map(({ length }) => length),
    moments: adam.first.map(({ length }) => length),
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const floats = [...weights, ...best, ...mean, ...adam.first, ...adam.second];
  const bytes = Buffer.concat([
    Buffer.from(MAGIC),
    length,
    text,
    ...floats.map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength)),
  ]);
  const path = join(directory, FILE);
  writeFileSync(`${path}.partial`, bytes, { flush: true });
  renameSync(`${path}.partial`, path);
}

/** @throws InputError ERR_CHECKPOINT: damaged, or of another training */
export function readCheckpoint(directory: string, digest: string): Checkpoint {
  const path = join(directory, FILE);
  const bytes = readFileSync(path);
  const fault = (what: string) =>
    new InputError(
      'ERR_CHECKPOINT',
      `${path} ${what}; --restart begins anew, --out keeps both`,
    );
  if (bytes.length < HEAD_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw fault('is no checkpoint');
  }
  const end = HEAD_BYTES + bytes.readUInt32LE(MAGIC.length);
  const header = parse(bytes.toString('utf8', HEAD_BYTES, end));
  if (header === undefined) throw fault('is damaged');
  if (header.digest !== digest) {
    throw fault(
      'is of a training with another configuration, other data or another split',
    );
  }
  const values = floatsOf(bytes.subarray(end), [
    ...header.weights,
    ...header.best,
    ...header.mean,
    ...header.moments,
    ...header.moments,
  ]);
  if (values === undefined) throw fault('is cut off');
  const take = (list: readonly number[]) => values.splice(0, list.length);
  const { digest: own, history, bestEpoch, steps } = header;
  // In the order in which they were written.
  const [weights, best] = [take(header.weights), take(header.best)];
  const mean = take(header.mean);
  const [first, second] = [take(header.moments), take(header.moments)];
  return {
    digest: own,
    history,
    bestEpoch,
    weights,
    best,
    mean,
    adam: { steps, first, second },
  };
}

function parse(text: string): Header | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** undefined: there are not as many values as that. */
function floatsOf(bytes: Buffer, lengths: readonly number[]): Float32Array[] | undefined {
  const wanted = 4 * lengths.reduce((a, b) => a + b, 0);
  if (bytes.length !== wanted) return undefined;
  const floats = new Float32Array(new Uint8Array(bytes).buffer);
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return floats.slice(at - length, at);
  });
}
