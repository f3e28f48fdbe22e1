// A network and a sample -> its int8 model: ranges, and layers left in float where int8 costs too much.

import { z } from 'zod';
import { InputError } from '../src/errors.ts';
import { calibrate, type Sample } from './calibrate.ts';
import { equalised } from './equalise.ts';
import {
  type LayerReport,
  layerReports,
  shiftsOf,
  weightedSteps,
} from './layer-report.ts';
import { type Network, parametersOf } from './network.ts';
import { parseRangeMethod, type RangeMethod, rangeWords } from './ranges.ts';
import { roundWeights } from './round-weights.ts';
import { writeInt8 } from './write-int8.ts';

export interface QuantizationOptions {
  /** Of several the one is taken that moves the judge's answers least, before any layer is left in float. */
  readonly ranges: readonly RangeMethod[];
  /** Choices for single layers, by name. */
  readonly layers: Readonly<Record<string, LayerOptions>>;
}

interface LayerOptions {
  readonly precision?: 'int8' | 'float' | undefined;
  readonly range?: RangeMethod | undefined;
}

/** What an int8 model is worth on flows that decide nothing else: those of validation. */
export interface Judgement {
  /** Share of flows on which fp32 chooses the same class. */
  readonly agreement: number;
  /** Accuracy of fp32 less that of int8, as a share. */
  readonly accuracyLoss: number;
  /** Mean difference of a probability. */
  readonly shift: number;
  /** It needs no layer more in float. */
  readonly enough: boolean;
}

export interface Limits {
  readonly agreement: number;
  readonly accuracyLoss: number;
}

export interface Quantized {
  readonly int8: Uint8Array;
  readonly layers: readonly LayerReport[];
  /** Layers that were left in float because int8 cost too much, with what each step came to. */
  readonly fallbacks: readonly ({ readonly layer: string } & Judgement)[];
  /** Before any of them. */
  readonly first: Judgement;
  /** How ranges were chosen. */
  readonly range: RangeMethod;
  /** What was asked for of single layers. */
  readonly asked: QuantizationOptions['layers'];
}

export interface Quantization {
  readonly sample: Sample;
  readonly options: QuantizationOptions;
  readonly judge: (int8: Uint8Array) => Promise<Judgement>;
}

/** The same network, sample and options give the same bytes. */
export async function quantize(
  given: Network,
  { sample, options, judge }: Quantization,
): Promise<Quantized> {
  const { layers } = options;
  checkLayers(given, layers);
  const network = await equalised(given, sample);
  const methods = new Map(
    Object.entries(layers).flatMap(([name, { range }]) =>
      range === undefined ? [] : [[name, range] as const],
    ),
  );
  const rounding = await roundWeights(network, sample);
  const chosen = Object.entries(layers);
  const float = new Set(
    chosen.flatMap(([name, { precision }]) => (precision === 'float' ? [name] : [])),
  );
  const tried = [];
  for (const method of options.ranges) {
    const ranges = await calibrate(network, sample, { method, methods });
    const file = writeInt8(network, ranges, { float, rounding });
    tried.push({ method, ranges, file, found: await judge(file) });
  }
  const best = tried.sort((a, b) => a.found.shift - b.found.shift)[0];
  if (best === undefined) throw new Error('no way of finding ranges was given');
  const { method: range, ranges, found: first } = best;
  const shifts = await shiftsOf(network, { ranges, rounding, sample });
  let { file: int8, found: judgement } = best;
  const fallbacks: Quantized['fallbacks'][number][] = [];
  const costs = multiplicationsOf(network);
  const isLarge = (name: string) => shareOf(new Set([name]), costs) > SMALL_MOST;
  // Whoever asks for int8 by name gets it.
  const candidates = weightedSteps(network)
    .map(({ name }) => name)
    .filter((name) => !float.has(name) && layers[name]?.precision !== 'int8')
    .sort(
      (a, b) =>
        Number(isLarge(a)) - Number(isLarge(b)) ||
        (shifts.get(b) ?? 0) - (shifts.get(a) ?? 0),
    );
  for (const layer of candidates) {
    if (judgement.enough) break;
    const more = new Set(float).add(layer);
    if (shareOf(more, costs) > FLOAT_MOST) continue;
    const model = writeInt8(network, ranges, { float: more, rounding });
    const found = await judge(model);
    // What does not help stays small and fast.
    if (found.shift > (1 - HELP) * judgement.shift) continue;
    float.add(layer);
    int8 = model;
    judgement = found;
    fallbacks.push({ layer, ...found });
  }
  const reports = await layerReports(network, {
    ...{ ranges, rounding, float, shifts, sample },
  });
  return { int8, layers: reports, fallbacks, first, range, asked: layers };
}

/** A layer in float has to bring the answers nearer to those of fp32 by so much of what is between them. */
const HELP = 0.02;
/** Layers with no more of all multiplications are tried first: in float they hardly cost any time. */
const SMALL_MOST = 0.1;
/** Of all multiplications, by how many may be in float: with more, int8 is not worth its losses. */
const FLOAT_MOST = 0.4;

/** Multiplications of one flow in each layer with weights, by its name. */
function multiplicationsOf(network: Network): ReadonlyMap<string, number> {
  const byName = new Map(network.steps.map((step) => [step.name, step]));
  return new Map(
    weightedSteps(network).map((step) => {
      const times =
        step.kind === 'convolve'
          ? step.shape[1]
          : step.kind === 'lstm'
            ? byName.get(step.from)?.shape[0]
            : 1;
      // Tables are looked up.
      const isTable = step.kind === 'look-up' || step.kind === 'packet-channels';
      return [step.name, isTable ? 0 : parametersOf(step) * (times ?? 1)];
    }),
  );
}

function shareOf(
  layers: ReadonlySet<string>,
  costs: ReadonlyMap<string, number>,
): number {
  let [own, all] = [0, 0];
  for (const [name, cost] of costs) {
    all += cost;
    if (layers.has(name)) own += cost;
  }
  return own / all;
}

function checkLayers(network: Network, layers: QuantizationOptions['layers']): void {
  const names = network.steps.map(({ name }) => name);
  const unknown = Object.keys(layers).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const known = weightedSteps(network).map(({ name }) => name);
  throw new InputError(
    'ERR_LAYERS',
    `network ${network.name} has no layer "${unknown}", its layers are ${known.join(', ')}`,
  );
}

const layersSchema = z.record(
  z.string(),
  z.strictObject({
    precision: z.enum(['int8', 'float']).optional(),
    range: z.string().optional(),
  }),
);

/** Reads `{"LAYER": {"precision": "float", "range": "percentile:99.9"}}`. Throws InputError in one line. */
export function parseLayers(text: string, name: string): QuantizationOptions['layers'] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const [why] = (cause as Error).message.split('\n');
    throw new InputError('ERR_LAYERS', `${name} is no JSON (${why})`, { cause });
  }
  const parsed = layersSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(
      'ERR_LAYERS',
      `${name} at "${issue?.path.join('.')}": ${issue?.message}; expected {"LAYER": {"precision": "int8" or "float", "range": …}}`,
    );
  }
  return Object.fromEntries(
    Object.entries(parsed.data).map(([layer, { precision, range }]) => [
      layer,
      { precision, range: range === undefined ? undefined : parseRangeMethod(range) },
    ]),
  );
}

/** As `parseLayers` reads them. */
export function layersWritten(layers: QuantizationOptions['layers']) {
  return Object.fromEntries(
    Object.entries(layers).map(([layer, { precision, range }]) => [
      layer,
      { precision, range: range && rangeWords(range) },
    ]),
  );
}
