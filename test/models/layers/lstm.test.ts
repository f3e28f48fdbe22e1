import test from 'ava';
import { chooseBackend, tf } from '../../../models/backend.ts';
import { bothWays, lstm } from '../../../models/layers/lstm.ts';
import { backends } from '../backends.ts';
import { compute, difference, loadedAsStock } from '../gradients.ts';
import { seededNumbers } from '../numbers.ts';

// float32 sums over steps, units and flows in another order.
const TOLERANCE = 2e-5;
const [FLOWS, STEPS, INPUTS, UNITS] = [4, 9, 3, 5];
const BACKENDS = await backends();
let models = 0;

interface Case {
  readonly ways: 'forward' | 'both ways';
  readonly returnSequences: boolean;
  /** Steps of each flow; without, there is no mask. */
  readonly lengths?: readonly number[];
  readonly layers?: number;
}

function modelOf({ ways, returnSequences, lengths, layers = 1 }: Case): tf.LayersModel {
  models++;
  const input = tf.input({ shape: [STEPS, INPUTS] });
  let x = input;
  if (lengths !== undefined) {
    x = tf.layers
      .masking({ name: `mask${models}`, maskValue: 0 })
      .apply(x) as tf.SymbolicTensor;
    // tfjs has no gradient by what a mask was made of: that of the LSTM's input shows in these weights.
    x = tf.layers
      .dense({ name: `dense${models}`, units: INPUTS })
      .apply(x) as tf.SymbolicTensor;
  }
  for (let i = 1; i <= layers; i++) {
    const layer = (ways === 'forward' ? lstm : bothWays)({
      name: `lstm${models}_${i}`,
      units: UNITS,
      returnSequences: i < layers || returnSequences,
      seed: 7 + i,
    });
    x = layer.apply(x) as tf.SymbolicTensor;
  }
  return tf.model({ inputs: input, outputs: x });
}

/** Random numbers, zeros behind a flow's end. */
function inputOf({ lengths }: Case): tf.Tensor3D {
  const values = seededNumbers(11, FLOWS * STEPS * INPUTS);
  for (const [b, length] of lengths?.entries() ?? []) {
    values.fill(0, (b * STEPS + length) * INPUTS, (b + 1) * STEPS * INPUTS);
  }
  return tf.tensor3d(values, [FLOWS, STEPS, INPUTS]);
}

/** Which outputs mean something. */
function keepOf({ lengths, returnSequences, ways }: Case): tf.Tensor | undefined {
  if (lengths === undefined || !returnSequences) return undefined;
  const width = ways === 'forward' ? UNITS : 2 * UNITS;
  const keep = new Float32Array(FLOWS * STEPS * width);
  for (const [b, length] of lengths.entries()) {
    keep.fill(1, b * STEPS * width, (b * STEPS + length) * width);
  }
  return tf.tensor3d(keep, [FLOWS, STEPS, width]);
}

function nameOf({ ways, returnSequences, lengths, layers = 1 }: Case): string {
  return [
    layers === 1 ? ways : `${layers} ${ways}`,
    returnSequences ? 'all steps' : 'last step',
    lengths === undefined ? 'no mask' : `flows of ${lengths.join(', ')} steps`,
  ].join(', ');
}

const likeStock = test.macro({
  title: (_, backend: string, c: Case) =>
    `${backend}: outputs and gradients are those of tfjs' own layer: ${nameOf(c)}`,
  async exec(t, backend: 'native' | 'wasm', c: Case) {
    await chooseBackend(backend);
    const ours = modelOf(c);
    const stock = await loadedAsStock(ours);
    const how = { byInput: c.lengths === undefined, keep: keepOf(c) };
    const [a, b] = [ours, stock].map((model) => compute(model, inputOf(c), how));
    t.true(difference(a?.outputs ?? [], b?.outputs ?? []) < TOLERANCE);
    t.is(a?.gradients.length, b?.gradients.length);
    for (const [i, gradient] of a?.gradients.entries() ?? []) {
      const off = difference(gradient, b?.gradients[i] ?? []);
      t.true(off < TOLERANCE, `gradient ${i} differs by ${off}`);
      t.true(gradient.some((value) => value !== 0));
    }
  },
});

const CASES: readonly Case[] = [
  { ways: 'forward', returnSequences: true },
  { ways: 'forward', returnSequences: false },
  { ways: 'both ways', returnSequences: true },
  { ways: 'both ways', returnSequences: false },
  { ways: 'forward', returnSequences: true, lengths: [9, 4, 1, 6] },
  { ways: 'forward', returnSequences: false, lengths: [9, 4, 1, 6] },
  { ways: 'both ways', returnSequences: true, lengths: [9, 4, 1, 6] },
  { ways: 'both ways', returnSequences: false, lengths: [9, 4, 1, 6] },
  // None as long as the input, one without a single step.
  { ways: 'both ways', returnSequences: false, lengths: [5, 0, 2, 5] },
  { ways: 'both ways', returnSequences: true, lengths: [5, 5, 5, 5] },
  { ways: 'both ways', returnSequences: false, layers: 3 },
  { ways: 'both ways', returnSequences: false, layers: 3, lengths: [9, 4, 1, 6] },
];

for (const backend of BACKENDS) {
  for (const c of CASES) test.serial(likeStock, backend, c);
}

test.serial(
  'padding changes nothing: what stands behind a flow is not read',
  async (t) => {
    for (const backend of BACKENDS) {
      await chooseBackend(backend);
      const c: Case = {
        ways: 'both ways',
        returnSequences: false,
        lengths: [3, 3, 3, 3],
      };
      const layer = bothWays({
        name: `same${++models}`,
        units: UNITS,
        returnSequences: false,
        seed: 1,
      });
      const input = inputOf(c);
      layer.apply(input);
      const mask = tf.tensor2d(
        Array.from({ length: FLOWS * STEPS }, (_, i) => i % STEPS < 3),
        [FLOWS, STEPS],
        'bool',
      );
      const noise = tf.mul(tf.sub(1, tf.expandDims(tf.cast(mask, 'float32'), 2)), 100);
      const run = (x: tf.Tensor) => (layer.call(x, { mask }) as tf.Tensor).dataSync();
      t.deepEqual(run(tf.add(input, noise)), run(input));
    }
  },
);

test.serial('a step leaves no tensors behind', async (t) => {
  for (const backend of BACKENDS) {
    await chooseBackend(backend);
    const c: Case = {
      ways: 'both ways',
      returnSequences: false,
      layers: 2,
      lengths: [9, 4, 1, 6],
    };
    const model = modelOf(c);
    const input = inputOf(c);
    compute(model, input);
    const before = tf.memory().numTensors;
    compute(model, input);
    t.is(tf.memory().numTensors, before);
  }
});

test.serial(
  'initial weights are as Keras draws them: states at right angles, forget gates open',
  async (t) => {
    await chooseBackend('wasm');
    const layer = lstm({
      name: `drawn${++models}`,
      units: UNITS,
      returnSequences: false,
      seed: 3,
    });
    layer.apply(tf.zeros([1, STEPS, INPUTS]));
    const [, recurrent, bias] = layer.getWeights();
    const products = tf.matMul(
      recurrent as tf.Tensor2D,
      recurrent as tf.Tensor2D,
      false,
      true,
    );
    t.true(difference(products.dataSync(), tf.eye(UNITS).dataSync()) < 1e-6);
    const open = [...(bias?.dataSync() ?? [])].map(
      (value, i) => value === (Math.floor(i / UNITS) === 1 ? 1 : 0),
    );
    t.true(open.every(Boolean));
  },
);
