// A dense layer in one product and two native calls each way; tfjs computes it as a batch of one product, with a dozen calls for
// ReLU's gradient. tfjs' own layer, its weights and its configuration untouched. Axes: L rows, I and O units in and out.

import { tf } from '../backend.ts';
import { isNative } from '../native-backend.ts';
import { runNativeOne } from './native-operation.ts';

type Dense = ReturnType<typeof tf.layers.dense>;

const FLOATS = { T: { type: 'float32' } } as const;

/** Makes a dense layer with bias and ReLU compute faster where TensorFlow is native. Returns the same layer. */
export function quickDense(layer: Dense): Dense {
  const { activation, useBias } = layer.getConfig() as unknown as {
    readonly activation: string;
    readonly useBias: boolean;
  };
  if (activation !== 'relu' || !useBias) {
    throw new Error(`${layer.name}: expected bias and relu`);
  }
  const stock = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    if (!isNative()) return stock(inputs, kwargs);
    const input = Array.isArray(inputs) ? inputs[0] : inputs;
    if (input === undefined) throw new Error(`${layer.name} has no input`);
    const { kernel, bias } = layer as unknown as {
      readonly [name in 'kernel' | 'bias']: { read(): tf.Tensor };
    };
    const width = input.shape.at(-1) ?? 0;
    return tf.tidy(() => {
      const rows = tf.reshape(input, [-1, width]);
      const made = productBiasRelu(rows, kernel.read(), bias.read());
      return tf.reshape(made, [...input.shape.slice(0, -1), bias.read().size]);
    });
  };
  return layer;
}

/** x: [L, I], kernel: [I, O], bias: [O] -> max(x · kernel + bias, 0) [L, O] */
function productBiasRelu(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const run = tf.customGrad((...parts) => {
    const [own, matrix, vector, save] = parts as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.GradSaveFunc,
    ];
    const product = multiply(own, matrix, {});
    const summed = floats('BiasAdd', [product, vector]);
    const value = floats('Relu', [summed]);
    save([value, own, matrix]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [made, rows, weights] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
      const dz = floats('ReluGrad', [dy, made]);
      return [
        multiply(dz, weights, { second: true }),
        multiply(rows, dz, { first: true }),
        floats('BiasAddGrad', [dz]),
      ];
    };
    return { value, gradFunc };
  });
  return run(x, kernel, bias);
}

/** a · b, either of them transposed first. */
function multiply(
  a: tf.Tensor,
  b: tf.Tensor,
  {
    first = false,
    second = false,
  }: { readonly first?: boolean; readonly second?: boolean },
): tf.Tensor {
  const attributes = {
    ...FLOATS,
    transpose_a: { bool: first },
    transpose_b: { bool: second },
  };
  return runNativeOne({ name: 'MatMul', attributes, inputs: [a, b] });
}

function floats(name: string, inputs: readonly tf.Tensor[]): tf.Tensor {
  return runNativeOne({ name, attributes: FLOATS, inputs });
}
