// The weights of a network: out of it, into it, and in the two files of a run.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../src/errors.ts';
import { tf } from './backend.ts';

/** Weights by variable, in the model's order. */
export function copyWeights(model: tf.LayersModel): Float32Array[] {
  return model.getWeights().map((weight) => Float32Array.from(weight.dataSync()));
}

export function setWeights(model: tf.LayersModel, values: readonly Float32Array[]): void {
  tf.tidy(() => {
    const tensors = model.getWeights().map((weight, i) => {
      const data = values[i];
      if (data?.length !== weight.size) {
        throw new Error(
          `weight ${i} of "${model.name}" has ${data?.length ?? 'no'} values, expected ${weight.size}`,
        );
      }
      return tf.tensor(data, weight.shape);
    });
    model.setWeights(tensors);
  });
}

interface WeightsIndex {
  /** In the model's order; weights.bin holds their float32 values back to back, little endian. */
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
  }[];
}

/** weights.json and weights.bin. */
export async function saveWeights(
  directory: string,
  model: tf.LayersModel,
): Promise<void> {
  const index: WeightsIndex = {
    weights: model.weights.map(({ originalName, shape }) => ({
      name: originalName,
      shape: shape.map((d) => d ?? 0),
    })),
  };
  const values = copyWeights(model).map((v) => Buffer.from(v.buffer));
  await writeFile(join(directory, 'weights.bin'), Buffer.concat(values));
  const text = `${JSON.stringify(index, null, 2)}\n`;
  await writeFile(join(directory, 'weights.json'), text);
}

/** Gives `model` the run's weights. */
export async function loadWeights(
  directory: string,
  model: tf.LayersModel,
): Promise<void> {
  const path = join(directory, 'weights.bin');
  const fault = (words: string, file = path, cause?: unknown) =>
    new InputError('ERR_RUN', `${file} ${words}; train it anew`, { cause });
  const read = (file: string) =>
    readFile(file).catch((cause: NodeJS.ErrnoException) => {
      throw fault(`cannot be read (${cause.code})`, file, cause);
    });
  const { weights }: WeightsIndex = JSON.parse(
    (await read(join(directory, 'weights.json'))).toString(),
  );
  const bytes = await read(path);
  const count = weights.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
  if (bytes.length !== 4 * count) {
    throw fault(`has ${bytes.length} bytes, weights.json wants ${4 * count}`);
  }
  const floats = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
  );
  let at = 0;
  const values = weights.map(({ shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    at += size;
    return floats.subarray(at - size, at);
  });
  setWeights(model, values);
}
