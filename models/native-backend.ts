// What of tfjs-node is used here beside its public face: see its nodejs_kernel_backend.ts and tfjs_binding.ts.

import { tf } from './backend.ts';

/** tfjs' name of the native backend. */
const NATIVE = 'tensorflow';

/** An attribute of a kernel. */
export interface NativeAttribute {
  readonly name: string;
  /** One of binding.TF_ATTR_*. */
  readonly type: number;
  readonly value: unknown;
}

/** A tensor that a kernel or a session has made. */
interface NativeTensor {
  readonly id: number;
  /** One of binding.TF_FLOAT, TF_INT32, … */
  readonly dtype: number;
}

export type NativeValues = Float32Array | Int32Array | Uint8Array;

/** Its properties cannot be written. */
export interface Binding {
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  createTensor(shape: readonly number[], type: number, values: NativeValues): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): NativeValues;
  executeOp(
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): NativeTensor[];
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(id: number): void;
  /** Names are parted by commas. */
  runSavedModel(
    id: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ): NativeTensor[];
}

export interface NativeBackend {
  binding: Binding;
  /** Values that were not handed over yet are so now. */
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(made: NativeTensor): tf.Tensor;
}

/** Whether tfjs computes with TensorFlow now. */
export function isNative(): boolean {
  return tf.getBackend() === NATIVE;
}

/** To be asked for where `isNative`. */
export function nativeBackend(): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}
