// A tfjs layers model -> the steps of network.ts, layer by layer. What tfjs has and ONNX has not is settled on the way: the
// order of axes (value.ts), of weights (reorder.ts), and which row of a dense layer's weights meets which value behind a
// Flatten. Axes: see network.ts.

import type { tf } from '../models/backend.ts';
import type { Network, Step } from './network.ts';
import { DENSE_LAYERS } from './translate-dense.ts';
import { POSITION_LAYERS } from './translate-positions.ts';
import { seriesLayers } from './translate-series.ts';
import { type LayerContext, type Translator, unreadable, type Value } from './value.ts';

const TRANSLATORS: Readonly<Record<string, Translator>> = {
  ...POSITION_LAYERS,
  ...DENSE_LAYERS,
  ...seriesLayers(translate),
};

function translate(context: LayerContext): Value {
  const name = context.layer.getClassName();
  const translator = Object.hasOwn(TRANSLATORS, name) ? TRANSLATORS[name] : undefined;
  if (translator === undefined) {
    throw unreadable(context.layer, 'a kind that export does not know');
  }
  return translator(context);
}

/** Reads a model whose layers are of known kinds; dropout vanishes. Throws naming the first layer it cannot read. */
export function readNetwork(model: tf.LayersModel): Network {
  return readModel(model).network;
}

export interface ReadModel {
  readonly network: Network;
  /** What is known of the model's output: tests put it into tfjs' order. */
  readonly output: Value;
}

export function readModel(model: tf.LayersModel): ReadModel {
  const reader = new Reader(model);
  for (const layer of model.layers) reader.read(layer);
  const [output] = model.outputs;
  if (output === undefined) throw new Error(`model "${model.name}" has no output`);
  const value = reader.valueOf(output);
  const made = reader.steps.findIndex(({ name }) => name === value.tensor);
  // Lengths may stand behind the last layer; the output is last.
  const [last] = reader.steps.splice(made, 1);
  const steps = last === undefined ? reader.steps : [...reader.steps, last];
  return { network: { name: model.name, steps }, output: value };
}

class Reader {
  readonly steps: Step[] = [];
  readonly #values = new Map<string, Value>();
  /** Names of the inputs that are bytes: those that a Rescaling layer reads, be it through others that only move them. */
  readonly #bytes: ReadonlySet<string>;
  /** How many read a tensor, by its name. */
  readonly #readers = new Map<string, number>();

  constructor(model: tf.LayersModel) {
    const rescaling = model.layers.filter((l) => l.getClassName() === 'Rescaling');
    this.#bytes = new Set(rescaling.flatMap(inputsOf).map(originOf));
    for (const { name } of [...model.layers.flatMap(inputsOf), ...model.outputs]) {
      this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1);
    }
  }

  read(layer: tf.layers.Layer): void {
    const output = layer.output as tf.SymbolicTensor;
    const value =
      layer.getClassName() === 'InputLayer'
        ? this.#input(layer, output)
        : this.#layer(layer, output);
    this.#values.set(output.name, value);
  }

  valueOf({ name }: tf.SymbolicTensor): Value {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`tensor "${name}" is not made yet`);
    return value;
  }

  #layer(layer: tf.layers.Layer, output: tf.SymbolicTensor): Value {
    const sources = inputsOf(layer);
    const inputs = sources.map((input) => this.valueOf(input));
    const [input] = inputs;
    if (input === undefined) throw unreadable(layer, 'no input');
    const isOnlyReader = sources.every(({ name }) => this.#readers.get(name) === 1);
    const { steps } = this;
    return translate({
      layer,
      inputs,
      input,
      shape: shapeOf(output),
      isOnlyReader,
      steps,
    });
  }

  #input(layer: tf.layers.Layer, output: tf.SymbolicTensor): Value {
    // The layer's name: tfjs counts up the names of tensors through a process' life.
    const { name } = layer;
    const shape = shapeOf(output);
    const values = this.#bytes.has(output.name) ? 'bytes' : 'floats';
    this.steps.push({ kind: 'input', name, shape, values });
    return { tensor: name, shape, layout: 'plain' };
  }
}

/** The input's tensor behind layers that only move numbers. */
function originOf(tensor: tf.SymbolicTensor): string {
  const { sourceLayer } = tensor;
  const [from] = sourceLayer.getClassName() === 'FlowsApart' ? inputsOf(sourceLayer) : [];
  return from === undefined ? tensor.name : originOf(from);
}

function inputsOf(layer: tf.layers.Layer): tf.SymbolicTensor[] {
  if (layer.getClassName() === 'InputLayer') return [];
  return Array.isArray(layer.input) ? layer.input : [layer.input];
}

function shapeOf(tensor: tf.SymbolicTensor): number[] {
  return tensor.shape.slice(1).map((d) => d ?? 0);
}
