// Steps as a graph are the steps that they were call by call: the same losses, the same weights, whatever comes in between.

import test, { type ExecutionContext } from 'ava';
import { Adam } from '../../../models/adam.ts';
import { chooseBackend, tf } from '../../../models/backend.ts';
import { StepRunner } from '../../../models/graph/step-runner.ts';
import { networkNamed } from '../../../models/networks/networks.ts';
import { type Batch, trainStep, variablesOf } from '../../../models/training-step.ts';
import { backends } from '../backends.ts';
import { syntheticSamples } from '../synthetic.ts';

const NATIVE = (await backends()).includes('native');
const STEPS = 14;
/** float32 sums in another order, a little more of it after every step. */
const TOLERANCE = 0.002;
const SHAPE = { classes: 3, seriesSteps: 32, statistics: 4 };
const STEP_OPTIONS = {
  classes: ['a', 'b', 'c'],
  classWeights: [1, 2, 1],
  labelSmoothing: 0.05,
};

const stack = { groups: [[[8, 5, 4]], [[8, 3, 2]]], dense: 8 };
const sizes = {
  entries: ['scaled', 'embedded', 'soft-bins'],
  jitterShare: 0.3,
  embeddingDropout: 0.2,
};
const NETWORKS: Readonly<Record<string, object>> = {
  'router-cnn': { handshake: stack, series: stack, sizes },
  'router-lstm': { handshake: stack, series: { dense: 8, units: [8, 8] }, sizes },
  'ucdavis-cnn-lstm': {
    handshake: { groups: [[[8, 3, 1]]], pool: 2, dense: 8 },
    session: { dense: 0, units: [8], bidirectional: false },
    head: [8],
  },
};
/** Flows of a session. */
const SESSION = 3;

function build(name: string): tf.LayersModel {
  const network = networkNamed(name);
  const shape = { ...SHAPE, sessionFlows: SESSION, seed: 5 };
  return network.build(shape, network.resolve(NETWORKS[name] ?? {}));
}

/** Flows of all lengths; sessions, some of which lack their last flows. */
function batchOf(name: string, seed: number, rows: number): Batch {
  if (networkNamed(name).row === 'flow')
    return syntheticSamples(seed, { ...SHAPE, count: rows });
  const flows = syntheticSamples(seed, { ...SHAPE, count: rows * SESSION });
  const bytes = flows.inputs.handshake_bytes ?? new Uint8Array(0);
  const width = bytes.length / (rows * SESSION);
  for (let row = 0; row < rows; row += 2) {
    bytes.fill(0, (row * SESSION + 1) * width, (row + 1) * SESSION * width);
  }
  const labels = Int32Array.from({ length: rows }, (_, i) => i % SHAPE.classes);
  return { count: rows, inputs: { handshake_bytes: bytes }, labels };
}

interface Course {
  readonly losses: readonly number[];
  readonly weights: readonly number[];
  readonly steps: number;
}

/** An epoch's last batch is shorter; in the middle somebody reads and sets the weights, as validation on int8's grid does. */
function course(name: string, asGraph: boolean, t: ExecutionContext): Course {
  const model = build(name);
  const adam = new Adam(0.003);
  const runner = new StepRunner(model, adam, STEP_OPTIONS);
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const batch = batchOf(name, step + 1, step === 8 ? 5 : 16);
    losses.push(
      asGraph
        ? runner.step(batch).loss
        : trainStep(model, adam, batch, STEP_OPTIONS).loss,
    );
    if (step === 10) {
      runner.settle();
      tf.tidy(() => {
        for (const variable of variablesOf(model))
          variable.assign(tf.mul(variable, 0.99));
      });
      adam.setLearningRate(0.001);
    }
  }
  if (asGraph) t.true(runner.isGraph, runner.refused);
  runner.settle();
  const weights = variablesOf(model).flatMap((variable) => [...variable.dataSync()]);
  const { steps } = adam.state(variablesOf(model));
  runner.dispose();
  adam.dispose();
  model.dispose();
  return { losses, weights, steps };
}

