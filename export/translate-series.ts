// Layers over steps of time: masks, LSTMs, embeddings, and layers that are put to each step. Axes: see network.ts.

import type { tf } from '../models/backend.ts';
import { BYTES_A_UNIT } from '../models/layers/packet-channels.ts';
import { rowsOfSizes } from '../models/layers/size-rows.ts';
import type { LstmDirection } from './network.ts';
import { reorderGates } from './reorder.ts';
import {
  configOf,
  flowsOf,
  inLayout,
  type LayerContext,
  type Translator,
  unreadable,
  type Value,
  type Weights,
  weightsOf,
} from './value.ts';

/** Rows of zeros (or of another value) behind a row's last step are left out by the LSTMs that follow. */
function masking({ layer, input, steps }: LayerContext): Value {
  const { maskValue } = configOf<{ maskValue: number }>(layer);
  const { tensor } = inLayout(steps, input, 'plain');
  const lengths = `${layer.name}_lengths`;
  steps.push({
    kind: 'lengths',
    name: lengths,
    shape: [],
    ...flowsOf(input),
    from: tensor,
    of: input.shape,
    padding: { values: maskValue },
  });
  return { ...input, lengths };
}

interface LstmConfig {
  readonly units: number;
  readonly activation: string;
  readonly recurrentActivation: string;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly stateful: boolean;
  readonly goBackwards: boolean;
  readonly useBias: boolean;
}

/** @param owner whose name and fault it is: a Bidirectional has two of them inside. */
function lstmConfig(layer: tf.layers.Layer, owner: tf.layers.Layer): LstmConfig {
  const config = configOf<LstmConfig>(layer);
  if (config.activation !== 'tanh') {
    throw unreadable(owner, `activation ${config.activation}, expected tanh`);
  }
  // hardSigmoid, the default of tfjs, is a piecewise line: int8 kernels have none.
  if (config.recurrentActivation !== 'sigmoid') {
    throw unreadable(
      owner,
      `recurrentActivation ${config.recurrentActivation}, expected sigmoid`,
    );
  }
  if (config.returnState || config.stateful) throw unreadable(owner, 'a kept state');
  return config;
}

function directionOf(
  layer: tf.layers.Layer,
  units: number,
  reverse: boolean,
): LstmDirection {
  const [kernel, recurrent, bias] = weightsOf(layer);
  if (kernel === undefined || recurrent === undefined)
    throw unreadable(layer, 'no weights');
  const zeros = new Float32Array(4 * units);
  return {
    reverse,
    kernel: reorderGates(kernel.values, units),
    recurrent: reorderGates(recurrent.values, units),
    bias: reorderGates(bias?.values ?? zeros, units),
  };
}

function lstm(context: LayerContext): Value {
  const { layer } = context;
  const config = lstmConfig(layer, layer);
  if (config.goBackwards && config.returnSequences) {
    throw unreadable(layer, 'all steps of a backward LSTM');
  }
  const { units, goBackwards } = config;
  return recurrent(context, config, [directionOf(layer, units, goBackwards)]);
}

function bidirectional(context: LayerContext): Value {
  const { layer } = context;
  const { mergeMode } = configOf<{ mergeMode: string }>(layer);
  if (mergeMode !== 'concat') throw unreadable(layer, `mergeMode ${mergeMode}`);
  const { forwardLayer, backwardLayer } = layer as unknown as {
    readonly forwardLayer: tf.layers.Layer;
    readonly backwardLayer: tf.layers.Layer;
  };
  if (forwardLayer.getClassName() !== 'LSTM') throw unreadable(layer, 'no LSTM inside');
  const config = lstmConfig(forwardLayer, layer);
  const { units } = config;
  return recurrent(context, config, [
    directionOf(forwardLayer, units, false),
    directionOf(backwardLayer, units, true),
  ]);
}

function recurrent(
  { layer, input, shape, steps }: LayerContext,
  { units, returnSequences: sequences }: LstmConfig,
  directions: readonly LstmDirection[],
): Value {
  const { tensor } = inLayout(steps, input, 'time-major');
  steps.push({
    kind: 'lstm',
    name: layer.name,
    shape,
    ...(sequences && { batchAxis: 1 }),
    ...flowsOf(input),
    from: tensor,
    lengths: input.lengths,
    sequences,
    units,
    directions,
  });
  const value = { tensor: layer.name, shape, ...flowsOf(input) };
  if (!sequences) return { ...value, layout: 'plain' };
  const { lengths } = input;
  return { ...value, layout: 'time-major', ...(lengths !== undefined && { lengths }) };
}

