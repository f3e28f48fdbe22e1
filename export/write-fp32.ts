// The steps of network.ts -> an ONNX graph in float32: the reference that int8 is measured against, and what calibration
// runs. Axes: see network.ts.

import { GraphBuilder } from './graph.ts';
import { type Network, outputOf, type Step } from './network.ts';

/** TensorProto.DataType FLOAT, as Cast's attribute wants it. */
const FLOAT = 1;

/**
 * The model file in float32.
 *
 * @param exposed steps whose values become outputs besides the last one, for calibration and for parity tests.
 */
export function writeFp32(network: Network, exposed: readonly string[] = []): Uint8Array {
  const graph = new GraphBuilder(network.name);
  for (const step of network.steps) writeStep(graph, step);
  const output = outputOf(network);
  graph.output(output.name, output.shape);
  for (const step of network.steps) {
    if (exposed.includes(step.name) && step !== output)
      graph.output(step.name, step.shape);
  }
  return graph.encode();
}

/** Adds the nodes of one step; its value is the tensor that bears the step's name. */
function writeStep(graph: GraphBuilder, step: Step): void {
  const { name } = step;
  switch (step.kind) {
    case 'input':
      graph.input(name, step.values === 'bytes' ? 'uint8' : 'float32', step.shape);
      return;
    case 'rescale': {
      const floats = graph.node('Cast', `${name}_cast`, [step.from], { to: FLOAT });
      graph.node('Mul', name, [floats, graph.float(`${name}_factor`, step.scale)]);
      return;
    }
    case 'transpose':
      graph.node('Transpose', name, [step.from], { perm: [0, 2, 1] });
      return;
    case 'convolve': {
      const weights = graph.floats(`${name}_weights`, step.weightShape, step.weights);
      const bias = graph.floats(`${name}_bias`, [step.bias.length], step.bias);
      const attributes = convolution(step);
      writeRelu(graph, step, (made) =>
        graph.node('Conv', made, [step.from, weights, bias], attributes),
      );
      return;
    }
    case 'pool':
      graph.node('MaxPool', name, [step.from], pooling(step));
      return;
    case 'flatten':
      graph.node('Flatten', name, [step.from], { axis: 1 });
      return;
    case 'dense': {
      const units = step.bias.length;
      const shape = [step.weights.length / units, units];
      const weights = graph.floats(`${name}_weights`, shape, step.weights);
      const bias = graph.floats(`${name}_bias`, [units], step.bias);
      writeRelu(graph, step, (made) =>
        graph.node('Gemm', made, [step.from, weights, bias]),
      );
      return;
    }
    case 'concat':
      graph.node('Concat', name, step.parts, { axis: 1 });
      return;
    case 'softmax':
      graph.node('Softmax', name, [step.from], { axis: 1 });
      return;
    default:
      step satisfies never;
  }
}

function writeRelu(
  graph: GraphBuilder,
  step: { readonly name: string; readonly relu: boolean },
  write: (name: string) => string,
): void {
  if (step.relu) graph.node('Relu', step.name, [write(`${step.name}_sum`)]);
  else write(step.name);
}

/** Attributes of Conv. */
export function convolution(step: Extract<Step, { kind: 'convolve' }>) {
  return {
    kernel_shape: [step.weightShape[2]],
    strides: [step.stride],
    pads: [...step.padding],
  };
}

/** Attributes of MaxPool. */
export function pooling(step: Extract<Step, { kind: 'pool' }>) {
  return { kernel_shape: [step.size], strides: [step.stride] };
}
