import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import {
  featureSpecOf,
  inputSpecOf,
} from '../../../models/training/configured-network.ts';
import {
  configKeys,
  parseTrainingConfig,
  readTrainingConfig,
} from '../../../models/training/read-config.ts';
import { ConfigError } from '../../../src/errors.ts';
import { ROOT } from '../../helpers/sluice.ts';

const NORMALISER = { kind: 'z-score', mean: [], deviation: [], clip: 4 } as const;

const SMALL = `
name: small
data: {directory: somewhere, split: parts}
network: {name: router-cnn}
`;

test('what is left out has the default of the paper', (t) => {
  const { training, data } = parseTrainingConfig(SMALL, 'small.yaml');
  t.like(training, { epochs: 40, learningRate: 0.001, halveEveryEpochs: 10 });
  t.is(training.balance, 'upsample');
  t.deepEqual(data.looks, [3, 5, 10, 30, 100]);
});

test('the command line wins over the file', (t) => {
  const { training, data } = parseTrainingConfig(SMALL, 'small.yaml', {
    seed: 7,
    epochs: 3,
    data: 'elsewhere',
  });
  t.like(training, { seed: 7, epochs: 3 });
  t.like(data, { directory: 'elsewhere', split: 'parts' });
});

const SHIPPED = join(ROOT, 'models/configs');

// Beside them lie choices for single layers: test/export/bundle.test.ts.
for (const name of readdirSync(SHIPPED).filter((name) => name.endsWith('.yaml'))) {
  test(`the shipped ${name} is a configuration of a network that can be built`, async (t) => {
    const config = await readTrainingConfig(join(SHIPPED, name));
    t.is(featureSpecOf(config).counted.kinds, config.data.packets.kinds);
    t.true(inputSpecOf(config, NORMALISER).inputs.length > 0);
  });
}

const refused = test.macro({
  exec(t, text: string, words: RegExp) {
    const fault = t.throws(() => parseTrainingConfig(text, 'a.yaml'), {
      instanceOf: ConfigError,
    });
    t.regex(fault?.message ?? '', words);
    t.regex(fault?.message ?? '', /sluice train --keys/);
  },
  title: (what) => `${what} is refused, with its place`,
});

test('an unknown key', refused, `${SMALL}training: {epochz: 3}`, /training: .*epochz/);
test('a wrong type', refused, `${SMALL}training: {epochs: many}`, /training\.epochs/);
test('a missing key', refused, 'name: x\nnetwork: {name: y}', /a\.yaml: data/);
test('a name that is a path', refused, SMALL.replace('small', '../x'), /name: letters/);
test('broken YAML', refused, 'name: [', /a\.yaml line 1/);
test('a list', refused, '- 1', /a\.yaml/);
test('nothing', refused, '', /a\.yaml/);

test('every key is listed with default and meaning', (t) => {
  const keys = configKeys().join('\n');
  t.regex(keys, /data\.directory {2}\[to be given\]/);
  t.regex(keys, /training\.learningRate {2}\[default 0\.001\]/);
  t.regex(keys, /data\.packets\.kinds/);
  const lines = configKeys();
  for (let i = 1; i < lines.length; i += 2) t.true((lines[i] ?? '').trim().length > 5);
});
