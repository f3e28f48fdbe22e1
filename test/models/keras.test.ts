// Layer and gradient parity with Keras: the same description, the same weights, the same flows, every gradient. Skipped where
// Keras is not there: `npm run setup:keras`. Nothing is downloaded by a test.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { kerasPython } from '../../bench/keras.ts';
import { chooseBackend, tf } from '../../models/backend.ts';
import { networkNamed } from '../../models/networks/networks.ts';
import { inputsOf } from '../../models/training-step.ts';
import { backends } from './backends.ts';
import { difference } from './gradients.ts';
import { SMALL } from './networks/small.ts';
import { syntheticSamples } from './synthetic.ts';

const SCRIPT = fileURLToPath(
  new URL('../../../test/models/answers-by-keras.py', import.meta.url),
);
const SHAPE = { count: 6, classes: 3, seriesSteps: 20, statistics: 5 };
/** Sums of float32 in another order, through some ten layers. */
const TOLERANCE = 2e-5;
/** Keras alone takes a quarter of a minute to start on a busy machine. */
const LIMIT_MS = 1_200_000;

/** Convolutions and poolings, LSTMs both ways and forward only, masks, dense layers at each step: each kind of layer there is. */
const CASES: readonly (readonly [name: string, options: object])[] = [
  ['tripartite-cnn', {}],
  ['tripartite-lstm', {}],
  ['router-cnn', {}],
  ['router-lstm', { series: { dense: 6, units: [8, 7], bidirectional: false } }],
  ['flow-lstm', { inputs: ['series'], series: { dense: 0, units: [8, 8, 8] } }],
];

interface Answer {
  readonly outputs: readonly number[];
  readonly loss: number;
  /** By layer. */
  readonly gradients: Readonly<Record<string, readonly (readonly number[])[]>>;
}

function modelOf([name, options]: (typeof CASES)[number]): tf.LayersModel {
  return networkNamed(name).build({ ...SHAPE, seed: 3 }, { ...SMALL[name], ...options });
}

const samples = syntheticSamples(4, SHAPE);

function described(tensor: tf.Tensor) {
  return { shape: tensor.shape, values: [...tensor.dataSync()] };
}

/** What the script wants to know of a case. */
function question(model: tf.LayersModel) {
  const weighted = model.layers.filter((layer) => layer.weights.length > 0);
  return {
    topology: String(model.toJSON()),
    weights: Object.fromEntries(
      weighted.map((layer) => [layer.name, layer.getWeights().map(described)]),
    ),
    inputs: tf.tidy(() => inputsOf(model, () => samples).map(described)),
    labels: [...samples.labels],
  };
}

function byOurs(model: tf.LayersModel): Answer {
  let answer: Answer | undefined;
  tf.tidy(() => {
    const inputs = inputsOf(model, () => samples);
    const targets = tf.oneHot(tf.tensor1d(samples.labels, 'int32'), SHAPE.classes);
    let outputs: readonly number[] = [];
    const loss = () => {
      const made = model.apply(inputs, { training: true }) as tf.Tensor;
      outputs = [...made.dataSync()];
      const logs = tf.log(tf.clipByValue(made, 1e-7, 1));
      return tf.neg(tf.mean(tf.sum(tf.mul(targets, logs), 1))) as tf.Scalar;
    };
    const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const { value, grads } = tf.variableGrads(loss, weights);
    const gradients = model.layers
      .filter((layer) => layer.weights.length > 0)
      .map((layer) => [
        layer.name,
        layer.trainableWeights.map((weight) => [
          ...(grads[(weight.read() as tf.Variable).name]?.dataSync() ?? []),
        ]),
      ]);
    const gradientsOf = Object.fromEntries(gradients);
    answer = { outputs, loss: value.dataSync()[0] ?? NaN, gradients: gradientsOf };
  });
  if (answer === undefined) throw new Error('nothing was computed');
  return answer;
}

function askKeras(python: string, questions: readonly object[]): Answer[] {
  const { status, stdout, stderr, error } = spawnSync(python, [SCRIPT], {
    input: JSON.stringify(questions),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: LIMIT_MS,
  });
  if (status !== 0) {
    const last = stderr.split('\n').slice(-5).join(' ');
    throw new Error(`Keras failed: ${error?.message ?? ''} ${last}`);
  }
  return JSON.parse(stdout);
}

const keras = kerasPython();
if ('missing' in keras) {
  console.log(`skipped: parity with Keras: ${keras.missing}`);
  test.skip(`outputs and gradients are Keras' (${keras.missing})`, () => {});
} else {
  test.serial('outputs, loss and every gradient are those of Keras', async (t) => {
    t.timeout(2 * LIMIT_MS);
    const [first, ...others] = await backends();
    await chooseBackend(first);
    const answers = askKeras(
      keras.python,
      CASES.map((each) => question(modelOf(each))),
    );
    for (const backend of [first, ...others]) {
      await chooseBackend(backend);
      for (const [i, each] of CASES.entries()) {
        const [ours, theirs] = [byOurs(modelOf(each)), answers[i]];
        if (theirs === undefined) throw new Error('Keras gave too few answers');
        let largest = difference(theirs.outputs, ours.outputs);
        largest = Math.max(largest, Math.abs(ours.loss - theirs.loss));
        for (const [layer, gradients] of Object.entries(theirs.gradients)) {
          for (const [w, gradient] of gradients.entries()) {
            const off = difference(gradient, ours.gradients[layer]?.[w] ?? []);
            t.true(
              off < TOLERANCE,
              `${each[0]}, ${layer}, weight ${w}: differs by ${off}`,
            );
            largest = Math.max(largest, off);
          }
        }
        t.log(`${backend} ${each[0]}: largest difference ${largest.toExponential(1)}`);
        t.true(largest < TOLERANCE);
      }
    }
  });
}
