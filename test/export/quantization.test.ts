// What int8 costs, layer by layer; the layer that costs too much left in float; the checks that stop an export.

import test from 'ava';
import { calibrate, type Sample } from '../../export/calibrate.ts';
import {
  type Checked,
  failedChecks,
  floatKernels,
  limitsOf,
  limitsOnValidation,
} from '../../export/checks.ts';
import { GraphBuilder } from '../../export/graph.ts';
import { layerSpeeds } from '../../export/layer-speed.ts';
import { type Network, outputOf } from '../../export/network.ts';
import { OnnxModel, runAll } from '../../export/onnx-model.ts';
import {
  type Judgement,
  parseLayers,
  type QuantizationOptions,
  type Quantized,
  quantize,
} from '../../export/quantization.ts';
import { readNetwork } from '../../export/read-network.ts';
import { measureSpeed } from '../../export/speed.ts';
import { writeFp32 } from '../../export/write-fp32.ts';
import { writeInt8 } from '../../export/write-int8.ts';
import { chooseBackend, tf } from '../../models/backend.ts';
import { agreement, likeliest } from '../../models/metrics.ts';
import { InputError } from '../../src/errors.ts';
import { seededNumbers } from '../models/numbers.ts';
import { chain } from './layers.ts';

const FLOWS = 512;
const CLASSES = 4;
const WIDTH = 64;
const SQUARED = { kind: 'squared-error' } as const;

let network: Network;
let sample: Sample;

/** Dense layers, of which int8 ruins "spoilt": a weight that meets only zeros takes each channel all its resolution. */
test.before(async () => {
  await chooseBackend('wasm');
  const input = tf.input({ name: 'x', shape: [WIDTH] });
  const relu = { activation: 'relu', useBias: true } as const;
  const model = tf.model({
    name: 'small',
    inputs: input,
    outputs: chain(
      tf.layers.dense({ units: 32, name: 'first', ...relu }),
      tf.layers.dense({ units: 32, name: 'spoilt', ...relu }),
      tf.layers.dense({ units: CLASSES, name: 'last', activation: 'softmax' }),
    )(input),
  });
  model.setWeights(
    model.getWeights().map((weight, i) => {
      const values = seededNumbers(20 + i, weight.size);
      // Unit 0 of "first" is never above 0; "spoilt" reads it with weights a million times those of the others.
      if (i === 0)
        values.forEach((v, at) => {
          values[at] = at % 32 === 0 ? -1 - v : v / 4;
        });
      if (i === 1) values[0] = -50;
      if (i === 2) for (let o = 0; o < 32; o++) values[o] = 2e5;
      return tf.tensor(values, weight.shape);
    }),
  );
  network = readNetwork(model);
  sample = { inputs: { x: seededNumbers(1, FLOWS * WIDTH) }, count: FLOWS };
});

async function chosenBy(file: Uint8Array): Promise<Int32Array> {
  const model = await OnnxModel.open(file);
  const { name } = outputOf(network);
  const probabilities = await runAll(model, sample.inputs, FLOWS, name);
  await model.close();
  return likeliest(probabilities, CLASSES);
}

async function quantized(layers: QuantizationOptions['layers'] = {}): Promise<Quantized> {
  const wanted = await chosenBy(writeFp32(network));
  const judge = async (int8: Uint8Array): Promise<Judgement> => {
    const share = agreement(wanted, await chosenBy(int8));
    return {
      agreement: share,
      accuracyLoss: 1 - share,
      shift: 1 - share,
      enough: share >= 0.93,
    };
  };
  return quantize(network, {
    sample,
    options: { ranges: [SQUARED], layers },
    judge,
  });
}

test.serial(
  'the layer that int8 ruins is found, left in float, and no other one',
  async (t) => {
    const { first, fallbacks, layers, int8 } = await quantized();
    t.log(
      `agreement ${first.agreement}, then ${fallbacks.map((f) => f.agreement).join(', ')}`,
    );
    t.true(first.agreement < 0.9);
    t.deepEqual(
      fallbacks.map(({ layer }) => layer),
      ['spoilt'],
    );
    t.true((fallbacks[0]?.agreement ?? 0) > 0.93);
    const kinds = layers.map(({ name, precision }) => `${name} ${precision}`);
    t.deepEqual(kinds, ['first int8', 'spoilt float', 'last_logits int8']);
    t.deepEqual((await floatKernels(int8)).length, 1);
  },
);

