// What int8 costs each layer: how far its values are off, what of them is clipped, how far the answer moves when it alone is
// int8, and what it takes up. Axes: B flows, K classes.

import type { Sample } from './calibrate.ts';
import { type Network, outputOf, parametersOf, type Step } from './network.ts';
import { BATCH_FLOWS, OnnxModel, type Outputs, rowsOf } from './onnx-model.ts';
import { decodeModel } from './proto.ts';
import type { Rounding } from './round-weights.ts';
import { chooseScales, type Ranges } from './scales.ts';
import { writeFp32 } from './write-fp32.ts';
import { seenName, writeInt8 } from './write-int8.ts';

export interface LayerReport {
  readonly name: string;
  readonly kind: Step['kind'];
  readonly precision: 'int8' | 'float';
  readonly parameters: number;
  readonly fp32Bytes: number;
  readonly int8Bytes: number;
  /** Root of the mean square of its values' differences from float32, in parts of that of the values; all layers int8. */
  readonly error: number;
  /** Share of its float32 values that 8 bits cannot reach. */
  readonly clipped: number;
  /** Mean difference of a probability when this layer alone is int8. */
  readonly shift: number;
}

/** Flows that are looked at: shares and means of more differ in the third decimal. */
const SAMPLE_FLOWS = 128;

/** Layers with weights, in their order: those that may be int8 or float. */
export function weightedSteps(network: Network): Step[] {
  return network.steps.filter((step) => parametersOf(step) > 0 && step.kind !== 'affine');
}

/** How far the answer moves when one layer alone is int8, by its name. */
export async function shiftsOf(
  network: Network,
  { ranges, rounding, sample }: Pick<ReportInputs, 'ranges' | 'rounding' | 'sample'>,
): Promise<ReadonlyMap<string, number>> {
  const steps = weightedSteps(network);
  const { name: output } = outputOf(network);
  const wanted = await answers(writeFp32(network), sample, output);
  const shifts = new Map<string, number>();
  for (const { name } of steps) {
    const float = new Set(
      steps.map((step) => step.name).filter((other) => other !== name),
    );
    const got = await answers(
      writeInt8(network, ranges, { float, rounding }),
      sample,
      output,
    );
    const sum = wanted.reduce((total, p, i) => total + Math.abs(p - (got[i] ?? 0)), 0);
    shifts.set(name, sum / wanted.length);
  }
  return shifts;
}

async function answers(
  file: Uint8Array,
  sample: Sample,
  output: string,
): Promise<number[]> {
  const all: number[] = [];
  await visit(file, sample, (values) => all.push(...(values[output] ?? [])));
  return all;
}

/** Runs the first flows of a sample. */
async function visit(
  file: Uint8Array,
  { inputs, count }: Sample,
  take: (values: Outputs) => void,
): Promise<void> {
  const model = await OnnxModel.open(file);
  const flows = Math.min(count, SAMPLE_FLOWS);
  for (let from = 0; from < flows; from += BATCH_FLOWS) {
    const to = Math.min(from + BATCH_FLOWS, flows);
    take(await model.run(rowsOf(inputs, count, from, to), to - from));
  }
  await model.close();
}

export interface ReportInputs {
  readonly ranges: Ranges;
  readonly rounding: Rounding;
  readonly float: ReadonlySet<string>;
  readonly shifts: ReadonlyMap<string, number>;
  readonly sample: Sample;
}

/** One entry a layer with weights. */
export async function layerReports(
  network: Network,
  { ranges, rounding, float, shifts, sample }: ReportInputs,
): Promise<LayerReport[]> {
  const steps = weightedSteps(network);
  const names = steps.map(({ name }) => name);
  const sums = await errorsOf(network, { ranges, rounding, float, names, sample });
  const fp32 = bytesByStep(network, writeFp32(network));
  const int8 = bytesByStep(network, writeInt8(network, ranges, { float, rounding }));
  return steps.map((step) => {
    const { name, kind } = step;
    const { error, clipped } = sums.get(name) ?? { error: Number.NaN, clipped: 0 };
    return {
      name,
      kind,
      precision: float.has(name) ? 'float' : 'int8',
      parameters: parametersOf(step),
      fp32Bytes: fp32.get(name) ?? 0,
      int8Bytes: int8.get(name) ?? 0,
      error,
      clipped,
      shift: shifts.get(name) ?? 0,
    };
  });
}

async function errorsOf(
  network: Network,
  {
    ranges,
    rounding,
    float,
    names,
    sample,
  }: Omit<ReportInputs, 'shifts'> & { readonly names: readonly string[] },
): Promise<Map<string, { error: number; clipped: number }>> {
  const scales = chooseScales(network, ranges);
  const wanted: Outputs[] = [];
  await visit(writeFp32(network, names), sample, (values) => wanted.push(values));
  const sums = new Map(
    names.map((name) => [name, { off: 0, all: 0, beyond: 0, count: 0 }]),
  );
  const file = writeInt8(network, ranges, { float, rounding, exposed: names });
  await visit(file, sample, (values) => {
    const batch = wanted.shift();
    for (const [name, sum] of sums) {
      const scale = scales.get(name);
      const [low, high] =
        scale === undefined
          ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
          : [-scale.zeroPoint * scale.scale, (255 - scale.zeroPoint) * scale.scale];
      const got = values[seenName(name)];
      for (const [i, value] of (batch?.[name] ?? new Float32Array(0)).entries()) {
        sum.off += (value - (got?.[i] ?? Number.NaN)) ** 2;
        sum.all += value ** 2;
        // Half a step beyond is rounding, not clipping.
        const slack = (scale?.scale ?? 0) / 2;
        if (value < low - slack || value > high + slack) sum.beyond++;
        sum.count++;
      }
    }
  });
  return new Map(
    [...sums].map(([name, { off, all, beyond, count }]) => [
      name,
      {
        error: all === 0 ? 0 : Math.sqrt(off / all),
        clipped: beyond / Math.max(count, 1),
      },
    ]),
  );
}

/** Bytes of the constants of each step: they are named after it. */
function bytesByStep(network: Network, file: Uint8Array): Map<string, number> {
  const names = network.steps.map(({ name }) => name);
  const bytes = new Map<string, number>();
  for (const [constant, { bytes: own }] of decodeModel(file).initializers) {
    // The longest name: that of another step may begin in the same way.
    const owner = names
      .filter((name) => constant.startsWith(`${name}_`))
      .reduce((a, b) => (b.length > a.length ? b : a), '');
    bytes.set(owner, (bytes.get(owner) ?? 0) + own.byteLength);
  }
  return bytes;
}
