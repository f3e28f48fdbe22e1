// The steps of a training, as a graph where TensorFlow is native and the steps can be one. The first two are computed call by call
// and recorded; if they are alike, the following ones of the same number of rows run as a graph. Others, such as an epoch's last, run
// call by call. Weights and Adam's moments are either with tfjs or in the graph; `settle` brings them back.

import type { Adam } from '../adam.ts';
import { tf } from '../backend.ts';
import { isNative } from '../native-backend.ts';
import {
  type Batch,
  figuresOf,
  type StepFigures,
  type StepOptions,
  stepGradients,
  trainStep,
  variablesOf,
} from '../training-step.ts';
import { checkAlike, NotRecordable, type Recording, record } from './recorder.ts';
import { TrainingGraph } from './training-graph.ts';

export class StepRunner {
  readonly #model: tf.LayersModel;
  readonly #optimizer: Adam;
  readonly #options: StepOptions;
  /** What the producers of a graph's feeds read. */
  #batch: Batch | undefined;
  /** The first of the two steps that have to be alike. */
  #first: { readonly rows: number; readonly recording: Recording } | undefined;
  #graph: { readonly rows: number; readonly own: TrainingGraph } | undefined;
  /** Whether the graph has the newest weights and moments. */
  #ahead = false;
  /** Why steps are no graph; undefined: they may be. */
  #refused: string | undefined;

  constructor(model: tf.LayersModel, optimizer: Adam, options: StepOptions) {
    this.#model = model;
    this.#optimizer = optimizer;
    this.#options = options;
    if (!isNative()) this.#refused = 'TensorFlow is not native here';
  }

  /** Why steps run call by call; undefined where they are, or may become, a graph. */
  get refused(): string | undefined {
    return this.#refused;
  }

  get isGraph(): boolean {
    return this.#graph !== undefined;
  }

  step(batch: Batch): StepFigures {
    this.#batch = batch;
    if (this.#graph?.rows === batch.count) return this.#graphStep(this.#graph.own);
    this.settle();
    // The first step settles for how many rows the graph is, which an epoch's last one may not have.
    const rows = this.#first?.rows ?? batch.count;
    const wanted =
      this.#refused === undefined && this.#graph === undefined && rows === batch.count;
    return wanted ? this.#recordedStep(batch) : this.#plainStep(batch);
  }

  /** Weights and moments come back to the model and the optimizer. To be called before anyone reads or changes them. */
  settle(): void {
    if (!this.#ahead || this.#graph === undefined) return;
    const variables = variablesOf(this.#model);
    const { v, m, s } = this.#graph.own.state();
    tf.tidy(() => {
      for (const [i, variable] of variables.entries()) {
        variable.assign(tf.tensor(v[i] ?? new Float32Array(0), variable.shape));
      }
    });
    this.#optimizer.setMoments(variables, { first: m, second: s });
    this.#ahead = false;
  }

  dispose(): void {
    this.settle();
    this.#graph?.own.dispose();
    this.#graph = undefined;
  }

  #current = (): Batch => {
    if (this.#batch === undefined) throw new Error('no step has been asked for');
    return this.#batch;
  };

  #plainStep(batch: Batch): StepFigures {
    return trainStep(this.#model, this.#optimizer, batch, this.#options);
  }

  #graphStep(graph: TrainingGraph): StepFigures {
    if (!this.#ahead) {
      const variables = variablesOf(this.#model);
      const { first, second } = this.#optimizer.state(variables);
      const v = variables.map((variable) => variable.dataSync() as Float32Array);
      graph.load({ v, m: first, s: second });
      this.#ahead = true;
    }
    return graph.step(this.#optimizer.takeStep());
  }

  /** A step call by call that is watched. */
  #recordedStep(batch: Batch): StepFigures {
    const variables = variablesOf(this.#model);
    return tf.tidy(() => {
      const { recording, figures } = this.#watched(variables);
      if (recording !== undefined) this.#compare(recording, variables, batch.count);
      return figures;
    });
  }

  #watched(variables: readonly tf.Variable[]) {
    let made: tf.Tensor[] = [];
    let recording: Recording | undefined;
    const step = () => {
      const { loss, right, gradients } = stepGradients(
        this.#model,
        this.#current,
        this.#options,
      );
      made = [loss, right, ...gradients];
      return made;
    };
    try {
      ({ recording } = record(variables, step));
    } catch (fault) {
      if (!(fault instanceof NotRecordable)) throw fault;
      this.#refused = fault.message;
    }
    const [loss, right, ...gradients] = made as [tf.Tensor, tf.Tensor, ...tf.Tensor[]];
    this.#optimizer.apply(variables, gradients);
    return { recording, figures: figuresOf(loss, right) };
  }

  #compare(recording: Recording, variables: readonly tf.Variable[], rows: number): void {
    if (this.#first === undefined) {
      this.#first = { rows, recording };
      return;
    }
    try {
      checkAlike(this.#first.recording, recording);
      this.#graph = { rows, own: new TrainingGraph(recording, variables) };
    } catch (fault) {
      if (!(fault instanceof NotRecordable)) throw fault;
      this.#refused = fault.message;
    }
    this.#first = undefined;
  }
}
