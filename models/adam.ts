// Adam (Kingma and Ba, 2015) as tfjs computes it, a few calls for each variable instead of some 25 passes over it: natively by
// TensorFlow's own kernel, elsewhere by one loop. Its state can be saved, so that a training that was interrupted goes on as if
// it had not been.

import { tf } from './backend.ts';
import type { AdamNumbers } from './graph/training-graph.ts';
import { runNative, runNativeOne } from './layers/native-operation.ts';
import { isNative } from './native-backend.ts';

const FIRST_DECAY = 0.9;
const SECOND_DECAY = 0.999;
/** tfjs' and Keras' own. */
const EPSILON = 1e-7;
const FLOAT = { type: 'float32' } as const;

/** What Adam remembers, by the order of the variables. */
export interface AdamState {
  /** Steps made. */
  readonly steps: number;
  /** Decayed means of gradients and of their squares, one array a variable. */
  readonly first: readonly Float32Array[];
  readonly second: readonly Float32Array[];
}

/** A variable and what Adam keeps for it. */
interface Slot {
  update(gradient: tf.Tensor, step: Step): void;
  moments(): [first: Float32Array, second: Float32Array];
  dispose(): void;
}

/** One step's numbers. */
interface Step {
  /** Learning rate with both biases corrected. */
  readonly rate: number;
  /** What is added to the root, so corrected as well: the formula is then tfjs' to the letter. */
  readonly epsilon: number;
  /** Decays to the power of the step. */
  readonly firstPower: number;
  readonly secondPower: number;
  readonly learningRate: number;
}

export class Adam {
  #learningRate: number;
  #steps = 0;
  readonly #slots = new Map<tf.Variable, Slot>();
  #restored: AdamState | undefined;

  constructor(learningRate: number) {
    this.#learningRate = learningRate;
  }

  setLearningRate(rate: number): void {
    this.#learningRate = rate;
  }

  /** One step down the gradients, one for each of the variables. */
  apply(variables: readonly tf.Variable[], gradients: readonly tf.Tensor[]): void {
    const step = this.#nextStep();
    for (const [i, variable] of variables.entries()) {
      const gradient = gradients[i];
      if (gradient !== undefined) this.#slotOf(variable, i).update(gradient, step);
    }
  }

  /** The numbers of the next step, for whoever makes it in place of `apply`: a graph. Counts it as made. */
  takeStep(): AdamNumbers {
    const { firstPower, secondPower, learningRate, epsilon } = this.#nextStep();
    const [firstDecay, secondDecay] = [FIRST_DECAY, SECOND_DECAY];
    return { firstPower, secondPower, learningRate, firstDecay, secondDecay, epsilon };
  }

  #nextStep(): Step {
    this.#steps++;
    return stepOf(this.#steps, this.#learningRate);
  }

