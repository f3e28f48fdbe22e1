// A recorded step and Adam's update behind it as one TensorFlow graph in a session of its own: a step is one call, its
// operations run side by side where they can, and weights and moments stay inside.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { tf } from '../backend.ts';
import {
  type Binding,
  type NativeAttribute,
  type NativeValues,
  nativeBackend,
} from '../native-backend.ts';
import {
  type AttributeValue,
  DATA_TYPES,
  GRAPH_TAG,
  type GraphNode,
  savedModelOf,
} from './graph-def.ts';
import {
  NotRecordable,
  type Recording,
  type Reference,
  usedConstants,
} from './recorder.ts';

/** Numbers of a step of Adam, in the order of ResourceApplyAdam's inputs. */
export interface AdamNumbers {
  readonly firstPower: number;
  readonly secondPower: number;
  readonly learningRate: number;
  readonly firstDecay: number;
  readonly secondDecay: number;
  readonly epsilon: number;
}
const ADAM_NUMBERS = [
  'firstPower',
  'secondPower',
  'learningRate',
  'firstDecay',
  'secondDecay',
  'epsilon',
] as const;

/** Of each variable: its values, Adam's two moments. */
const KEPT = ['v', 'm', 's'] as const;
export type GraphState = Readonly<Record<(typeof KEPT)[number], readonly Float32Array[]>>;

/** Behind the loss: rows that were right, then the gradient of each variable. */
const LOSS = 0;
const RIGHT = 1;
const FIRST_GRADIENT = 2;

const FLOAT = { T: { type: DATA_TYPES.float32 } } as const;
const DTYPE = { dtype: { type: DATA_TYPES.float32 } } as const;
/** Names of resources are shared by whoever uses the same device. */
let graphs = 0;

export class TrainingGraph {
  readonly #recording: Recording;
  readonly #shapes: readonly (readonly number[])[];
  readonly #session: number;
  readonly #binding: Binding;
  readonly #feedNames: string;

  /**
   * @param recording of a step whose outputs are loss, rows that were right, and a gradient for each of the variables
   * @throws NotRecordable where TensorFlow does not take the graph
   */
  constructor(recording: Recording, variables: readonly tf.Variable[]) {
    this.#recording = recording;
    this.#shapes = variables.map(({ shape }) => shape);
    this.#binding = nativeBackend().binding;
    const nodes = nodesOf(recording, this.#shapes, this.#binding, `sluice-${++graphs}`);
    const directory = mkdtempSync(join(tmpdir(), 'sluice-graph-'));
    try {
      writeFileSync(join(directory, 'saved_model.pb'), savedModelOf(nodes));
      this.#session = this.#binding.loadSavedModel(directory, GRAPH_TAG);
    } catch (cause) {
      const [why] = (cause as Error).message.split('\n');
      throw new NotRecordable(`TensorFlow refuses the graph: ${why}`, { cause });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
    this.#feedNames = [
      ...recording.feeds.map((_, i) => `f${i}:0`),
      ...ADAM_NUMBERS.map((_, i) => `a${i}:0`),
    ].join(',');
  }

  /** One step with what the producers of its feeds give now. */
  step(numbers: AdamNumbers): { readonly loss: number; readonly right: number } {
    const feeds = this.#recording.feeds.map(({ shape, type, produce }) =>
      this.#tensor(shape, type, produce()),
    );
    const scalars = ADAM_NUMBERS.map((key) =>
      this.#float([], Float32Array.of(numbers[key])),
    );
    const [loss, right] = this.#run(
      [...feeds, ...scalars],
      this.#feedNames,
      'loss:0,right:0',
    );
    return { loss: loss?.[0] ?? Number.NaN, right: right?.[0] ?? 0 };
  }

  /** Sets weights and moments, by the order of the variables. */
  load(state: GraphState): void {
    const [inputs, names]: [number[], string[]] = [[], []];
    for (const kind of KEPT) {
      for (const [i, values] of state[kind].entries()) {
        inputs.push(this.#float(this.#shapes[i] ?? [], values));
        names.push(`${kind}${i}_new:0`);
      }
    }
    this.#run(inputs, names.join(','), 'loaded:0');
  }

  state(): GraphState {
    const names = KEPT.flatMap((kind) =>
      this.#shapes.map((_, i) => `${kind}${i}_read:0`),
    );
    const all = this.#run([], '', names.join(',')) as Float32Array[];
    const count = this.#shapes.length;
    return {
      v: all.slice(0, count),
      m: all.slice(count, 2 * count),
      s: all.slice(2 * count),
    };
  }

  dispose(): void {
    this.#binding.deleteSavedModel(this.#session);
  }

  #float(shape: readonly number[], values: Float32Array): number {
    return this.#tensor(shape, DATA_TYPES.float32, values);
  }

  #tensor(shape: readonly number[], type: number, values: NativeValues): number {
    return this.#binding.createTensor(shape, type, toBeCopied(values));
  }

  /** Runs the session once; the inputs are gone afterwards. */
  #run(inputs: readonly number[], names: string, outputs: string) {
    try {
      const made = this.#binding.runSavedModel(this.#session, inputs, names, outputs);
      return made.map(({ id }) => {
        const values = this.#binding.tensorDataSync(id).slice();
        this.#binding.deleteTensor(id);
        return values;
      });
    } finally {
      for (const id of inputs) this.#binding.deleteTensor(id);
    }
  }
}

/** Bytes; wherever a buffer begins (at a multiple of 16), this much behind it is no multiple of 64. */
const OFF_ALIGNMENT = 4;

/**
 * The same values where TensorFlow copies them. It shares an array's memory that begins at a multiple of 64, and tfjs-node then lets go of
 * the array by a call that is Node's main thread's alone, from whichever thread has done with the memory: for what is in a
 * session, one of TensorFlow's (TF_NewTensor, tfjs_backend.cc: DeallocTensor). Node crashed of it, now and then.
 */