for (const name of Object.keys(NETWORKS)) {
  test.serial(`${name}: a graph's losses and weights are those of calls`, async (t) => {
    if (!NATIVE) {
      t.log('not tested: native TensorFlow is not there');
      t.pass();
      return;
    }
    t.timeout(120_000);
    await chooseBackend('native');
    const [calls, graph] = [course(name, false, t), course(name, true, t)];
    t.log(calls.losses.map((loss, i) => `${loss} ${graph.losses[i]}`).join('\n'));
    for (const [i, loss] of calls.losses.entries()) {
      t.true(
        Math.abs(loss - (graph.losses[i] ?? NaN)) < TOLERANCE * loss,
        `step ${i + 1}`,
      );
    }
    const off = calls.weights.map((weight, i) =>
      Math.abs(weight - (graph.weights[i] ?? NaN)),
    );
    // A weight moves by at most the rate in a step, and by chance where its slope is nearly nothing.
    t.true(off.reduce((a, b) => a + b, 0) / off.length < 1e-4);
    t.is(graph.steps, STEPS);
  });
}

test.serial(
  'what is new at every step without being told is no graph, and trains all the same',
  async (t) => {
    if (!NATIVE) {
      t.log('not tested: native TensorFlow is not there');
      t.pass();
      return;
    }
    await chooseBackend('native');
    const input = tf.input({ name: 'statistics', shape: [SHAPE.statistics] });
    // Draws its mask by itself.
    const dropped = tf.layers.dropout({ rate: 0.5 }).apply(input) as tf.SymbolicTensor;
    const outputs = tf.layers
      .dense({ units: SHAPE.classes, activation: 'softmax' })
      .apply(dropped);
    const model = tf.model({ inputs: input, outputs: outputs as tf.SymbolicTensor });
    const adam = new Adam(0.01);
    const runner = new StepRunner(model, adam, STEP_OPTIONS);
    const batch = batchOf('router-cnn', 1, 16);
    for (let step = 0; step < 4; step++) t.true(Number.isFinite(runner.step(batch).loss));
    t.false(runner.isGraph);
    t.regex(runner.refused ?? '', /changes from step to step/);
    t.is(adam.state(variablesOf(model)).steps, 4);
    runner.dispose();
  },
);

test.serial('steps and ends of epochs leave no tensors behind', async (t) => {
  if (!NATIVE) {
    t.log('not tested: native TensorFlow is not there');
    t.pass();
    return;
  }
  await chooseBackend('native');
  const model = build('router-lstm');
  const adam = new Adam(0.003);
  const runner = new StepRunner(model, adam, STEP_OPTIONS);
  const batch = batchOf('router-lstm', 1, 16);
  for (let step = 0; step < 3; step++) runner.step(batch);
  t.true(runner.isGraph, runner.refused);
  const count = () => [tf.memory().numTensors, tensorsOf()];
  const before = count();
  for (let step = 0; step < 5; step++) runner.step(batch);
  t.deepEqual(count(), before);
  for (let epoch = 0; epoch < 3; epoch++) {
    runner.settle();
    runner.step(batch);
  }
  runner.settle();
  t.deepEqual(count(), before);
  runner.dispose();
});

/** TensorFlow's own count: graphs go past tfjs. */
function tensorsOf(): number {
  const { binding } = tf.backend() as unknown as {
    binding: { getNumOfTensors(): number };
  };
  return binding.getNumOfTensors();
}

test.serial('elsewhere than natively steps run call by call', async (t) => {
  await chooseBackend('wasm');
  const model = build('router-cnn');
  const runner = new StepRunner(model, new Adam(0.003), STEP_OPTIONS);
  t.regex(runner.refused ?? '', /not native/);
  t.true(Number.isFinite(runner.step(batchOf('router-cnn', 1, 4)).loss));
  runner.dispose();
});
