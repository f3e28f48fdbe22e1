// Sample flows through the float32 model -> the range of every tensor that int8 must cover. Axes: B flows.

import type { Network } from './network.ts';
import { type Inputs, OnnxModel } from './onnx-model.ts';
import { bestRange } from './quantize.ts';
import { hasRange, logitsOf, type Ranges } from './scales.ts';
import { writeFp32 } from './write-fp32.ts';

/**
 * Runs the network on a sample and finds the ranges.
 *
 * @param sample inputs of `flows` flows of the training split, all run at once.
 */
export async function calibrate(
  network: Network,
  sample: Inputs,
  flows: number,
): Promise<Ranges> {
  const logits = logitsOf(network);
  const wanted = network.steps.filter((step) => hasRange(step) && !logits.has(step.name));
  const computed = wanted
    .filter((step) => step.kind !== 'input')
    .map((step) => step.name);
  const model = await OnnxModel.open(writeFp32(network, computed));
  const values = await model.run(sample, flows);
  await model.close();
  return new Map(
    wanted.map(({ name }) => {
      const tensor = values[name] ?? sample[name];
      if (!(tensor instanceof Float32Array)) {
        throw new Error(`calibration lacks tensor "${name}"`);
      }
      return [name, bestRange(tensor)];
    }),
  );
}
