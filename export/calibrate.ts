// Sample flows through the float32 model -> the range of every tensor that int8 must cover. Axes: B flows.

import type { Network } from './network.ts';
import { BATCH_FLOWS, type Inputs, OnnxModel, rowsOf } from './onnx-model.ts';
import { RangeFinder, type RangeMethod } from './ranges.ts';
import { hasRange, logitsOf, type Ranges } from './scales.ts';
import { writeFp32 } from './write-fp32.ts';

/** Rows of a model's inputs. */
export interface Sample {
  readonly inputs: Inputs;
  readonly count: number;
}

export interface CalibrationOptions {
  readonly method: RangeMethod;
  /** Of single steps, by their name. */
  readonly methods?: ReadonlyMap<string, RangeMethod>;
}

/**
 * Runs the network on a sample and finds the ranges.
 *
 * @param sample flows of the training split
 */
export async function calibrate(
  network: Network,
  { inputs, count }: Sample,
  { method, methods }: CalibrationOptions = { method: { kind: 'squared-error' } },
): Promise<Ranges> {
  const logits = logitsOf(network);
  const wanted = network.steps.filter((step) => hasRange(step) && !logits.has(step.name));
  const computed = wanted
    .filter((step) => step.kind !== 'input')
    .map((step) => step.name);
  const batches = Math.ceil(count / BATCH_FLOWS);
  const finders = new Map(wanted.map(({ name }) => [name, new RangeFinder(batches)]));
  const model = await OnnxModel.open(writeFp32(network, computed));
  for (let from = 0; from < count; from += BATCH_FLOWS) {
    const to = Math.min(from + BATCH_FLOWS, count);
    const rows = rowsOf(inputs, count, from, to);
    const values = await model.run(rows, to - from);
    for (const [name, finder] of finders) {
      const tensor = values[name] ?? rows[name];
      if (!(tensor instanceof Float32Array)) {
        throw new Error(`calibration lacks tensor "${name}"`);
      }
      finder.add(tensor);
    }
  }
  await model.close();
  return new Map(
    [...finders].map(([name, finder]) => [
      name,
      finder.range(methods?.get(name) ?? method),
    ]),
  );
}
