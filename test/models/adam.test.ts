import test from 'ava';
import { Adam } from '../../models/adam.ts';
import { chooseBackend, tf } from '../../models/backend.ts';
import { backends } from './backends.ts';
import { difference } from './gradients.ts';
import { seededNumbers } from './numbers.ts';

const BACKENDS = await backends();

/** A valley with two parameters of different shape. */
function problem() {
  const a: tf.Variable = tf.variable(tf.tensor2d(seededNumbers(1, 12), [3, 4]));
  const b: tf.Variable = tf.variable(tf.tensor1d(seededNumbers(2, 4)));
  const loss = () => tf.sum(tf.square(tf.sin(tf.add(tf.mul(a, 3), b)))) as tf.Scalar;
  return { variables: [a, b], loss };
}

/** One step down the gradient of `loss`; its value before the step. */
function minimize(
  adam: Adam,
  loss: () => tf.Scalar,
  variables: readonly tf.Variable[],
): number {
  return tf.tidy(() => {
    const { value, grads } = tf.variableGrads(loss, [...variables]);
    const gradients = variables.map(({ name }) => grads[name] as tf.Tensor);
    adam.apply(variables, gradients);
    return value.dataSync()[0] ?? Number.NaN;
  });
}

function valuesOf(variables: readonly tf.Variable[]): number[] {
  return variables.flatMap((variable) => [...variable.dataSync()]);
}

for (const backend of BACKENDS) {
  test.serial(
    `${backend}: steps are those of tfjs' Adam, also when the rate changes`,
    async (t) => {
      await chooseBackend(backend);
      const [ours, theirs] = [problem(), problem()];
      const adam = new Adam(0.01);
      const stock = tf.train.adam(0.01);
      for (let i = 0; i < 20; i++) {
        if (i === 10) {
          adam.setLearningRate(0.005);
          (stock as unknown as { learningRate: number }).learningRate = 0.005;
        }
        const loss = minimize(adam, ours.loss, ours.variables);
        const want =
          stock.minimize(theirs.loss, true, theirs.variables)?.dataSync()[0] ?? NaN;
        t.true(
          Math.abs(loss - want) < 1e-4 * want,
          `step ${i}: loss ${loss}, tfjs ${want}`,
        );
      }
      const off = difference(valuesOf(theirs.variables), valuesOf(ours.variables));
      t.true(off < 2e-5, `differs by ${off}`);
    },
  );

  test.serial(
    `${backend}: a state that is restored goes on as if nothing had happened`,
    async (t) => {
      await chooseBackend(backend);
      const whole = problem();
      const adam = new Adam(0.01);
      for (let i = 0; i < 6; i++) minimize(adam, whole.loss, whole.variables);
      const state = adam.state(whole.variables);
      const resumed = problem();
      for (const [i, variable] of resumed.variables.entries()) {
        const from = whole.variables[i];
        if (from !== undefined) variable.assign(tf.clone(from));
      }
      const second = new Adam(0.01);
      second.restore(state);
      for (let i = 0; i < 6; i++) {
        minimize(adam, whole.loss, whole.variables);
        minimize(second, resumed.loss, resumed.variables);
      }
      t.deepEqual(valuesOf(resumed.variables), valuesOf(whole.variables));
      t.is(second.state(resumed.variables).steps, 12);
    },
  );

  test.serial(
    `${backend}: weights that others set between two steps are where the next one starts`,
    async (t) => {
      await chooseBackend(backend);
      const { loss, variables } = problem();
      const adam = new Adam(0.01);
      minimize(adam, loss, variables);
      const [first] = variables;
      first?.assign(tf.fill([3, 4], 100));
      minimize(adam, loss, variables);
      t.true(
        valuesOf(variables.slice(0, 1)).every((value) => Math.abs(value - 100) < 0.1),
      );
    },
  );

  test.serial(
    `${backend}: a step leaves no tensors behind, nor does an optimizer that is done`,
    async (t) => {
      await chooseBackend(backend);
      const { loss, variables } = problem();
      const before = tf.memory().numTensors;
      const adam = new Adam(0.01);
      minimize(adam, loss, variables);
      const after = tf.memory().numTensors;
      minimize(adam, loss, variables);
      t.is(tf.memory().numTensors, after);
      adam.dispose();
      t.is(tf.memory().numTensors, before);
    },
  );
}

test('a state of other variables is refused', async (t) => {
  const { loss, variables } = problem();
  const adam = new Adam(0.01);
  adam.restore({ steps: 1, first: [new Float32Array(3)], second: [new Float32Array(3)] });
  t.throws(() => minimize(adam, loss, variables), { message: /3 values, expected 12/ });
});