function embedding({ layer, input, shape, steps }: LayerContext): Value {
  const [table] = weightsOf(layer);
  if (table === undefined) throw unreadable(layer, 'no table');
  const { maskZero } = configOf<{ maskZero: boolean }>(layer);
  const { name } = layer;
  steps.push({
    kind: 'look-up',
    name,
    shape,
    ...flowsOf(input),
    from: input.tensor,
    table: table.values,
    rows: table.shape[0] ?? 0,
  });
  const value: Value = { tensor: name, shape, layout: 'plain', ...flowsOf(input) };
  if (!maskZero) return value;
  const lengths = `${name}_lengths`;
  steps.push({
    kind: 'lengths',
    name: lengths,
    shape: [],
    ...flowsOf(input),
    from: input.tensor,
    of: input.shape,
    padding: { values: 0 },
  });
  return { ...value, lengths };
}

interface PacketChannelsConfig {
  readonly entries: readonly string[];
  readonly limit: number;
  readonly binBytes: number;
  readonly sharedBytes: number;
  readonly ownRows?: readonly number[];
}

/** The rows that sizes share are written out: a row for each size, so that one look-up finds it. */
function packetChannels({ layer, input, shape, steps }: LayerContext): Value {
  const config = configOf<PacketChannelsConfig>(layer);
  const { entries, limit, binBytes } = config;
  const weights = weightsOf(layer);
  const table = entries.includes('embedded') ? weights.shift() : undefined;
  const bins = entries.includes('soft-bins') ? weights.shift() : undefined;
  const { name } = layer;
  const { tensor } = inLayout(steps, input, 'plain');
  steps.push({
    kind: 'packet-channels',
    name,
    shape,
    ...flowsOf(input),
    from: tensor,
    scaled: entries.includes('scaled') ? 1 / BYTES_A_UNIT : undefined,
    limit,
    sizes: table === undefined ? undefined : rowsWrittenOut(table, rowsOfSizes(config)),
    bins:
      bins === undefined
        ? undefined
        : { table: bins.values, bytes: binBytes, rows: bins.shape[0] ?? 0 },
  });
  return { ...input, tensor: name, shape, layout: 'plain' };
}

function rowsWrittenOut({ shape, values }: Weights, rows: Int32Array): Float32Array {
  const width = shape[1] ?? 0;
  const written = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) {
    written.set(values.subarray(row * width, (row + 1) * width), i * width);
  }
  return written;
}

/** One layer on each step: dense layers on a sequence have a way of their own, others see steps as rows. */
function timeDistributed(
  context: LayerContext,
  translate: (context: LayerContext) => Value,
): Value {
  const { layer: outer, input, shape, steps } = context;
  const layer = (outer as unknown as { readonly layer: tf.layers.Layer }).layer;
  if (layer.getClassName() === 'Dense' && input.shape.length === 2) {
    return translate({ ...context, layer });
  }
  if (input.flows !== undefined) throw unreadable(outer, 'sessions of sessions');
  const whole = input.layout === 'plain' ? input : inLayout(steps, input, 'plain');
  const [flows = 0, ...each] = input.shape;
  const name = `${outer.name}_apart`;
  steps.push({ kind: 'apart', name, shape: each, flows, from: whole.tensor });
  const row: Value = { tensor: name, shape: each, layout: 'plain', flows };
  const rows = { layer, inputs: [row], input: row, shape: shape.slice(1) };
  const made = translate({ ...context, ...rows, isOnlyReader: false });
  const own = made.shape.length === 2 ? inLayout(steps, made, 'plain') : made;
  steps.push({ kind: 'together', name: outer.name, shape, from: own.tensor });
  const { lengths } = input;
  const value: Value = { tensor: outer.name, shape, layout: 'plain' };
  if (own.order !== undefined) {
    throw unreadable(outer, 'a layer inside that flattens what a convolution made');
  }
  return lengths === undefined ? value : { ...value, lengths };
}

/** @param translate of any layer, for the one that a TimeDistributed has inside. */
export function seriesLayers(
  translate: (context: LayerContext) => Value,
): Readonly<Record<string, Translator>> {
  return {
    Masking: masking,
    LSTM: lstm,
    Bidirectional: bidirectional,
    Embedding: embedding,
    PacketChannels: packetChannels,
    TimeDistributed: (context) => timeDistributed(context, translate),
  };
}
