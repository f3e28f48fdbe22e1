// LightGBM as a peer: matrices go to Python in files, probabilities come back in one.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Matrix } from './flow-columns.ts';
import { PEERS_PYTHON } from './peers.ts';

const SCRIPT = fileURLToPath(
  new URL('../../../models/baselines/boosted_trees.py', import.meta.url),
);

export interface BoostedTreesInput {
  readonly train: Matrix;
  readonly test: Matrix;
  /** Of the training rows. */
  readonly labels: Int32Array;
  readonly classes: number;
  readonly seed: number;
}

/** -> [B, K] for the test rows. @throws Error with what Python said */
export function boostedTrees(input: BoostedTreesInput): Float32Array {
  const { train, test, labels, classes, seed } = input;
  const directory = mkdtempSync(join(tmpdir(), 'sluice-peer-'));
  try {
    writeFileSync(join(directory, 'train.f32'), train.values);
    writeFileSync(join(directory, 'test.f32'), test.values);
    writeFileSync(join(directory, 'labels.i32'), labels);
    const args = [SCRIPT, directory, train.columns, classes, seed].map(String);
    const run = spawnSync(PEERS_PYTHON, args, { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`LightGBM failed: ${run.stderr}`);
    const bytes = readFileSync(join(directory, 'probabilities.f32'));
    return new Float32Array(new Uint8Array(bytes).buffer);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
