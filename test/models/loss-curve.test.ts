// The same seed gives the same training wherever it runs: initial weights, dropout and jitter are drawn by us, not by a backend.

import test from 'ava';
import { Adam } from '../../models/adam.ts';
import { chooseBackend } from '../../models/backend.ts';
import { networkNamed } from '../../models/networks/networks.ts';
import { trainStep } from '../../models/training-step.ts';
import { backends } from './backends.ts';
import { syntheticSamples } from './synthetic.ts';

const BACKENDS = await backends();
const SHAPE = { count: 16, classes: 3, seriesSteps: 16, statistics: 4 };
const STEPS = 12;
// float32 sums in another order, a little more of it after every step.
const TOLERANCE = 0.002;

const stack = { groups: [[[8, 5, 4]], [[8, 3, 2]]], dense: 8 };
const OPTIONS: Readonly<Record<string, object>> = {
  'router-cnn': { handshake: stack, series: stack },
  'router-lstm': {
    handshake: stack,
    series: { dense: 8, units: [8, 8] },
    sizes: {
      entries: ['scaled', 'embedded', 'soft-bins'],
      jitterShare: 0.3,
      embeddingDropout: 0.2,
    },
  },
};

async function lossesOf(backend: 'native' | 'wasm', name: string): Promise<number[]> {
  await chooseBackend(backend);
  const model = networkNamed(name).build({ ...SHAPE, seed: 5 }, OPTIONS[name]);
  const adam = new Adam(0.003);
  const options = {
    classes: ['a', 'b', 'c'],
    classWeights: [1, 2, 1],
    labelSmoothing: 0.05,
  };
  const batch = syntheticSamples(1, SHAPE);
  const losses = Array.from(
    { length: STEPS },
    () => trainStep(model, adam, batch, options).loss,
  );
  adam.dispose();
  model.dispose();
  return losses;
}

for (const name of Object.keys(OPTIONS)) {
  test.serial(
    `${name}: the same seed gives the same losses on native TensorFlow and on wasm`,
    async (t) => {
      t.timeout(180_000);
      const curves = [];
      for (const backend of BACKENDS) curves.push(await lossesOf(backend, name));
      // A second time on the same backend, not a digit differs.
      t.deepEqual(await lossesOf('wasm', name), curves.at(-1));
      const [native = [], wasm] = curves;
      if (wasm === undefined) {
        t.log('one backend only: native TensorFlow is not there');
        return;
      }
      t.log(`native ${native.map((loss) => loss.toFixed(4)).join(' ')}`);
      t.log(`wasm   ${wasm.map((loss) => loss.toFixed(4)).join(' ')}`);
      for (const [i, loss] of native.entries()) {
        t.true(Math.abs(loss - (wasm[i] ?? NaN)) < TOLERANCE * loss, `step ${i + 1}`);
      }
      t.true((native.at(-1) ?? NaN) < (native[0] ?? NaN));
    },
  );
}
