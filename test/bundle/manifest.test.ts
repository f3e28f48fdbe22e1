// What a manifest says of features, and what is refused.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import {
  featureSpecOf,
  incompatibility,
  type Manifest,
  manifestSchema,
} from '../../src/bundle/manifest.ts';
import { PAPER_PACKETS } from '../../src/features/features.ts';
import { PAYLOAD_RULE } from '../../src/features/packet-rule.ts';
import { ROOT } from '../helpers/sluice.ts';

const shipped = JSON.parse(
  readFileSync(join(ROOT, 'models/bundles/router-cnn/manifest.json'), 'utf8'),
) as Manifest;

function withFeatures(own: Record<string, unknown>): Manifest {
  return manifestSchema.parse({ ...shipped, features: { ...shipped.features, ...own } });
}

test('the shipped bundle reads packets as the paper does', (t) => {
  const { counted, iat, size, seriesSteps, packets } = featureSpecOf(withFeatures({}));
  t.deepEqual({ counted, iat, size }, PAPER_PACKETS);
  t.is(packets, seriesSteps);
});

test('switches of the manifest reach the features', (t) => {
  const own = {
    counted: PAYLOAD_RULE,
    iat: 'sign-log-us',
    size: 'signed-bytes',
  } as const;
  const { counted, iat, size, seriesSteps, packets } = featureSpecOf(withFeatures(own));
  t.deepEqual({ counted, iat, size }, own);
  t.is(packets, 3 * seriesSteps);
});

test('an unknown switch is refused', (t) => {
  for (const own of [
    { iat: 'log' },
    { size: 'bytes' },
    { counted: { ...PAYLOAD_RULE, kinds: 'acks' } },
    { counted: { kinds: 'all', length: 'ip' } },
  ]) {
    t.throws(() => withFeatures(own));
  }
});

test('a manifest of feature version 1 says nothing of what counts, and is told apart', (t) => {
  const { counted: _, ...features } = shipped.features;
  const old = manifestSchema.parse({ ...shipped, features: { ...features, version: 1 } });
  t.regex(incompatibility(old) ?? '', /feature version 1, this sluice makes 2/);
});

test('a model may lack inputs, but not all of them', (t) => {
  const { series } = shipped.inputs;
  t.deepEqual(manifestSchema.parse({ ...shipped, inputs: { series } }).inputs, {
    series,
  });
  t.throws(() => manifestSchema.parse({ ...shipped, inputs: {} }), {
    message: /there are no inputs/,
  });
});
