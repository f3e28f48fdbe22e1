// Watches what tfjs-node is asked to compute while one step of training runs, call by call: enough to compute the same step
// again as a graph. Two recorded steps are held against each other, so that whatever changes from step to step without having
// been told (per-step.ts) is found before it does harm.

import type { tf } from '../backend.ts';
import { type Binding, type NativeAttribute, nativeBackend } from '../native-backend.ts';
import { listening, type StepValues } from './per-step.ts';

/** Where a value comes from. */
export type Reference =
  | { readonly from: 'operation'; readonly index: number; readonly output: number }
  | { readonly from: 'constant' | 'feed' | 'variable'; readonly index: number };

interface RecordedOperation {
  readonly name: string;
  readonly attributes: readonly NativeAttribute[];
  readonly inputs: readonly Reference[];
  /** Of its outputs, as those of RecordedTensor. */
  readonly types: readonly number[];
}

interface RecordedTensor {
  /** One of binding.TF_FLOAT, TF_INT32, … */
  readonly type: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

interface Feed {
  readonly type: number;
  readonly shape: readonly number[];
  readonly produce: () => StepValues;
}

export interface Recording {
  readonly operations: readonly RecordedOperation[];
  readonly constants: readonly RecordedTensor[];
  readonly feeds: readonly Feed[];
  /** What the step was for, in the order in which `outputs` gave them. */
  readonly outputs: readonly Reference[];
}

/** The step cannot be a graph; the message says why. */
export class NotRecordable extends Error {
  override readonly name = 'NotRecordable';
}

/**
 * Runs a step and keeps what it computed.
 *
 * @param step gives the tensors that it is for; they must still be there when it returns
 * @throws NotRecordable where it reads a tensor whose origin is not known
 */
export function record<T extends readonly tf.Tensor[]>(
  variables: readonly tf.Variable[],
  step: () => T,
): { readonly recording: Recording; readonly result: T } {
  const backend = nativeBackend();
  const { binding } = backend;
  const known = new Map<number, Reference>();
  const operations: RecordedOperation[] = [];
  const constants: RecordedTensor[] = [];
  const feeds: Feed[] = [];
  let stranger: string | undefined;
  for (const [index, id] of backend.getInputTensorIds(variables).entries()) {
    known.set(id, { from: 'variable', index });
  }
  const watched: Partial<Binding> = {
    createTensor: (shape, type, values) => {
      const id = binding.createTensor(shape, type, values);
      const { buffer, byteOffset, byteLength } = values;
      const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice();
      known.set(id, { from: 'constant', index: constants.length });
      constants.push({ type, shape: [...shape], bytes });
      return id;
    },
    executeOp: (name, attributes, inputs, outputs) => {
      const from = inputs.map((id): Reference => {
        const reference = known.get(id);
        if (reference === undefined) stranger ??= name;
        return reference ?? { from: 'constant', index: -1 };
      });
      const made = binding.executeOp(name, attributes, inputs, outputs);
      const index = operations.length;
      const types = made.map(({ dtype }) => dtype);
      operations.push({ name, attributes, inputs: from, types });
      for (const [output, { id }] of made.entries()) {
        known.set(id, { from: 'operation', index, output });
      }
      return made;
    },
  };
  backend.binding = overlaid(binding, watched);
  try {
    const result = listening((tensor, produce) => {
      const [id = -1] = backend.getInputTensorIds([tensor]);
      const reference = known.get(id);
      if (reference?.from !== 'constant') return;
      const { type, shape } = constants[reference.index] as RecordedTensor;
      known.set(id, { from: 'feed', index: feeds.length });
      feeds.push({ type, shape, produce });
    }, step);
    const outputs = backend.getInputTensorIds(result).map((id) => known.get(id));
    if (stranger !== undefined) {
      throw new NotRecordable(`${stranger} reads a tensor that the step has not made`);
    }
    const missing = outputs.indexOf(undefined);
    if (missing >= 0) throw new NotRecordable(`output ${missing} comes from nowhere`);
    const recording = { operations, constants, feeds, outputs: outputs as Reference[] };
    return { recording, result };
  } finally {
    backend.binding = binding;
  }
}

/** `own` in place of what `binding` has of the same names; of its properties none can be written, so it is not the proxy's target. */
function overlaid(binding: Binding, own: Partial<Binding>): Binding {
  return new Proxy({} as Binding, {
    get: (_, key) => {
      const name = key as keyof Binding;
      const value = own[name] ?? binding[name];
      return typeof value === 'function' ? value.bind(binding) : value;
    },
  });
}

/** @throws NotRecordable where two steps were not the same but for what they were fed */
export function checkAlike(first: Recording, second: Recording): void {
  const [a, b] = [first, second];
  if (a.operations.length !== b.operations.length) {
    throw new NotRecordable(
      `one step has ${a.operations.length} operations, the next one ${b.operations.length}`,
    );
  }
  for (const [i, operation] of a.operations.entries()) {
    if (JSON.stringify(operation) !== JSON.stringify(b.operations[i])) {
      throw new NotRecordable(
        `operation ${i}, ${operation.name}, changes from step to step`,
      );
    }
  }
  const outputs = JSON.stringify(a.outputs) === JSON.stringify(b.outputs);
  const shapes = (of: Recording) => JSON.stringify(of.feeds.map(({ shape }) => shape));
  if (!outputs || shapes(a) !== shapes(b)) {
    throw new NotRecordable('inputs or outputs change from step to step');
  }
  const used = usedConstants(a);
  for (const index of used) {
    const [one, other] = [a.constants[index], b.constants[index]];
    if (one === undefined || other === undefined) continue;
    const alike = one.type === other.type && `${one.shape}` === `${other.shape}`;
    if (!alike || Buffer.compare(one.bytes, other.bytes) !== 0) {
      const reader = a.operations.find(({ inputs }) =>
        inputs.some((input) => input.from === 'constant' && input.index === index),
      );
      throw new NotRecordable(
        `a constant of ${reader?.name} changes from step to step: it is to be told by perStep`,
      );
    }
  }
}

/** Those that an operation reads. */
export function usedConstants({ operations }: Recording): Set<number> {
  const used = new Set<number>();
  for (const { inputs } of operations) {
    for (const input of inputs) if (input.from === 'constant') used.add(input.index);
  }
  return used;
}