test.serial(
  'small layers are tried in float before large ones, up to a share',
  async (t) => {
    let shift = 1;
    const { fallbacks } = await quantize(network, {
      sample,
      options: { ranges: [SQUARED], layers: {} },
      // Never enough, and every layer helps.
      judge: async () => {
        shift /= 2;
        return { agreement: 0.5, accuracyLoss: 0, shift, enough: false };
      },
    });
    // 4%, 31% and 62% of the multiplications; "spoilt" is what int8 costs most in.
    t.deepEqual(
      fallbacks.map(({ layer }) => layer),
      ['last_logits', 'spoilt'],
    );
  },
);

test.serial(
  'of several ways of finding ranges the one is taken that moves answers least',
  async (t) => {
    const shifts = [0.3, 0.1, 0.2];
    const judged: number[] = [];
    const { range } = await quantize(network, {
      sample,
      options: {
        ranges: [SQUARED, { kind: 'largest' }, { kind: 'percentile', percent: 99 }],
        layers: {},
      },
      judge: async () => {
        const shift = shifts[judged.length] ?? 0.1;
        judged.push(shift);
        return { agreement: 1, accuracyLoss: 0, shift, enough: true };
      },
    });
    t.deepEqual(range, { kind: 'largest' });
    t.deepEqual(judged.slice(0, 3), shifts);
  },
);

test.serial('who asks for int8 by name gets it, and float too', async (t) => {
  const asked = await quantized({ spoilt: { precision: 'int8' } });
  t.is(asked.layers.find(({ name }) => name === 'spoilt')?.precision, 'int8');
  t.deepEqual(asked.fallbacks, [], 'the others do not help');
  const chosen = await quantized({ spoilt: { precision: 'float' } });
  t.deepEqual(chosen.fallbacks, []);
});

test.serial('the report says of each layer what it costs', async (t) => {
  const { layers } = await quantized({
    spoilt: { precision: 'int8' },
    first: { precision: 'int8' },
    last_logits: { precision: 'int8' },
  });
  const [first, spoilt, last] = layers;
  t.is(first?.parameters, WIDTH * 32 + 32);
  t.is(first?.fp32Bytes, 4 * (WIDTH * 32 + 32));
  for (const layer of [first, spoilt]) {
    t.true((layer?.int8Bytes ?? 0) < (layer?.fp32Bytes ?? 0) / 2);
  }
  t.true((spoilt?.shift ?? 0) > 5 * Math.max(first?.shift ?? 1, last?.shift ?? 1));
  t.true((first?.error ?? 1) < 0.05 && (spoilt?.error ?? 0) > 0.2);
  for (const { clipped } of layers) t.true(clipped >= 0 && clipped < 0.05);
});

test.serial('the same sample and options give the same bytes', async (t) => {
  const [a, b] = [await quantized(), await quantized()];
  t.deepEqual(a.int8, b.int8);
  t.deepEqual(a.layers, b.layers);
});

test.serial(
  'a layer that there is not is refused with those that there are',
  async (t) => {
    await t.throwsAsync(quantized({ other: { precision: 'float' } }), {
      instanceOf: InputError,
      message: /no layer "other", its layers are first, spoilt, last_logits/,
    });
  },
);

test('choices for layers are read strictly', (t) => {
  t.deepEqual(parseLayers('{"a":{"precision":"float","range":"percentile:99"}}', 'f'), {
    a: { precision: 'float', range: { kind: 'percentile', percent: 99 } },
  });
  for (const text of [
    '',
    '[]',
    '{"a":1}',
    '{"a":{"precision":"int4"}}',
    '{"a":{"x":1}}',
    '{"a":{"range":"?"}}',
  ]) {
    const fault = t.throws(() => parseLayers(text, 'f'), { instanceOf: InputError });
    t.false(fault?.message.includes('\n'));
  }
});

