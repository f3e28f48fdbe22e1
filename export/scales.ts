// Which steps compute in integers, and with what scale each 8-bit tensor is written. Axes: see network.ts.

import { type Network, outputOf, type Step } from './network.ts';
import { type Scale, scaleOf } from './quantize.ts';
import { isMoving } from './write-nodes.ts';

/** Range of each step's values by its name, as `calibrate` found them. */
export type Ranges = ReadonlyMap<string, { readonly low: number; readonly high: number }>;

/** Kinds with an integer kernel behind QuantizeLinear and DequantizeLinear. */
const INTEGER_KINDS = ['convolve', 'dense', 'pool', 'average', 'concat'] as const;
export type IntegerStep = Extract<Step, { kind: (typeof INTEGER_KINDS)[number] }>;

/** Whether a step computes in integers, unless it is one of those that are to stay in float. */
export function isInteger(step: Step, float: ReadonlySet<string>): step is IntegerStep {
  return (
    (INTEGER_KINDS as readonly string[]).includes(step.kind) && !float.has(step.name)
  );
}

/** Steps that make values of a new range; the others pass on the scale of what they read. */
export function hasRange(step: Step): boolean {
  switch (step.kind) {
    case 'convolve':
    case 'dense':
    case 'average':
    case 'concat':
    case 'relu':
    case 'affine':
    case 'lstm':
    case 'look-up':
    case 'packet-channels':
      return true;
    case 'input':
      return step.values === 'floats';
    default:
      return false;
  }
}

/** Names of the tensors that stay in float: what a softmax reads, and the output itself. */
export function logitsOf(network: Network): ReadonlySet<string> {
  const { steps } = network;
  const read = steps.flatMap((step) => (step.kind === 'softmax' ? [step.from] : []));
  return new Set([...read, outputOf(network).name]);
}

/** A scale for each step whose values may be 8-bit: all but the logits and what comes behind them. */
export function chooseScales(network: Network, ranges: Ranges): Map<string, Scale> {
  const scales = new Map<string, Scale>();
  spread(network, ranges, scales);
  const byName = new Map(network.steps.map((step) => [step.name, step]));
  for (const step of network.steps) {
    if (step.kind === 'concat' && share(step.name, step.parts, { byName, scales })) {
      spread(network, ranges, scales);
    }
  }
  return scales;
}

/** Gives each step its scale, or that of what it reads; what has been shared stays. */
function spread(network: Network, ranges: Ranges, scales: Map<string, Scale>): void {
  for (const step of network.steps) {
    const from = isCopy(step) ? scales.get(step.from) : undefined;
    const scale = from ?? scales.get(step.name) ?? ownScale(step, ranges);
    if (scale !== undefined) scales.set(step.name, scale);
  }
}

/** Steps whose values are some of those that they read. */
function isCopy(step: Step): step is Extract<Step, { from: string }> {
  return isMoving(step) || step.kind === 'pool';
}

function ownScale(step: Step, ranges: Ranges): Scale | undefined {
  if (step.kind === 'rescale') return { scale: Math.fround(step.scale), zeroPoint: 0 };
  const range = ranges.get(step.name);
  if (!hasRange(step) || range === undefined) return undefined;
  const positive = step.kind === 'relu' || ('relu' in step && step.relu);
  return scaleOf(positive ? 0 : range.low, range.high);
}

/**
 * Concat only copies where its inputs and output have one scale: the widest. Not where one of them has negative values,
 * whose zero-point would undo the ReLU of the others, or is bytes, whose scale is given.
 */
function share(
  name: string,
  parts: readonly string[],
  {
    byName,
    scales,
  }: { readonly byName: ReadonlyMap<string, Step>; readonly scales: Map<string, Scale> },
): boolean {
  const makers = parts.map((part) => makerOf(part, byName));
  const own = makers.map((maker) => scales.get(maker.name));
  const fits = makers.every(
    (maker, i) => own[i]?.zeroPoint === 0 && maker.kind !== 'rescale',
  );
  if (!fits) return false;
  const widest = own.reduce((a, b) => ((b?.scale ?? 0) > (a?.scale ?? 0) ? b : a));
  if (widest === undefined) return false;
  for (const { name: made } of makers) scales.set(made, widest);
  scales.set(name, widest);
  return true;
}

/** The step that made the numbers that others only moved. */
function makerOf(name: string, byName: ReadonlyMap<string, Step>): Step {
  const step = byName.get(name);
  if (step === undefined) throw new Error(`no step makes "${name}"`);
  return isCopy(step) ? makerOf(step.from, byName) : step;
}