  /** A copy of all that the next step depends on, in the order of `variables`. */
  state(variables: readonly tf.Variable[]): AdamState {
    const moments = variables.map((variable, i) => this.#slotOf(variable, i).moments());
    return {
      steps: this.#steps,
      first: moments.map(([first]) => first),
      second: moments.map(([, second]) => second),
    };
  }

  /** Goes on from a state that `state` gave for the same variables in the same order. To be called before the first step. */
  restore(state: AdamState): void {
    if (this.#slots.size > 0)
      throw new Error('Adam: restore comes before the first step');
    this.#steps = state.steps;
    this.#restored = state;
  }

  /** Moments as somebody else has left them; the steps are counted here. */
  setMoments(
    variables: readonly tf.Variable[],
    { first, second }: Pick<AdamState, 'first' | 'second'>,
  ): void {
    this.dispose();
    this.#restored = { steps: this.#steps, first, second };
    for (const [i, variable] of variables.entries()) this.#slotOf(variable, i);
  }

  dispose(): void {
    for (const slot of this.#slots.values()) slot.dispose();
    this.#slots.clear();
  }

  #slotOf(variable: tf.Variable, i: number): Slot {
    const known = this.#slots.get(variable);
    if (known !== undefined) return known;
    const zeros = () => new Float32Array(variable.size);
    const [first, second] = [
      this.#restored?.first[i]?.slice() ?? zeros(),
      this.#restored?.second[i]?.slice() ?? zeros(),
    ];
    if (first.length !== variable.size || second.length !== variable.size) {
      throw new Error(
        `Adam: the state of variable ${variable.name} has ${first.length} values, expected ${variable.size}`,
      );
    }
    const slot = isNative()
      ? new NativeSlot(variable, first, second)
      : new PlainSlot(variable, first, second);
    this.#slots.set(variable, slot);
    return slot;
  }
}

function stepOf(steps: number, learningRate: number): Step {
  const firstPower = FIRST_DECAY ** steps;
  const secondPower = SECOND_DECAY ** steps;
  const root = Math.sqrt(1 - secondPower);
  return {
    rate: (learningRate * root) / (1 - firstPower),
    epsilon: EPSILON * root,
    firstPower,
    secondPower,
    learningRate,
  };
}

/** For backends whose memory JavaScript reads. */
class PlainSlot implements Slot {
  readonly #variable: tf.Variable;
  readonly #first: Float32Array;
  readonly #second: Float32Array;

  constructor(variable: tf.Variable, first: Float32Array, second: Float32Array) {
    this.#variable = variable;
    this.#first = first;
    this.#second = second;
  }

  update(gradient: tf.Tensor, { rate, epsilon }: Step): void {
    const values = Float32Array.from(this.#variable.dataSync());
    const slopes = gradient.dataSync();
    const [first, second] = [this.#first, this.#second];
    for (let i = 0; i < values.length; i++) {
      const slope = slopes[i] ?? 0;
      const m = FIRST_DECAY * (first[i] ?? 0) + (1 - FIRST_DECAY) * slope;
      const v = SECOND_DECAY * (second[i] ?? 0) + (1 - SECOND_DECAY) * slope * slope;
      first[i] = m;
      second[i] = v;
      values[i] = (values[i] ?? 0) - (rate * m) / (Math.sqrt(v) + epsilon);
    }
    this.#variable.assign(tf.tensor(values, this.#variable.shape));
  }

  moments(): [Float32Array, Float32Array] {
    return [this.#first.slice(), this.#second.slice()];
  }

  dispose(): void {}
}

/** Names of resources are shared by a whole process. */
let resources = 0;

/** A variable of TensorFlow's own, which its kernels change in place; tfjs knows only tensors. To be assigned first. */
class Resource {
  readonly #handle: tf.Tensor;

  constructor(shape: readonly number[]) {
    this.#handle = tf.keep(
      runNativeOne({
        name: 'VarHandleOp',
        attributes: {
          container: { string: '' },
          shared_name: { string: `sluice-adam-${++resources}` },
          dtype: FLOAT,
          shape: { shape },
        },
        inputs: [],
      }),
    );
  }

  get handle(): tf.Tensor {
    return this.#handle;
  }

  assign(values: tf.Tensor): void {
    runNative({
      name: 'AssignVariableOp',
      attributes: { dtype: FLOAT },
      inputs: [this.#handle, values],
      outputs: 0,
    });
  }

  read(): tf.Tensor {
    return runNativeOne({
      name: 'ReadVariableOp',
      attributes: { dtype: FLOAT },
      inputs: [this.#handle],
    });
  }

  dispose(): void {
    runNative({
      name: 'DestroyResourceOp',
      attributes: { ignore_lookup_error: { bool: true } },
      inputs: [this.#handle],
      outputs: 0,
    });
    this.#handle.dispose();
  }
}

class NativeSlot implements Slot {
  readonly #variable: tf.Variable;
  readonly #values: Resource;
  readonly #first: Resource;
  readonly #second: Resource;
  /** The data of the variable as this slot left it: others mean that someone has set it. */
  #left: object | undefined;

  constructor(variable: tf.Variable, first: Float32Array, second: Float32Array) {
    const { shape } = variable;
    this.#variable = variable;
    this.#values = new Resource(shape);
    this.#first = new Resource(shape);
    this.#second = new Resource(shape);
    tf.tidy(() => {
      this.#values.assign(variable);
      this.#first.assign(tf.tensor(first, shape));
      this.#second.assign(tf.tensor(second, shape));
    });
    this.#left = variable.dataId;
  }

  update(gradient: tf.Tensor, step: Step): void {
    if (this.#variable.dataId !== this.#left) this.#values.assign(this.#variable);
    const scalars = [
      step.firstPower,
      step.secondPower,
      step.learningRate,
      FIRST_DECAY,
      SECOND_DECAY,
      step.epsilon,
    ].map((value) => tf.scalar(value));
    runNative({
      name: 'ResourceApplyAdam',
      attributes: {
        T: FLOAT,
        use_locking: { bool: false },
        use_nesterov: { bool: false },
      },
      inputs: [
        this.#values.handle,
        this.#first.handle,
        this.#second.handle,
        ...scalars,
        gradient,
      ],
      outputs: 0,
    });
    this.#variable.assign(this.#values.read());
    this.#left = this.#variable.dataId;
  }

  moments(): [Float32Array, Float32Array] {
    return tf.tidy(() => [
      Float32Array.from(this.#first.read().dataSync()),
      Float32Array.from(this.#second.read().dataSync()),
    ]);
  }

  dispose(): void {
    for (const resource of [this.#values, this.#first, this.#second]) resource.dispose();
  }
}
