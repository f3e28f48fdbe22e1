// What a model has to be before it becomes a bundle. A check that fails stops the export, unless it is forced; then the
// manifest and the card name it.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WEIGHT_LIMIT } from '../models/int8-grid.ts';
import type { Network } from './network.ts';
import { OnnxModel } from './onnx-model.ts';
import { decodeModel } from './proto.ts';
import type { Limits } from './quantization.ts';

/** tfjs and ONNX compute the same in float32, in another order. */
const PARITY_LIMIT = 1e-5;
/** Half a point. */
const ACCURACY_LOSS_LIMIT = 0.005;
/** Below it the quantization is broken, not merely coarse; an LSTM adds up its roundings over all steps. */
const AGREEMENT_LIMIT = 0.99;
const LSTM_AGREEMENT_LIMIT = 0.98;

/** @param network undefined: a tree */
export function limitsOf(network?: Network): Limits {
  const lstm = network?.steps.some(({ kind }) => kind === 'lstm') === true;
  return {
    agreement: lstm ? LSTM_AGREEMENT_LIMIT : AGREEMENT_LIMIT,
    accuracyLoss: ACCURACY_LOSS_LIMIT,
  };
}

/** Standard errors. */
const MARGIN_ERRORS = 2;

/**
 * What int8 has to reach on so many validation flows, so that test flows, which are others, reach the limits as well: more by two
 * standard errors, and by half of what may disagree at most.
 */
export function limitsOnValidation(limits: Limits, flows: number): Limits {
  const { agreement } = limits;
  const error = Math.sqrt((agreement * (1 - agreement)) / Math.max(flows, 1));
  const margin = Math.min(MARGIN_ERRORS * error, (1 - agreement) / 2);
  return { ...limits, agreement: agreement + margin };
}

export interface Checked {
  /** Largest difference of a probability between what training left and fp32 ONNX. */
  readonly parity: number;
  /** On flows that decided nothing. */
  readonly agreement: number;
  readonly accuracyLoss: number;
  readonly limits: Limits;
  /** Layers that are float by choice. */
  readonly floatLayers: readonly string[];
  /** What routers run. */
  readonly served: Uint8Array;
}

/** What fails, a line each; empty: nothing. */
export async function failedChecks(checked: Checked): Promise<string[]> {
  const { parity, agreement, accuracyLoss, limits, floatLayers, served } = checked;
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
  const failed: string[] = [];
  if (!(parity <= PARITY_LIMIT)) {
    failed.push(
      `fp32 ONNX differs from the trained model by ${parity} in a probability, at most ${PARITY_LIMIT}`,
    );
  }
  if (!(agreement >= limits.agreement)) {
    failed.push(
      `int8 chooses the class of fp32 on ${percent(agreement)} of the test flows, at least ${percent(limits.agreement)}`,
    );
  }
  if (!(accuracyLoss <= limits.accuracyLoss)) {
    failed.push(
      `int8 is right on ${percent(accuracyLoss)} fewer of the test flows than fp32, at most ${percent(limits.accuracyLoss)}`,
    );
  }
  const kernels = await floatKernels(served);
  if (kernels.length > floatLayers.length) {
    failed.push(
      `onnxruntime computes ${kernels.length} layers in float (${[...new Set(kernels)].join(', ')}), ${floatLayers.length} were meant to be`,
    );
  }
  const beyond = weightsBeyondLimit(served);
  if (beyond !== undefined) {
    failed.push(
      `weights of "${beyond}" go beyond ±${WEIGHT_LIMIT}: sums saturate on AVX2 without VNNI`,
    );
  }
  return failed;
}

const FLOAT_KERNEL = /^(Fused)?(Conv|Gemm|MatMul)$|^(NhwcFusedConv|LSTM)$/;

/** Kinds of the float kernels that are left once onnxruntime has optimised a model. */
export async function floatKernels(model: Uint8Array): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-optimised-'));
  try {
    const file = join(directory, 'optimised.onnx');
    await (await OnnxModel.open(model, { optimizedModelFile: file })).close();
    const { nodes } = decodeModel(await readFile(file));
    return nodes.map(({ op }) => op).filter((op) => FLOAT_KERNEL.test(op));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The first constant of weights with one that is too large. */
function weightsBeyondLimit(model: Uint8Array): string | undefined {
  for (const [name, { type, bytes }] of decodeModel(model).initializers) {
    // Tables are looked up, never summed.
    if (type !== 'int8' || name.endsWith('_table_q')) continue;
    const weights = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (weights.some((weight) => Math.abs(weight) > WEIGHT_LIMIT)) return name;
  }
  return undefined;
}
