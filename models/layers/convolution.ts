// A convolution's bias and ReLU in two native calls each way instead of a dozen. tfjs' own layer, its weights and its
// configuration untouched; only what it computes with is replaced. Axes: B flows, W positions, Ci and Co channels.

import { tf } from '../backend.ts';
import { isNative } from '../native-backend.ts';
import { runNativeOne } from './native-operation.ts';

type Convolution = ReturnType<typeof tf.layers.conv1d>;

/** Makes a 1-D convolution with bias and ReLU compute faster where TensorFlow is native. Returns the same layer. */
export function quickConvolution(layer: Convolution): Convolution {
  const { activation, strides, padding, useBias } = layer.getConfig() as unknown as {
    readonly activation: string;
    readonly strides: readonly number[];
    readonly padding: 'same' | 'valid';
    readonly useBias: boolean;
  };
  if (activation !== 'relu' || !useBias)
    throw new Error(`${layer.name}: expected bias and relu`);
  const stock = layer.call.bind(layer);
  const stride = strides[0] ?? 1;
  layer.call = (inputs, kwargs) => {
    if (!isNative()) return stock(inputs, kwargs);
    const input = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor3D;
    const { kernel, bias } = layer as unknown as {
      readonly [name in 'kernel' | 'bias']: { read(): tf.Tensor };
    };
    return tf.tidy(() => {
      const summed = tf.conv1d(input, kernel.read() as tf.Tensor3D, stride, padding);
      return biasAndRelu(summed, bias.read() as tf.Tensor1D);
    });
  };
  return layer;
}

/** x: [B, W, Co], bias: [Co] -> max(x + bias, 0) [B, W, Co] */
function biasAndRelu(x: tf.Tensor3D, bias: tf.Tensor1D): tf.Tensor3D {
  const run = tf.customGrad((...parts) => {
    const [own, vector, save] = parts as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const summed = floats('BiasAdd', [own, vector]);
    const value = floats('Relu', [summed]);
    summed.dispose();
    save([value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const dx = floats('ReluGrad', [dy, ...saved]);
      return [dx, floats('BiasAddGrad', [dx])];
    };
    return { value, gradFunc };
  });
  return run(x, bias) as tf.Tensor3D;
}

/** A kernel whose only attribute is the kind of its numbers. */
function floats(name: string, inputs: readonly tf.Tensor[]): tf.Tensor {
  return runNativeOne({ name, attributes: { T: { type: 'float32' } }, inputs });
}
