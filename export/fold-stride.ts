// A strided convolution over few channels -> the same numbers by one without a stride over many: positions side by side become
// one block of as many times the channels. onnxruntime's integer kernels gather what a filter reads position by position; with
// three bytes each that takes longer than multiplying them, and where channels come in fours there are kernels that need not
// gather. Where one stride of positions is no multiple of four channels, several make a block, and their outputs are channels
// of one position, too. The weights are the same ones, and zeros where blocks reach further than a filter did.
// Axes: O channels out, C channels in, K kernel, S stride, W positions, W' of the output, M outputs of a block.

import type { GraphBuilder } from './graph.ts';
import type { ConvolveStep, Step } from './network.ts';
import { reshape } from './write-nodes.ts';

/** More than these are gathered fast enough. */
const FEW_CHANNELS = 4;
const CHANNELS_BY = 4;

/** Of a tensor: [B, C, W] or [B, W, C]. */
export type Layout = 'channels-first' | 'positions-first';

export interface FoldedConvolution {
  readonly layout: Layout;
  /**
   * P = M·S positions of a block, as they lie side by side: number c·P + p of a block is channel c of its position p where channels
   * are first, so that they are moved P at a time, and p·C + c where positions are.
   */
  readonly positions: number;
  /** M: number m·O + o of a block of the output is channel o of its position m. */
  readonly outputs: number;
  /** [M·O, M·S·C, K'] */
  readonly weightShape: readonly [number, number, number];
  readonly padding: readonly [number, number];
  /** Weights [O, C, K] in this order. */
  readonly fold: (weights: Int8Array) => Int8Array;
}

/**
 * What becomes of a convolution; undefined: it stays as it is.
 *
 * @param width W
 * @param layout of its input
 */
export function foldStride(
  { stride, weightShape, padding: [front], shape }: ConvolveStep,
  width: number,
  layout: Layout,
): FoldedConvolution | undefined {
  const [channelsOut, channels, kernel] = weightShape;
  const [, made = 0] = shape;
  if (stride === 1 || channels > FEW_CHANNELS) return undefined;
  let outputs = 1;
  while ((outputs * stride * channels) % CHANNELS_BY !== 0) outputs++;
  const positions = outputs * stride;
  if (width % positions !== 0 || made % outputs !== 0) return undefined;
  const before = Math.ceil(front / positions);
  const reach = stride * (outputs - 1) + kernel - 1 - front;
  const blocks = before + Math.floor(reach / positions) + 1;
  const behind = made / outputs - 1 + blocks - width / positions - before;
  if (behind < 0) return undefined;
  const wide = positions * channels;
  const channelOf = (place: number, channel: number) =>
    layout === 'channels-first'
      ? channel * positions + place
      : place * channels + channel;
  return {
    layout,
    positions,
    outputs,
    weightShape: [outputs * channelsOut, wide, blocks],
    padding: [before, behind],
    fold: (weights) => {
      const folded = new Int8Array(outputs * channelsOut * wide * blocks);
      for (const [at, weight] of weights.entries()) {
        const k = at % kernel;
        const row = Math.floor(at / kernel);
        for (let m = 0; m < outputs; m++) {
          // Counted from the start of the first block.
          const place = before * positions + m * stride + k - front;
          const channel = channelOf(place % positions, row % channels);
          const output = m * channelsOut + Math.floor(row / channels);
          const block = Math.floor(place / positions);
          folded[(output * wide + channel) * blocks + block] = weight;
        }
      }
      return folded;
    },
  };
}

/** [B, W, C] turned round: what it reads has the channels of each position side by side. */
export function isPositionsFirst(
  step: Step,
): step is Extract<Step, { kind: 'transpose' }> {
  return step.kind === 'transpose' && step.order.join() === '0,2,1';
}

/** What each channel of the output has, for all outputs of a block: [O] -> [length] */
export function repeated<T extends Int32Array | Float32Array>(
  values: T,
  length: number,
): T {
  const all = Array.from({ length }, (_, i) => values[i % values.length] ?? 0);
  return new (values.constructor as new (of: number[]) => T)(all);
}

interface FoldedTensors {
  /** uint8, in the layout that was folded for. */
  readonly input: string;
  /** W */
  readonly width: number;
  /** Scale and zero-point. */
  readonly inputConstants: readonly [string, string];
  readonly outputConstants: readonly [string, string];
  /** Folded ones and bias, dequantized. */
  readonly weights: readonly [string, string];
}

/** Adds the nodes of a folded convolution. -> its values in uint8 [B, O, W'] */
export function writeFolded(
  graph: GraphBuilder,
  { name, weightShape: [, channels], shape: [channelsOut = 0, made = 0] }: ConvolveStep,
  { layout, positions, outputs, weightShape, padding }: FoldedConvolution,
  { input, width, inputConstants, outputConstants, weights }: FoldedTensors,
): string {
  const blocks = width / positions;
  let byPosition = input;
  if (layout === 'channels-first') {
    const apart = `${name}_apart`;
    reshape(graph, apart, input, [0, channels, blocks, positions]);
    const perm = [0, 2, 1, 3];
    byPosition = graph.node('Transpose', `${name}_by_position`, [apart], { perm });
  }
  const wide = `${name}_blocks`;
  reshape(graph, wide, byPosition, [0, blocks, positions * channels]);
  // onnxruntime's integer kernels want channels last, as they are here: it takes away what turns them round before and behind.
  const turned = turn(graph, `${name}_blocks_q`, wide);
  const source = graph.node('DequantizeLinear', `${name}_blocks_dq`, [
    turned,
    ...inputConstants,
  ]);
  const convolved = graph.node('Conv', `${name}_float`, [source, ...weights], {
    kernel_shape: [weightShape[2]],
    strides: [1],
    pads: [...padding],
  });
  const quantized = outputs === 1 ? `${name}_q` : `${name}_wide_q`;
  graph.node('QuantizeLinear', quantized, [convolved, ...outputConstants]);
  if (outputs === 1) return quantized;
  const single = `${name}_single`;
  reshape(graph, single, turn(graph, `${name}_wide`, quantized), [0, made, channelsOut]);
  return turn(graph, `${name}_q`, single);
}

/** [B, M, N] -> [B, N, M] */
function turn(graph: GraphBuilder, name: string, from: string): string {
  return graph.node('Transpose', name, [from], { perm: [0, 2, 1] });
}
