import { readFile } from 'node:fs/promises';
import test from 'ava';
import { chooseBackend, tf } from '../../../models/backend.ts';
import { INPUTS } from '../../../models/networks/network.ts';
import { NETWORKS, networkNamed } from '../../../models/networks/networks.ts';
import { InputError } from '../../../src/errors.ts';
import { STATISTICS } from '../../../src/features/statistics-table.ts';
import { SMALL } from './small.ts';

const SHAPE = { seriesSteps: 16, statistics: STATISTICS.length, classes: 5, seed: 1 };

test.before(async () => {
  await chooseBackend('wasm');
});

test('all networks of the paper and of routers are there', (t) => {
  t.deepEqual(Object.keys(NETWORKS).sort(), [
    'flow-cnn',
    'flow-lstm',
    'router-cnn',
    'router-lstm',
    'tripartite-cnn',
    'tripartite-lstm',
    'ucdavis-cnn',
    'ucdavis-cnn-lstm',
  ]);
});

for (const network of Object.values(NETWORKS)) {
  test.serial(
    `${network.name} takes the inputs that it names and gives a probability a class`,
    (t) => {
      for (const classes of [2, 8, 53]) {
        const model = network.build({ ...SHAPE, classes }, SMALL[network.name]);
        t.deepEqual(
          model.inputLayers.map(({ name }) => name),
          [...network.inputs()],
        );
        t.deepEqual(
          model.outputs.map(({ shape }) => shape),
          [[null, classes]],
        );
        model.dispose();
      }
    },
  );

  test.serial(
    `${network.name}: options that are resolved are JSON, and resolve to themselves`,
    (t) => {
      const resolved = network.resolve({});
      t.deepEqual(JSON.parse(JSON.stringify(resolved)), resolved);
      t.deepEqual(network.resolve(resolved), resolved);
    },
  );

  test.serial(
    `${network.name}: the same seed gives the same weights, another one others`,
    (t) => {
      const first = (seed: number) => {
        const model = network.build({ ...SHAPE, seed }, SMALL[network.name]);
        const values = model
          .getWeights()
          .map((weight) => [...weight.dataSync().slice(0, 4)]);
        model.dispose();
        return values;
      };
      t.deepEqual(first(1), first(1));
      t.notDeepEqual(first(1), first(2));
    },
  );
}

test.serial('docs/networks.md names the parameters that each network has', async (t) => {
  t.timeout(180_000);
  const page = await readFile(
    new URL('../../../../docs/networks.md', import.meta.url),
    'utf8',
  );
  for (const network of Object.values(NETWORKS)) {
    const { seriesSteps } = network;
    const model = network.build({ ...SHAPE, seriesSteps, classes: 8 }, {});
    const parameters = model.countParams().toLocaleString('en-US');
    t.regex(
      page,
      new RegExp(`\\| \x60${network.name}\x60 \\|.*\\| ${parameters} \\|`),
      `${network.name}: ${parameters}`,
    );
    model.dispose();
  }
});

test.serial('one width can be given and the others stay', (t) => {
  const { resolve } = networkNamed('tripartite-cnn');
  const given = resolve({ handshake: { dense: 7 } }) as { handshake: { dense: number } };
  const plain = resolve({}) as { handshake: { dense: number } };
  t.deepEqual(given, { ...plain, handshake: { ...plain.handshake, dense: 7 } });
});

test.serial('a network of one branch, or of any two, is an ablation', (t) => {
  for (const name of ['tripartite-cnn', 'router-lstm']) {
    for (const left of [...INPUTS.map((input) => [input]), [INPUTS[2], INPUTS[0]]]) {
      const model = networkNamed(name).build(SHAPE, { ...SMALL[name], inputs: left });
      t.deepEqual(
        model.inputLayers.map((layer) => layer.name),
        INPUTS.filter((input) => left.includes(input)),
      );
    }
  }
});

test.serial('a session of any number of flows has a network', (t) => {
  const model = networkNamed('ucdavis-cnn-lstm').build(
    { ...SHAPE, sessionFlows: 3 },
    SMALL['ucdavis-cnn-lstm'],
  );
  t.deepEqual(model.inputs[0]?.shape.slice(0, 2), [null, 3]);
});

test.serial(
  'flows behind the last one of a session that has bytes change nothing',
  (t) => {
    const small = {
      handshake: { groups: [[[4, 3, 2]]], dense: 6 },
      session: { units: [5] },
    };
    const outputs = [4, 7].map((sessionFlows) => {
      const model = networkNamed('ucdavis-cnn-lstm').build(
        { ...SHAPE, sessionFlows },
        small,
      );
      const flows = tf.fill([1, 2, 3, 600], 9);
      const padded = tf.concat([flows, tf.zeros([1, sessionFlows - 2, 3, 600])], 1);
      return [...(model.apply(padded, { training: false }) as tf.Tensor).dataSync()];
    });
    t.deepEqual(outputs[0], outputs[1]);
  },
);

const refused = test.macro({
  title: (_, name: string, options: unknown) =>
    `refused for ${name}: ${JSON.stringify(options)}`,
  exec(t, name: string, options: unknown, message: RegExp) {
    const error = t.throws(() => networkNamed(name).build(SHAPE, options), {
      instanceOf: InputError,
    });
    t.regex(error?.message ?? '', message);
    t.false(error?.message.includes('\n'));
  },
});

test.serial(refused, 'tripartite-lstm', { serise: {} }, /tripartite-lstm.*serise/);
test.serial(refused, 'tripartite-lstm', { series: { units: [0] } }, /series\.units/);
test.serial(refused, 'router-cnn', { inputs: ['series', 'series'] }, /named twice/);
test.serial(refused, 'router-cnn', { inputs: ['headers'] }, /handshake_bytes/);
test.serial(refused, 'flow-cnn', { sizes: { entries: ['exact'] } }, /soft-bins/);
test.serial(refused, 'ucdavis-cnn', { packets: 5 }, /packets/);
test.serial(refused, 'flow-lstm', { dropout: { head: 1 } }, /dropout\.head/);

test('an unknown name is refused with those that there are', (t) => {
  t.throws(() => networkNamed('lstm'), {
    instanceOf: InputError,
    message: /router-lstm/,
  });
});

test('how sizes enter decides how features write them', (t) => {
  const { sizes } = networkNamed('flow-cnn');
  t.is(sizes({}), 'per-128');
  t.is(sizes({ sizes: { entries: ['embedded'] } }), 'signed-bytes');
  t.is(sizes({ sizes: { entries: ['scaled', 'soft-bins'] } }), 'signed-bytes');
  t.is(sizes({ sizes: { jitterShare: 0.4 } }), 'signed-bytes');
});
