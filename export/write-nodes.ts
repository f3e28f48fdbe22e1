// One step in float32 -> its ONNX nodes. write-fp32.ts makes a whole graph of them; write-int8.ts uses those of the steps
// that stay in float. Axes: see network.ts.

import type { GraphBuilder } from './graph.ts';
import { writeLookUp, writePacketChannels } from './look-up-nodes.ts';
import { writeLengths, writeLstm } from './lstm-nodes.ts';
import type { Step } from './network.ts';
import { DATA_TYPES } from './proto.ts';

/** Steps that only move numbers: whatever their type, nothing is computed. */
const MOVING = ['transpose', 'flatten', 'rows', 'apart', 'together'] as const;
export type MovingStep = Extract<Step, { kind: (typeof MOVING)[number] }>;

export function isMoving(step: Step): step is MovingStep {
  return (MOVING as readonly string[]).includes(step.kind);
}

/**
 * Adds the nodes of a step.
 *
 * @param inputs float tensors of what it reads (`sourcesOf`)
 * @param name of the tensor that it makes
 */
export function writeNodes(
  graph: GraphBuilder,
  step: Exclude<Step, { kind: 'input' }>,
  inputs: readonly string[],
  name: string,
): void {
  const [from = ''] = inputs;
  switch (step.kind) {
    case 'rescale': {
      const floats = graph.node('Cast', `${name}_cast`, [from], {
        to: DATA_TYPES.float32,
      });
      graph.node('Mul', name, [floats, graph.float(`${name}_factor`, step.scale)]);
      return;
    }
    case 'convolve': {
      const weights = graph.floats(`${name}_weights`, step.weightShape, step.weights);
      const bias = graph.floats(`${name}_bias`, [step.bias.length], step.bias);
      writeRelu(graph, step.relu, name, (made) =>
        graph.node('Conv', made, [from, weights, bias], convolution(step)),
      );
      return;
    }
    case 'dense': {
      const units = step.bias.length;
      const shape = [step.weights.length / units, units];
      const weights = graph.floats(`${name}_weights`, shape, step.weights);
      const bias = graph.floats(`${name}_bias`, [units], step.bias);
      writeRelu(graph, step.relu, name, (made) =>
        graph.node('Gemm', made, [from, weights, bias]),
      );
      return;
    }
    case 'pool':
      graph.node('MaxPool', name, [from], pooling(step));
      return;
    case 'average':
      graph.node('GlobalAveragePool', name, [from]);
      return;
    case 'relu':
      graph.node('Relu', name, [from]);
      return;
    case 'affine': {
      const channels = step.factors.length;
      const shape = step.shape.length === 2 ? [channels, 1] : [channels];
      const factors = graph.floats(`${name}_factors`, shape, step.factors);
      const offsets = graph.floats(`${name}_offsets`, shape, step.offsets);
      const product = graph.node('Mul', `${name}_product`, [from, factors]);
      graph.node('Add', name, [product, offsets]);
      return;
    }
    case 'concat':
      graph.node('Concat', name, inputs, { axis: 1 });
      return;
    case 'softmax':
      graph.node('Softmax', name, [from], { axis: 1 });
      return;
    case 'look-up':
      writeLookUp(graph, step, from, { name, precision: 'fp32' });
      return;
    case 'packet-channels':
      writePacketChannels(graph, step, from, { name, precision: 'fp32' });
      return;
    case 'lengths':
      writeLengths(graph, step, from, name);
      return;
    case 'lstm':
      writeLstm(graph, step, inputs, name);
      return;
    default:
      writeMoving(graph, step, from, { name, zero: undefined });
  }
}

/**
 * Adds the nodes of a step that only moves numbers.
 *
 * @param zero what fills up in the input's own type; undefined: float 0
 */
export function writeMoving(
  graph: GraphBuilder,
  step: MovingStep,
  from: string,
  { name, zero }: { readonly name: string; readonly zero: string | undefined },
): void {
  switch (step.kind) {
    case 'transpose':
      graph.node('Transpose', name, [from], { perm: step.order });
      return;
    case 'flatten':
      graph.node('Flatten', name, [from], { axis: 1 });
      return;
    case 'rows': {
      const { width, taken } = step;
      const own = Math.min(width, taken);
      let rows = from;
      if (own < width) {
        const [start, end, axis] = [0, own, 2].map((value, i) =>
          graph.int64s(`${name}_${['start', 'end', 'axis'][i]}`, [value]),
        );
        rows = graph.node('Slice', `${name}_cut`, [
          from,
          start ?? '',
          end ?? '',
          axis ?? '',
        ]);
      }
      if (own < taken) {
        const pads = graph.int64s(`${name}_pads`, [0, 0, 0, 0, 0, taken - own]);
        const fill = zero === undefined ? [] : [zero];
        rows = graph.node('Pad', `${name}_filled`, [rows, pads, ...fill]);
      }
      reshape(graph, name, rows, [0, ...step.shape]);
      return;
    }
    case 'apart':
    case 'together':
      reshape(graph, name, from, [-1, ...step.shape]);
      return;
    default:
      step satisfies never;
  }
}

/** 0 keeps an axis as it is, -1 takes what is left. */
export function reshape(
  graph: GraphBuilder,
  name: string,
  from: string,
  shape: readonly number[],
): void {
  graph.node('Reshape', name, [from, graph.int64s(`${name}_shape`, shape)]);
}

function writeRelu(
  graph: GraphBuilder,
  relu: boolean,
  name: string,
  write: (name: string) => string,
): void {
  if (relu) graph.node('Relu', name, [write(`${name}_sum`)]);
  else write(name);
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
