// Two models against each other on this machine, run by turns: the speed of a shared machine wanders, their ratio does not.

import type { Sample } from './calibrate.ts';
import { OnnxModel, rowsOf } from './onnx-model.ts';

export interface Speed {
  readonly batch: number;
  /** Medians, microseconds a flow. */
  readonly fp32Us: number;
  readonly int8Us: number;
  /** Median of what fp32 took in parts of what int8 took right after it. */
  readonly ratio: number;
}

const BATCHES = [1, 8, 32];
const ROUNDS_LEAST = 15;
const ROUNDS_MOST = 400;
const MILLISECONDS = 600;

export async function measureSpeed(
  files: { readonly fp32: Uint8Array; readonly int8: Uint8Array },
  { inputs, count }: Sample,
): Promise<Speed[]> {
  const fp32 = await OnnxModel.open(files.fp32);
  const int8 = await OnnxModel.open(files.int8);
  const speeds: Speed[] = [];
  for (const batch of BATCHES.filter((size) => size <= count)) {
    const rows = rowsOf(inputs, count, 0, batch);
    const time = async (model: OnnxModel) => {
      const start = performance.now();
      await model.run(rows, batch);
      return ((performance.now() - start) * 1000) / batch;
    };
    for (const model of [fp32, int8, fp32, int8]) await time(model);
    const rounds: [fp32Us: number, int8Us: number][] = [];
    const end = performance.now() + MILLISECONDS;
    while (
      rounds.length < ROUNDS_LEAST ||
      (performance.now() < end && rounds.length < ROUNDS_MOST)
    ) {
      rounds.push([await time(fp32), await time(int8)]);
    }
    speeds.push({
      batch,
      fp32Us: median(rounds.map(([a]) => a)),
      int8Us: median(rounds.map(([, b]) => b)),
      ratio: median(rounds.map(([a, b]) => a / b)),
    });
  }
  await fp32.close();
  await int8.close();
  return speeds;
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
