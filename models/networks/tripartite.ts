// The paper's network (3.2), whole and in parts: three branches, each of which may be left out. Six networks are this one with
// other widths. Axes: B flows, M handshake messages, N bytes of a message, T steps, C channels, S statistics, K classes.
//
//   handshake [B,M,N] ─ rescale ─ conv conv pool conv conv pool ─ (dense) ──┐
//   series    [B,T,C] ─ (sizes) ─ conv conv pool …, or dense lstm lstm … ───┼─ concat ─ dense dense ─ softmax [B,K]
//   statistics  [B,S] ─────────── dense dense ──────────────────────────────┘

import { z } from 'zod';
import type { SizeNormaliser } from '../../src/features/normalise.ts';
import { tf } from '../backend.ts';
import {
  handshakeBranch,
  handshakeInput,
  head,
  type SeriesBranch,
  seriesBranch,
  seriesInput,
  statisticsBranch,
  statisticsInput,
} from './branches.ts';
import { LayerMaker, type Symbolic } from './layer-maker.ts';
import {
  type InputName,
  type NetworkDefinition,
  type NetworkShape,
  TENSORS,
} from './network.ts';
import {
  branches,
  type Convolutions,
  convolutions,
  type Dropout,
  dropout,
  inInputOrder,
  type Recurrent,
  recurrent,
  type Sizes,
  sizes,
  widths,
} from './options.ts';

/** What a network of this kind is by default. */
export interface TripartiteDefaults<Series extends Convolutions | Recurrent> {
  readonly name: string;
  readonly summary: string;
  readonly inputs: readonly InputName[];
  readonly seriesSteps: number;
  readonly handshake: Convolutions;
  readonly series: Series;
  readonly statistics: readonly number[];
  readonly head: readonly number[];
  readonly dropout: Dropout;
}

interface TripartiteOptions {
  readonly inputs: readonly InputName[];
  readonly handshake: Convolutions;
  readonly statistics: readonly number[];
  readonly head: readonly number[];
  readonly dropout: Dropout;
  readonly sizes: Sizes;
}

/** Options of all but the series branch. */
function commonOptions(defaults: TripartiteDefaults<Convolutions | Recurrent>) {
  return {
    inputs: branches.default([...defaults.inputs]),
    handshake: convolutions(defaults.handshake),
    statistics: widths.default([...defaults.statistics]),
    head: widths.default([...defaults.head]),
    dropout: dropout(defaults.dropout),
    sizes: sizes.prefault({}),
  };
}

function definition<S extends z.ZodType<TripartiteOptions>>(
  defaults: TripartiteDefaults<Convolutions | Recurrent>,
  options: S,
  branchOf: (options: z.infer<S>) => SeriesBranch,
): NetworkDefinition<S> {
  const { name, summary, seriesSteps } = defaults;
  return {
    summary,
    row: 'flow',
    seriesSteps,
    options,
    inputs: ({ inputs }) => inInputOrder(inputs),
    sizes: (resolved) => normaliserOf(resolved.sizes),
    build: (shape, resolved) => build(name, shape, resolved, branchOf(resolved)),
  };
}

/** The variant with a CNN on the series. */
export function tripartiteCnn(defaults: TripartiteDefaults<Convolutions>) {
  const options = z.strictObject({
    ...commonOptions(defaults),
    series: convolutions(defaults.series),
  });
  return definition(defaults, options, ({ series }) => ({ kind: 'cnn', layers: series }));
}

/** The paper's own: a stack of LSTMs on the series. */
export function tripartiteLstm(defaults: TripartiteDefaults<Recurrent>) {
  const options = z.strictObject({
    ...commonOptions(defaults),
    series: recurrent(defaults.series),
  });
  return definition(defaults, options, ({ series }) => ({
    kind: 'lstm',
    layers: series,
  }));
}

/** A size that is only a number is written as one; all else reads it exactly. */
function normaliserOf({ entries, jitterShare }: Sizes): SizeNormaliser {
  const plain = entries.every((entry) => entry === 'scaled') && jitterShare === 0;
  return plain ? 'per-128' : 'signed-bytes';
}

function build(
  name: string,
  shape: NetworkShape,
  options: TripartiteOptions,
  branch: SeriesBranch,
): tf.LayersModel {
  const make = new LayerMaker(shape.seed);
  const inputs: Symbolic[] = [];
  const ends: Symbolic[] = [];
  const add = (input: Symbolic, end: (input: Symbolic) => Symbolic) => {
    inputs.push(input);
    ends.push(end(input));
  };
  const has = (input: InputName) => options.inputs.includes(input);
  if (has(TENSORS.handshakeBytes)) {
    add(handshakeInput(), (input) => handshakeBranch(make, options, input));
  }
  if (has(TENSORS.series)) {
    add(seriesInput(shape), (input) => seriesBranch(make, branch, options, input));
  }
  if (has(TENSORS.statistics)) {
    add(statisticsInput(shape), (input) => statisticsBranch(make, options, input));
  }
  const [only] = ends;
  const joined =
    ends.length === 1 && only !== undefined
      ? only
      : (tf.layers.concatenate({ name: 'joined', axis: 1 }).apply(ends) as Symbolic);
  return tf.model({ name, inputs, outputs: head(make, options, shape, joined) });
}
