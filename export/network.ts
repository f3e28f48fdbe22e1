// A network as export sees it: a list of steps with weights in ONNX' order. tfjs comes in by read-network.ts; write-fp32.ts
// and write-int8.ts make graphs of it. Axes: B batch, F flows of a session, W positions, T steps, C (Ci, Co) channels, I and
// O units in and out, U units of an LSTM, D directions (1 or 2), R rows of a table.
// A tensor of positions is [B, C, W] here, where tfjs has [B, W, C]; behind an LSTM stands [T, B, C].

interface Named {
  /** The tensor that the step makes. */
  readonly name: string;
  /** Without the batch axis. */
  readonly shape: readonly number[];
  /** Where the batch axis is: 1 in [T, B, C]. */
  readonly batchAxis?: 0 | 1;
  /** F where a row is a flow of a session: there are B·F. */
  readonly flows?: number;
}

interface From {
  /** The tensor that the step reads. */
  readonly from: string;
}

/** Bytes come as uint8, floats as float32. */
export interface InputStep extends Named {
  readonly kind: 'input';
  readonly values: 'bytes' | 'floats';
}

/** Bytes -> floats, times `scale`. */
interface RescaleStep extends Named, From {
  readonly kind: 'rescale';
  readonly scale: number;
}

/** Axes in another order, B among them. */
interface TransposeStep extends Named, From {
  readonly kind: 'transpose';
  readonly order: readonly [number, number, number];
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

/** [B, C, W] -> [B, C, 1] */
interface AverageStep extends Named, From {
  readonly kind: 'average';
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

/** x -> max(x, 0), where it is no part of another step. */
interface ReluStep extends Named, From {
  readonly kind: 'relu';
}

/** x -> x · factors + offsets, both by channel: [B, C, W] or [B, C] -> the same */
interface AffineStep extends Named, From {
  readonly kind: 'affine';
  /** [C] */
  readonly factors: Float32Array;
  /** [C] */
  readonly offsets: Float32Array;
}

/** [B, I1], [B, I2], ... -> [B, I1 + I2 + ...]; along the last axis where there are more. */
interface ConcatStep extends Named {
  readonly kind: 'concat';
  readonly parts: readonly string[];
}

/** [B, K] -> [B, K] */
interface SoftmaxStep extends Named, From {
  readonly kind: 'softmax';
}

/** Steps of each row up to its padding: [B, T, C] -> int32 [B]. Padding is behind all else. */
export interface LengthsStep extends Named, From {
  readonly kind: 'lengths';
  /** Shape of what it reads, without the batch axis. */
  readonly of: readonly number[];
  /** `values`: what all channels of padding are; `last`: up to the last row with anything but zeros, [B, F, ...]. */
  readonly padding: { readonly values: number } | 'zeros-behind-last';
}

/** [T, B, I] -> [T, B, D·U], or each row's last step [B, D·U] */
export interface LstmStep extends Named, From {
  readonly kind: 'lstm';
  /** int32 [B]; undefined: every row has all steps. */
  readonly lengths: string | undefined;
  readonly sequences: boolean;
  readonly units: number;
  /** One, or forward and backward; a single one may run backward. */
  readonly directions: readonly LstmDirection[];
}

export interface LstmDirection {
  readonly reverse: boolean;
  /** [I, 4U], gates in ONNX' order i, o, f, c along the last axis. */
  readonly kernel: Float32Array;
  /** [U, 4U], the same. */
  readonly recurrent: Float32Array;
  /** [4U], the same. */
  readonly bias: Float32Array;
}

/** Rows of a table: whole numbers [B, T] -> [B, T, O] */
export interface LookUpStep extends Named, From {
  readonly kind: 'look-up';
  /** [R, O] */
  readonly table: Float32Array;
  readonly rows: number;
}

/**
 * Inter-arrival times, signed sizes in bytes, directions [B, T, 3] -> [B, T, C]: the time, the direction, then those of the
 * entries below that there are, in this order. Rows of packets that are none (direction 0) are zeros.
 */
export interface PacketChannelsStep extends Named, From {
  readonly kind: 'packet-channels';
  /** |size| times this. */
  readonly scaled: number | undefined;
  /** Sizes beyond ±limit bytes count as ±limit. */
  readonly limit: number;
  /** [2·limit + 1, O], a row for each size from -limit on. */
  readonly sizes: Float32Array | undefined;
  /** [R, O]: a row each `bytes`, from -limit on; a size between two rows is a mixture of both. */
  readonly bins:
    | { readonly table: Float32Array; readonly bytes: number; readonly rows: number }
    | undefined;
}

/** [B, M, N] -> [B, packets, packetBytes], as bytes stand: cut or filled up with zeros at the end of each message. */
interface RowsStep extends Named, From {
  readonly kind: 'rows';
  /** N, and what is taken of it: more than N is filled up. */
  readonly width: number;
  readonly taken: number;
}

/** [B, F, ...] -> [B·F, ...] */
interface ApartStep extends Named, From {
  readonly kind: 'apart';
}

/** [B·F, ...] -> [B, F, ...] */
interface TogetherStep extends Named, From {
  readonly kind: 'together';
}

export type Step =
  | InputStep
  | RescaleStep
  | TransposeStep
  | ConvolveStep
  | PoolStep
  | AverageStep
  | FlattenStep
  | DenseStep
  | ReluStep
  | AffineStep
  | ConcatStep
  | SoftmaxStep
  | LengthsStep
  | LstmStep
  | LookUpStep
  | PacketChannelsStep
  | RowsStep
  | ApartStep
  | TogetherStep;

export interface Network {
  readonly name: string;
  /** Each step after those that it reads from; the last one is the output. */
  readonly steps: readonly Step[];
}

/** How many numbers are learnt. */
export function parameterCount(network: Network): number {
  return network.steps.reduce((sum, step) => sum + parametersOf(step), 0);
}

export function parametersOf(step: Step): number {
  switch (step.kind) {
    case 'convolve':
    case 'dense':
      return step.weights.length + step.bias.length;
    case 'affine':
      return step.factors.length + step.offsets.length;
    case 'look-up':
      return step.table.length;
    case 'packet-channels':
      return (step.sizes?.length ?? 0) + (step.bins?.table.length ?? 0);
    case 'lstm':
      return step.directions.reduce(
        (sum, { kernel, recurrent, bias }) =>
          sum + kernel.length + recurrent.length + bias.length,
        0,
      );
    default:
      return 0;
  }
}

export function outputOf(network: Network): Step {
  const last = network.steps.at(-1);
  if (last === undefined) throw new Error(`network "${network.name}" is empty`);
  return last;
}

/** Names of the steps that a step reads. */
export function sourcesOf(step: Step): readonly string[] {
  switch (step.kind) {
    case 'input':
      return [];
    case 'concat':
      return step.parts;
    case 'lstm':
      return step.lengths === undefined ? [step.from] : [step.from, step.lengths];
    default:
      return [step.from];
  }
}

/** Steps whose time axis may be of any length: what reads them looks at one step, or at all through an LSTM. */
const ANY_LENGTH: readonly Step['kind'][] = [
  'input',
  'transpose',
  'relu',
  'affine',
  'packet-channels',
  'lstm',
  'lengths',
];

/** Names of the inputs [B, T, C] of which T may be any: nothing of their length is built into the weights. */
export function freeInputs(network: Network): ReadonlySet<string> {
  const free = new Set<string>();
  for (const input of network.steps) {
    if (input.kind !== 'input' || input.values !== 'floats') continue;
    if (input.shape.length === 2 && isFree(network, input.name)) free.add(input.name);
  }
  return free;
}

function isFree(network: Network, name: string): boolean {
  return network.steps
    .filter((step) => sourcesOf(step).includes(name))
    .every((step) => {
      if (step.kind === 'lengths') return true;
      if (step.kind === 'lstm') return !step.sequences || isFree(network, step.name);
      const pointwise = step.kind === 'convolve' && step.weightShape[2] === 1;
      if (!pointwise && !ANY_LENGTH.includes(step.kind)) return false;
      return step.kind === 'convolve' && step.stride !== 1
        ? false
        : isFree(network, step.name);
    });
}

/** The whole shape with names for what is free, as a graph declares it. */
export function wholeShape(
  { shape, batchAxis = 0, flows }: Named,
  freeSteps = false,
): (number | string)[] {
  const whole: (number | string)[] = [...shape];
  if (freeSteps) whole[0] = 'T';
  whole.splice(batchAxis, 0, flows === undefined ? 'B' : 'B*F');
  return whole;
}
