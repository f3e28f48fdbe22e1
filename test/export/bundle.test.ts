// The shipped bundle: whole, as good as its manifest says on captures that it was never trained on, and all integer.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { OnnxModel } from '../../export/onnx-model.ts';
import { decodeModel } from '../../export/proto.ts';
import { WEIGHT_LIMIT } from '../../models/int8-grid.ts';
import {
  flowsOf,
  type LabelledCapture,
  readLabData,
  splitByCapture,
} from '../../models/lab-data.ts';
import { figuresOf } from '../../models/metrics.ts';
import { loadBundle } from '../../src/bundle/load-bundle.ts';
import { Classifier } from '../../src/classify/classifier.ts';
import { ROOT } from '../helpers/sluice.ts';

const BUNDLE = join(ROOT, 'models/bundles/router-cnn');
const DATASET = join(ROOT, 'lab/dataset');
const MODEL_BYTES_MAX = 1024 * 1024;

/** Those that `models/lab-data.ts` splits off as test, read in the classifier's way. */
async function testCaptures(classifier: Classifier): Promise<readonly LabelledCapture[]> {
  const options = { spec: classifier.featureSpec, cuts: [] };
  const { captures } = await readLabData(DATASET, options);
  return splitByCapture(captures).test;
}

test.serial('the bundle loads, passes its self-test and is small', async (t) => {
  const bundle = await loadBundle(BUNDLE);
  await (await Classifier.open(bundle)).close();
  t.true(bundle.model.byteLength < MODEL_BYTES_MAX);
  t.is(bundle.manifest.model.sizeBytes, bundle.model.byteLength);
});

test.serial('the manifest’s figures are those of the test captures', async (t) => {
  const { manifest, ...bundle } = await loadBundle(BUNDLE);
  const classifier = await Classifier.open({ manifest, ...bundle });
  const captures = await testCaptures(classifier);
  const flows = flowsOf(captures);
  const predictions = await classifier.classify(flows.map((flow) => flow.features));
  await classifier.close();
  const { classes, metrics } = manifest;
  const predicted = Int32Array.from(predictions, ({ likeliest }) =>
    classes.indexOf(likeliest),
  );
  const labels = Int32Array.from(flows, ({ service }) => service);
  const { accuracy, macroF1 } = figuresOf(predicted, labels, classes);
  t.log(`accuracy ${accuracy}, macro-F1 ${macroF1}`);
  for (const { name } of captures) {
    t.true(metrics.data.includes(name));
    t.false(manifest.training.split.split(';')[0]?.includes(name), 'trained on its test');
  }
  t.is(metrics.flows, flows.length);
  // Another processor may round a probability another way: one flow may change sides.
  t.true(Math.abs(metrics.accuracy - accuracy) <= 1 / flows.length);
  t.true(Math.abs(metrics.macroF1 - macroF1) <= 8 / flows.length);
  t.true(metrics.int8Agreement >= 0.99);
});

test.serial(
  'the shipped model is all integer once onnxruntime has optimised it',
  async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-bundle-'));
    const file = join(directory, 'optimised.onnx');
    const { model } = await loadBundle(BUNDLE);
    await (await OnnxModel.open(model, { optimizedModelFile: file })).close();
    const { nodes } = decodeModel(await readFile(file));
    await rm(directory, { recursive: true });
    const count = (...ops: string[]) => nodes.filter(({ op }) => ops.includes(op)).length;
    t.is(count('Conv', 'FusedConv', 'Gemm', 'FusedGemm', 'MatMul', 'FusedMatMul'), 0);
    t.is(count('DequantizeLinear'), 0);
    t.true(count('QLinearConv') > 0 && count('QGemm') > 0);
  },
);

test.serial('no weight of the shipped model exceeds the limit', async (t) => {
  const { model } = await loadBundle(BUNDLE);
  for (const [name, { type, bytes }] of decodeModel(model).initializers) {
    if (type !== 'int8') continue;
    for (const weight of new Int8Array(bytes.buffer)) {
      if (Math.abs(weight) > WEIGHT_LIMIT) t.fail(`${name} holds ${weight}`);
    }
  }
  t.pass();
});
