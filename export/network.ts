// A network as export sees it: a list of steps with weights in ONNX' order. tfjs comes in by read-network.ts; write-fp32.ts
// and write-int8.ts make graphs of it. Axes: B batch, W positions, C (Ci, Co) channels, I and O units in and out.
// A tensor of positions is [B, C, W] here, where tfjs has [B, W, C].

interface Named {
  /** The tensor that the step makes. */
  readonly name: string;
  /** Without the batch axis. */
  readonly shape: readonly number[];
}

interface From {
  /** The tensor that the step reads. */
  readonly from: string;
}

/** Bytes come as uint8, floats as float32. */
interface InputStep extends Named {
  readonly kind: 'input';
  readonly values: 'bytes' | 'floats';
}

/** Bytes -> floats, times `scale`. */
interface RescaleStep extends Named, From {
  readonly kind: 'rescale';
  readonly scale: number;
}

/** [B, W, C] -> [B, C, W] */
interface TransposeStep extends Named, From {
  readonly kind: 'transpose';
}

/** [B, Ci, W] -> [B, Co, W'] */
export interface ConvolveStep extends Named, From {
  readonly kind: 'convolve';
  /** [Co, Ci, kernel] */
  readonly weights: Float32Array;
  readonly weightShape: readonly [number, number, number];
  /** [Co] */
  readonly bias: Float32Array;
  readonly stride: number;
  /** Zeros in front and behind. */
  readonly padding: readonly [number, number];
  readonly relu: boolean;
}

/** [B, C, W] -> [B, C, floor((W - size) / stride) + 1] */
interface PoolStep extends Named, From {
  readonly kind: 'pool';
  readonly size: number;
  readonly stride: number;
}

/** [B, C, W] -> [B, C·W] */
interface FlattenStep extends Named, From {
  readonly kind: 'flatten';
}

/** [B, I] -> [B, O] */
export interface DenseStep extends Named, From {
  readonly kind: 'dense';
  /** [I, O] */
  readonly weights: Float32Array;
  /** [O] */
  readonly bias: Float32Array;
  readonly relu: boolean;
}

/** [B, I1], [B, I2], ... -> [B, I1 + I2 + ...] */
interface ConcatStep extends Named {
  readonly kind: 'concat';
  readonly parts: readonly string[];
}

/** [B, K] -> [B, K] */
interface SoftmaxStep extends Named, From {
  readonly kind: 'softmax';
}

export type Step =
  | InputStep
  | RescaleStep
  | TransposeStep
  | ConvolveStep
  | PoolStep
  | FlattenStep
  | DenseStep
  | ConcatStep
  | SoftmaxStep;

export interface Network {
  readonly name: string;
  /** Each step after those that it reads from; the last one is the output. */
  readonly steps: readonly Step[];
}

/** How many numbers are learnt. */
export function parameterCount(network: Network): number {
  return network.steps.reduce(
    (sum, step) =>
      step.kind === 'convolve' || step.kind === 'dense'
        ? sum + step.weights.length + step.bias.length
        : sum,
    0,
  );
}

export function outputOf(network: Network): Step {
  const last = network.steps.at(-1);
  if (last === undefined) throw new Error(`network "${network.name}" is empty`);
  return last;
}
