// Ranges and weights -> 8-bit numbers. Only arithmetic; write-int8.ts makes the graph of it.
//
// A quantized number q stands for (q - zeroPoint)·scale. Activations are uint8: behind a ReLU with zero-point 0, so that
// clipping at 0 is the ReLU; signed inputs with a zero-point in between. Weights are int8 and symmetric, a scale a channel.

import { WEIGHT_LIMIT } from '../models/int8-grid.ts';

const UINT8_MAX = 255;
/** float32 loses precision below. */
const LEAST_SCALE = 1e-30;

/** How a tensor of activations is written in uint8. */
export interface Scale {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The scale that covers [low, high], with 0 exactly representable: padding is zeros. */
export function scaleOf(low: number, high: number): Scale {
  const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  const step = Math.fround((to - from) / UINT8_MAX);
  // All but zeros: any scale will do, one that float32 can divide by.
  const scale = step > LEAST_SCALE ? step : 1;
  return { scale, zeroPoint: Math.round(Math.abs(from) / scale) };
}

/** What becomes of one value: there and back. */
export function roundTrip(value: number, { scale, zeroPoint }: Scale): number {
  const q = Math.max(0, Math.min(UINT8_MAX, Math.round(value / scale) + zeroPoint));
  return (q - zeroPoint) * scale;
}

/** Shares of the largest value that are tried as the end of a range. */
const RANGE_SHARES = Array.from({ length: 40 }, (_, i) => 1 - i * 0.02);

export interface Range {
  readonly low: number;
  readonly high: number;
}

/**
 * The range whose rounding and clipping errors, squared and summed, are the least. Clipping a few outliers buys
 * resolution for all other values.
 *
 * @param values some of those that it is for
 * @param largest the range of them all
 */
export function leastErrorRange(values: Float32Array, { low, high }: Range): Range {
  let best = { low, high };
  let least = Number.POSITIVE_INFINITY;
  for (const share of RANGE_SHARES) {
    const range = { low: low * share, high: high * share };
    const scale = scaleOf(range.low, range.high);
    let error = 0;
    for (const value of values) error += (value - roundTrip(value, scale)) ** 2;
    if (error < least) [least, best] = [error, range];
  }
  return best;
}

/** Weights of a layer in int8, bias in int32. */
export interface QuantizedWeights {
  /** In the order of the float weights. */
  readonly weights: Int8Array;
  /** One a channel. */
  readonly scales: Float32Array;
  readonly bias: Int32Array;
  /** Exactly input scale · weight scale, as onnxruntime multiplies them. */
  readonly biasScales: Float32Array;
}

/** A layer's weights in steps of its outputs' scales, in the order of the float ones, and the bias that goes with them. */
export interface RoundedWeights {
  readonly weights: Int8Array;
  /** One a channel. */
  readonly scales: Float32Array;
  readonly bias: Float32Array;
}

/**
 * Quantizes a layer's weights.
 *
 * @param channelOf the output channel that weight `i` belongs to.
 * @param rounded whole numbers that were found better than the nearest ones, and their bias
 */
export function quantizeWeights(
  weights: Float32Array,
  bias: Float32Array,
  inputScale: number,
  channelOf: (i: number) => number,
  rounded: RoundedWeights = {
    ...quantizeChannels(weights, bias.length, channelOf),
    bias,
  },
): QuantizedWeights {
  const { scales } = rounded;
  const biasScales = scales.map((scale) => inputScale * scale);
  const biases = Int32Array.from(rounded.bias, (value, o) =>
    Math.round(value / (biasScales[o] ?? 1)),
  );
  return { weights: rounded.weights, scales, bias: biases, biasScales };
}

/** Weights [rows, columns] in int8, a scale a column. */
export function quantizeColumns(
  weights: Float32Array,
  columns: number,
): { readonly weights: Int8Array; readonly scales: Float32Array } {
  return quantizeChannels(weights, columns, (i) => i % columns);
}

function quantizeChannels(
  weights: Float32Array,
  channels: number,
  channelOf: (i: number) => number,
): { weights: Int8Array; scales: Float32Array } {
  const scales = weightScales(weights, channels, channelOf);
  const quantized = Int8Array.from(weights, (weight, i) =>
    clampWeight(Math.round(weight / (scales[channelOf(i)] ?? 1))),
  );
  return { weights: quantized, scales };
}

/** [channels] What one step of a channel's weights is worth: its largest one is WEIGHT_LIMIT. */
export function weightScales(
  weights: Float32Array,
  channels: number,
  channelOf: (i: number) => number,
): Float32Array {
  const largest = new Float32Array(channels);
  for (const [i, weight] of weights.entries()) {
    const channel = channelOf(i);
    largest[channel] = Math.max(largest[channel] ?? 0, Math.abs(weight));
  }
  // A channel of zeros: any scale will do.
  return largest.map((value) => (value > 0 ? value / WEIGHT_LIMIT : 1));
}

function clampWeight(value: number): number {
  return Math.max(-WEIGHT_LIMIT, Math.min(WEIGHT_LIMIT, value));
}
