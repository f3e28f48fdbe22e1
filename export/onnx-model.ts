// A model file run by onnxruntime on one core, for calibration, parity and evaluation. Serving has its own class,
// src/classify/classifier.ts. Axes: B flows.

import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Values of each input by its name, B rows each. */
export type Inputs = Readonly<Record<string, Uint8Array | Float32Array>>;
/** Values of each output by its name, B rows each. */
export type Outputs = Readonly<Record<string, Float32Array>>;

/** Rows of one run: what larger ones gain is little, and memory is bounded. */
export const BATCH_FLOWS = 32;

export interface OpenOptions {
  /** Where onnxruntime writes the graph as it has optimised it. */
  readonly optimizedModelFile?: string;
}

export class OnnxModel {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async open(model: Uint8Array, options: OpenOptions = {}): Promise<OnnxModel> {
    const { optimizedModelFile } = options;
    const session = await InferenceSession.create(model, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // 3: errors. Saving an optimised graph warns that it is bound to this machine, which is the point.
      logSeverityLevel: 3,
      ...(optimizedModelFile === undefined
        ? {}
        : { optimizedModelFilePath: optimizedModelFile }),
    });
    return new OnnxModel(session);
  }

  /** Runs `flows` rows at once. */
  async run(inputs: Inputs, flows: number): Promise<Outputs> {
    const results = await this.#session.run(feedsOf(this.#session, inputs, flows));
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [
        name,
        tensor.data as Float32Array,
      ]),
    );
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** What the session wants, of inputs that have `flows` rows. @throws Error where one has no values */
export function feedsOf(
  session: InferenceSession,
  inputs: Inputs,
  flows: number,
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const metadata of session.inputMetadata) {
    const { name } = metadata;
    const data = inputs[name];
    if (data === undefined || !metadata.isTensor) {
      throw new Error(`model input "${name}" has no values`);
    }
    const shape = shapeOf(metadata.shape, flows, data.length);
    feeds[name] =
      data instanceof Uint8Array
        ? new Tensor('uint8', data, shape)
        : new Tensor('float32', data, shape);
  }
  return feeds;
}

/** The shape of `flows` rows; an axis that is free, behind that of the rows, is as long as the values make it. */
function shapeOf(
  declared: readonly (number | string)[],
  flows: number,
  length: number,
): number[] {
  const fixed = declared.slice(1).filter((d) => typeof d === 'number');
  const free = length / (flows * fixed.reduce((a, b) => a * b, 1));
  return [flows, ...declared.slice(1).map((d) => (typeof d === 'number' ? d : free))];
}

/** Row `from` to row `to` of all inputs, of which there are `flows`. Views, not copies. */
export function rowsOf(inputs: Inputs, flows: number, from: number, to: number): Inputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, data]) => {
      const width = data.length / flows;
      return [name, data.subarray(from * width, to * width)];
    }),
  );
}

/** The output `name` for any number of flows, run in batches. -> [B, K] */
export async function runAll(
  model: OnnxModel,
  inputs: Inputs,
  flows: number,
  name: string,
): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for (let from = 0; from < flows; from += BATCH_FLOWS) {
    const to = Math.min(from + BATCH_FLOWS, flows);
    const outputs = await model.run(rowsOf(inputs, flows, from, to), to - from);
    const part = outputs[name];
    if (part === undefined) throw new Error(`model has no output "${name}"`);
    parts.push(part);
  }
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
