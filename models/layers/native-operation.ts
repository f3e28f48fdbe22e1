// TensorFlow's own kernels, called by name: tfjs-node can run any of them, but its public face has only those of tfjs.

import { tf } from '../backend.ts';

/** tfjs' name of the native backend. */
const NATIVE = 'tensorflow';

/** What of tfjs-node's backend is used here; see its nodejs_kernel_backend.ts. */
interface NativeBackend {
  readonly binding: {
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_FLOAT: number;
    readonly TF_ATTR_INT: number;
    readonly TF_ATTR_SHAPE: number;
    readonly TF_ATTR_STRING: number;
    readonly TF_ATTR_TYPE: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
    readonly TF_INT64: number;
    createTensor(shape: number[], dtype: number, values: Int32Array): number;
    deleteTensor(id: number): void;
    executeOp(
      name: string,
      attributes: readonly object[],
      inputs: readonly number[],
      outputs: number,
    ): object[];
  };
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(metadata: object): tf.Tensor;
}

/** Value of an attribute: the kind stands beside it because TensorFlow tells integers from floats and JavaScript not. */
type Attribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly bool: boolean }
  | { readonly shape: readonly number[] }
  | { readonly string: string }
  | { readonly type: 'float32' | 'int32' };

interface Operation {
  readonly name: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** A 64-bit scalar in front of the other inputs, which tfjs has no tensors for. */
  readonly int64?: number;
  readonly inputs: readonly tf.Tensor[];
  readonly outputs: number;
}

/** Whether tfjs computes with TensorFlow now. */
export function isNative(): boolean {
  return tf.getBackend() === NATIVE;
}

/** Runs one kernel. No gradient is recorded: to be wrapped in tf.customGrad. */
export function runNative(operation: Operation): tf.Tensor[] {
  const backend = tf.backend() as unknown as NativeBackend;
  const { binding } = backend;
  const attributes = Object.entries(operation.attributes).map(([name, value]) => ({
    name,
    ...encode(binding, value),
  }));
  const inputs = backend.getInputTensorIds(operation.inputs);
  const { int64, name, outputs } = operation;
  if (int64 === undefined) {
    return binding
      .executeOp(name, attributes, inputs, outputs)
      .map((made) => backend.createOutputTensor(made));
  }
  // Low word first: TensorFlow runs on little-endian machines only.
  const id = binding.createTensor([], binding.TF_INT64, Int32Array.of(int64, 0));
  try {
    return binding
      .executeOp(name, attributes, [id, ...inputs], outputs)
      .map((made) => backend.createOutputTensor(made));
  } finally {
    binding.deleteTensor(id);
  }
}

function encode(binding: NativeBackend['binding'], value: Attribute) {
  if ('float' in value) return { type: binding.TF_ATTR_FLOAT, value: value.float };
  if ('int' in value) return { type: binding.TF_ATTR_INT, value: value.int };
  if ('bool' in value) return { type: binding.TF_ATTR_BOOL, value: value.bool };
  if ('shape' in value) return { type: binding.TF_ATTR_SHAPE, value: [...value.shape] };
  if ('string' in value) return { type: binding.TF_ATTR_STRING, value: value.string };
  const type = value.type === 'int32' ? binding.TF_INT32 : binding.TF_FLOAT;
  return { type: binding.TF_ATTR_TYPE, value: type };
}

/** Runs a kernel that gives one tensor. */
export function runNativeOne(operation: Omit<Operation, 'outputs'>): tf.Tensor {
  const [made] = runNative({ ...operation, outputs: 1 });
  if (made === undefined) throw new Error(`${operation.name} gave nothing`);
  return made;
}
