// Weights rounded together: nearer to the layer's float outputs than each to its nearest whole number.

import test from 'ava';
import type { Sample } from '../../export/calibrate.ts';
import type { Network, Step } from '../../export/network.ts';
import { OnnxModel } from '../../export/onnx-model.ts';
import { quantizeWeights } from '../../export/quantize.ts';
import { readNetwork } from '../../export/read-network.ts';
import { type Rounding, roundWeights } from '../../export/round-weights.ts';
import { writeFp32 } from '../../export/write-fp32.ts';
import { chooseBackend, tf } from '../../models/backend.ts';
import { WEIGHT_LIMIT } from '../../models/int8-grid.ts';
import { seededNumbers } from '../models/numbers.ts';
import { chain } from './layers.ts';

const FLOWS = 256;
const [STEPS, CHANNELS] = [12, 4];

let network: Network;
let sample: Sample;

/** Channels that go together, as those of trained networks do: each is a mixture of two, and a little of its own. */
test.before(async () => {
  await chooseBackend('wasm');
  const input = tf.input({ name: 'x', shape: [STEPS, CHANNELS] });
  const relu = { activation: 'relu', padding: 'same' } as const;
  const model = tf.model({
    name: 'small',
    inputs: input,
    outputs: chain(
      tf.layers.conv1d({ filters: 16, kernelSize: 3, name: 'first', ...relu }),
      tf.layers.conv1d({
        filters: 16,
        kernelSize: 3,
        strides: 2,
        name: 'second',
        ...relu,
      }),
      tf.layers.flatten({ name: 'flat' }),
      tf.layers.dense({ units: 3, name: 'last', activation: 'softmax' }),
    )(input),
  });
  model.setWeights(
    model.getWeights().map((w, i) => tf.tensor(seededNumbers(40 + i, w.size), w.shape)),
  );
  network = readNetwork(model);
  const [mixed, own] = [
    seededNumbers(1, FLOWS * STEPS),
    seededNumbers(2, FLOWS * STEPS * CHANNELS),
  ];
  const x = own.map((value, i) => {
    const at = Math.floor(i / CHANNELS);
    const share = (i % CHANNELS) / CHANNELS;
    return share * (mixed[at] ?? 0) + (1 - share) * (mixed[at + 1] ?? 0) + 0.1 * value;
  });
  sample = { inputs: { x }, count: FLOWS };
});

/** The network with one layer's weights as int8 has them. */
function withInt8(name: string, rounding?: Rounding): Network {
  const steps = network.steps.map((step): Step => {
    if (step.name !== name || (step.kind !== 'convolve' && step.kind !== 'dense'))
      return step;
    const { kind, weights, bias } = step;
    const perChannel = weights.length / bias.length;
    const channelOf = (i: number) =>
      kind === 'dense' ? i % bias.length : Math.floor(i / perChannel);
    const rounded = rounding?.get(name);
    const q = quantizeWeights(weights, bias, 1e-6, channelOf, rounded);
    return {
      ...step,
      weights: Float32Array.from(q.weights, (w, i) => w * (q.scales[channelOf(i)] ?? 0)),
      bias: rounded?.bias ?? bias,
    };
  });
  return { ...network, steps };
}

/** Mean square of the differences of a layer's values, on flows that rounded nothing. */
async function errorOf(changed: Network, name: string): Promise<number> {
  const { inputs } = sample;
  const held = { x: (inputs.x as Float32Array).map((v, i) => v + 0.02 * Math.sin(i)) };
  const seen = async (of: Network) => {
    const model = await OnnxModel.open(writeFp32(of, [name]));
    const outputs = await model.run(held, FLOWS);
    await model.close();
    return outputs[name] ?? new Float32Array(0);
  };
  const [wanted, got] = [await seen(network), await seen(changed)];
  return (
    wanted.reduce((sum, v, i) => sum + (v - (got[i] ?? NaN)) ** 2, 0) / wanted.length
  );
}

for (const name of ['first', 'second', 'last_logits']) {
  test.serial(`${name}: nearer than the nearest whole numbers`, async (t) => {
    const rounding = await roundWeights(network, sample);
    const nearest = await errorOf(withInt8(name), name);
    const together = await errorOf(withInt8(name, rounding), name);
    t.log(
      `mean square error ${nearest.toExponential(2)}, then ${together.toExponential(2)}`,
    );
    t.true(together < 0.8 * nearest);
    for (const { weights } of rounding.values()) {
      t.true(weights.every((weight) => Math.abs(weight) <= WEIGHT_LIMIT));
    }
  });
}

test.serial('inputs that are always zero leave weights and bias finite', async (t) => {
  const zeros = {
    inputs: { x: new Float32Array(FLOWS * STEPS * CHANNELS) },
    count: FLOWS,
  };
  for (const { weights, bias } of (await roundWeights(network, zeros)).values()) {
    t.true(weights.every(Number.isFinite) && bias.every(Number.isFinite));
  }
});

test.serial('weights that int8 can write stay what they are', async (t) => {
  const first = network.steps.find(({ name }) => name === 'first');
  if (first?.kind !== 'convolve') return t.fail();
  const rounding = await roundWeights(network, sample);
  const exact = withInt8('first', rounding);
  const again = (await roundWeights(exact, sample)).get('first');
  t.deepEqual(again?.weights, rounding.get('first')?.weights);
});
