// TensorFlow's own kernels, called by name: tfjs-node can run any of them, but its public face has only those of tfjs.

import type { tf } from '../backend.ts';
import { type Binding, nativeBackend } from '../native-backend.ts';

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

/** Runs one kernel. No gradient is recorded: to be wrapped in tf.customGrad. */
export function runNative(operation: Operation): tf.Tensor[] {
  const backend = nativeBackend();
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

function encode(binding: Binding, value: Attribute) {
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