test.serial('each way of finding ranges gives a model that works', async (t) => {
  const wanted = await chosenBy(writeFp32(network));
  const float = new Set(['spoilt']);
  for (const method of [
    SQUARED,
    { kind: 'largest' },
    { kind: 'percentile', percent: 99.9 },
  ] as const) {
    const int8 = writeInt8(network, await calibrate(network, sample, { method }), {
      float,
    });
    const share = agreement(wanted, await chosenBy(int8));
    t.log(`${method.kind}: ${share}`);
    t.true(share > 0.9);
  }
});

async function sound(): Promise<Checked> {
  const ranges = await calibrate(network, sample);
  const int8 = writeInt8(network, ranges, { float: new Set(['spoilt']) });
  const limits = limitsOf(network);
  return {
    parity: 1e-7,
    agreement: 1,
    accuracyLoss: 0,
    limits,
    floatLayers: ['spoilt'],
    served: int8,
  };
}

test.serial('a sound model fails no check, and each fault is told', async (t) => {
  const good = await sound();
  t.deepEqual(await failedChecks(good), []);
  const heavy = new GraphBuilder('heavy');
  heavy.input('x', 'float32', ['B', 2]);
  heavy.node('DequantizeLinear', 'weights', [
    heavy.int8s('a_weights_q', [2, 2], Int8Array.of(1, -65, 3, 4)),
    heavy.float('a_scale', 1),
  ]);
  heavy.node('MatMul', 'y', ['x', 'weights']);
  heavy.output('y', ['B', 2]);
  for (const [change, message] of [
    [{ parity: 2e-5 }, /differs from the trained model by 0\.00002/],
    [{ parity: Number.NaN }, /differs from the trained model by NaN/],
    [{ agreement: 0.9899 }, /98\.99% of the test flows, at least 99\.00%/],
    [{ accuracyLoss: 0.006 }, /0\.60% fewer/],
    [{ floatLayers: [] }, /computes 1 layers in float/],
    [{ served: heavy.encode() }, /weights of "a_weights_q" go beyond ±64/],
  ] as const) {
    const failed = await failedChecks({ ...good, ...change });
    t.is(failed.length, 1, `${message}: ${failed.join()}`);
    t.regex(failed[0] ?? '', message);
  }
});

test('an LSTM may agree a little less', (t) => {
  const steps = [{ kind: 'lstm' }] as unknown as Network['steps'];
  t.is(limitsOf({ name: 'a', steps }).agreement, 0.98);
});

test.serial('two models are timed by turns', async (t) => {
  const { served: int8 } = await sound();
  const speeds = await measureSpeed({ fp32: writeFp32(network), int8 }, sample);
  t.deepEqual(
    speeds.map(({ batch }) => batch),
    [1, 8, 32],
  );
  for (const { fp32Us, int8Us, ratio } of speeds)
    t.true(fp32Us > 0 && int8Us > 0 && ratio > 0);
});

test.serial('what each layer takes is told by its name', async (t) => {
  const int8 = writeInt8(network, await calibrate(network, sample));
  const speeds = await layerSpeeds(network, { fp32: writeFp32(network), int8 }, sample);
  for (const name of ['first', 'spoilt', 'last']) {
    // Of the last one the softmax bears the name, and its own product one that begins with it.
    const own = speeds.filter(({ layer }) => layer.startsWith(name));
    t.true(
      own.some(({ fp32Us, int8Us }) => (fp32Us ?? 0) > 0 && (int8Us ?? 0) > 0),
      JSON.stringify(speeds),
    );
  }
});

test('on validation int8 has to agree by a margin, the larger the fewer flows there are', (t) => {
  const limits = { agreement: 0.98, accuracyLoss: 0.005 };
  const at = (flows: number) => limitsOnValidation(limits, flows).agreement;
  // 2 · sqrt(0.98 · 0.02 / 10,000)
  t.true(Math.abs(at(10_000) - 0.9828) < 1e-6);
  t.true(Math.abs(at(1000) - 0.988854) < 1e-6);
  t.is(at(10), 0.99);
  t.is(at(0), 0.99);
  t.is(limitsOnValidation(limits, 100).accuracyLoss, 0.005);
});
