// Sample flows through the float32 model -> the range of every tensor that int8 must cover. Axes: B flows.

import type { Network, Step } from './network.ts';
import { type Inputs, OnnxModel } from './onnx-model.ts';
import { bestRange } from './quantize.ts';
import { writeFp32 } from './write-fp32.ts';
import type { Ranges } from './write-int8.ts';

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
  const logits = network.steps.flatMap((step) =>
    step.kind === 'softmax' ? [step.from] : [],
  );
  const wanted = network.steps.filter(
    (step) => hasRange(step) && !logits.includes(step.name),
  );
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

/** Steps that make values of a new range; the others pass on the scale of what they read. */
function hasRange(step: Step): boolean {
  return (
    step.kind === 'convolve' ||
    step.kind === 'dense' ||
    step.kind === 'concat' ||
    (step.kind === 'input' && step.values === 'floats')
  );
}