function toBeCopied<Values extends NativeValues>(values: Values): Values {
  const bytes = new Uint8Array(OFF_ALIGNMENT + values.byteLength);
  bytes.set(
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    OFF_ALIGNMENT,
  );
  const kind = values.constructor as new (
    buffer: ArrayBuffer,
    offset: number,
    length: number,
  ) => Values;
  return new kind(bytes.buffer, OFF_ALIGNMENT, values.length);
}

function nodesOf(
  recording: Recording,
  shapes: readonly (readonly number[])[],
  binding: Binding,
  name: string,
): GraphNode[] {
  const nodes: GraphNode[] = [];
  const add = (
    own: string,
    op: string,
    inputs: readonly string[],
    attributes: GraphNode['attributes'] = {},
  ): string => {
    nodes.push({ name: own, op, inputs, attributes });
    return own;
  };
  for (const index of usedConstants(recording)) {
    const { type, shape, bytes } = recording.constants[index] ?? unknown(index);
    const value = { tensor: { type, shape, bytes } };
    add(`c${index}`, 'Const', [], { dtype: { type }, value });
  }
  for (const [i, { type, shape }] of recording.feeds.entries()) {
    add(`f${i}`, 'Placeholder', [], { dtype: { type }, shape: { shape } });
  }
  const loads: string[] = [];
  for (const [i, shape] of shapes.entries()) {
    for (const kind of KEPT) {
      const own = `${kind}${i}`;
      add(own, 'VarHandleOp', [], {
        ...DTYPE,
        shape: { shape },
        shared_name: { text: `${name}-${own}` },
        container: { text: '' },
      });
      add(`${own}_read`, 'ReadVariableOp', [own], DTYPE);
      add(`${own}_new`, 'Placeholder', [], { ...DTYPE, shape: { shape } });
      loads.push(add(`${own}_load`, 'AssignVariableOp', [own, `${own}_new`], DTYPE));
    }
  }
  for (const [i, { name: op, attributes, inputs }] of recording.operations.entries()) {
    const entries = attributes.map((each) => [each.name, attributeOf(each, binding, op)]);
    const left = LEFT_TO_EAGER.has(op)
      ? { T: { type: typeOf(recording, inputs[0]) } }
      : {};
    add(`n${i}`, op, inputs.map(nameOf), { ...left, ...Object.fromEntries(entries) });
  }
  const numbers = ADAM_NUMBERS.map((_, i) =>
    add(`a${i}`, 'Placeholder', [], { ...DTYPE, shape: { shape: [] } }),
  );
  const output = (index: number) => nameOf(recording.outputs[index] ?? unknown(index));
  // Every weight is read before any is changed: a step sees them all as they were.
  const read = shapes.map((_, i) => `^v${i}_read`);
  const updates = shapes.map((_, i) => {
    const gradient = output(FIRST_GRADIENT + i);
    const inputs = [`v${i}`, `m${i}`, `s${i}`, ...numbers, gradient, ...read];
    return add(`u${i}`, 'ResourceApplyAdam', inputs, {
      ...FLOAT,
      use_locking: { bool: false },
      use_nesterov: { bool: false },
    });
  });
  const after = (names: readonly string[]) => names.map((each) => `^${each}`);
  add('loss', 'Identity', [output(LOSS), ...after(updates)], FLOAT);
  add('right', 'Identity', [output(RIGHT)], { T: { type: DATA_TYPES.int32 } });
  const nothing = { type: DATA_TYPES.float32, shape: [], bytes: new Uint8Array(4) };
  add('nothing', 'Const', [], { ...DTYPE, value: { tensor: nothing } });
  add('loaded', 'Identity', ['nothing', ...after(loads)], FLOAT);
  return nodes;
}

/** Operations whose type tfjs leaves to be found from the first input, which graphs do not. */
const LEFT_TO_EAGER: ReadonlySet<string> = new Set(['ExpandDims']);

function typeOf(recording: Recording, reference: Reference | undefined): number {
  switch (reference?.from) {
    case 'operation':
      return recording.operations[reference.index]?.types[reference.output] ?? unknown(0);
    case 'constant':
      return recording.constants[reference.index]?.type ?? unknown(0);
    case 'feed':
      return recording.feeds[reference.index]?.type ?? unknown(0);
    default:
      return DATA_TYPES.float32;
  }
}

function nameOf(reference: Reference): string {
  switch (reference.from) {
    case 'operation':
      return reference.output === 0
        ? `n${reference.index}`
        : `n${reference.index}:${reference.output}`;
    case 'constant':
      return `c${reference.index}`;
    case 'feed':
      return `f${reference.index}`;
    default:
      return `v${reference.index}_read`;
  }
}

function attributeOf(
  { name, type, value }: NativeAttribute,
  binding: Binding,
  op: string,
): AttributeValue {
  switch (type) {
    case binding.TF_ATTR_BOOL:
      return { bool: Boolean(value) };
    case binding.TF_ATTR_FLOAT:
      return { float: Number(value) };
    case binding.TF_ATTR_INT:
      return { int: Array.isArray(value) ? value.map(Number) : Number(value) };
    case binding.TF_ATTR_SHAPE:
      return { shape: (value as number[]).map(Number) };
    case binding.TF_ATTR_STRING:
      return { text: String(value) };
    case binding.TF_ATTR_TYPE:
      return { type: Number(value) };
    default:
      throw new NotRecordable(`attribute ${name} of ${op} is of an unknown kind`);
  }
}

function unknown(index: number): never {
  throw new NotRecordable(`the recording has no value ${index}`);
}
