// The shipped bundle: whole, as good as its manifest says on captures that it was never trained on, and all integer.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { OnnxModel } from '../../export/onnx-model.ts';
import { decodeModel } from '../../export/proto.ts';
import { parseLayers } from '../../export/quantization.ts';
import { classOf, openData, rowsOf } from '../../models/data/open-data.ts';
import { WEIGHT_LIMIT } from '../../models/int8-grid.ts';
import { figuresOf } from '../../models/metrics.ts';
import { loadBundle } from '../../src/bundle/load-bundle.ts';
import { Classifier } from '../../src/classify/classifier.ts';
import { featuresOfRow } from '../../src/dataset/row-tensors.ts';
import type { Features } from '../../src/features/features.ts';
import { ROOT } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const BUNDLE = join(ROOT, 'models/bundles/router-cnn');
const DATASET = join(ROOT, 'lab/flows');
const MODEL_BYTES_MAX = 1024 * 1024;

/** The flows of the split's test part, read in the classifier's way, and their classes. */
async function testFlows({ featureSpec, manifest: { classes } }: Classifier) {
  const data = await openData({
    directory: DATASET,
    split: 'capture',
    level: 'service',
    classes,
  });
  const features: Features[] = [];
  const labels: number[] = [];
  for await (const row of rowsOf(data, 'test', featureSpec.packets)) {
    features.push(featuresOfRow(row, featureSpec));
    labels.push(classOf(row, 'service', classes));
  }
  return { features, labels: Int32Array.from(labels) };
}

test.serial('the bundle loads, passes its self-test and is small', async (t) => {
  const bundle = await loadBundle(BUNDLE);
  await (await Classifier.open(bundle)).close();
  t.true(bundle.model.byteLength < MODEL_BYTES_MAX);
  t.is(bundle.manifest.model.sizeBytes, bundle.model.byteLength);
});

test.serial('the manifest’s figures are those of the test flows', async (t) => {
  const { manifest, ...bundle } = await loadBundle(BUNDLE);
  const classifier = await Classifier.open({ manifest, ...bundle });
  const { features, labels } = await testFlows(classifier);
  const predictions = await classifier.classify(features);
  await classifier.close();
  const { classes, metrics } = manifest;
  const predicted = Int32Array.from(predictions, ({ likeliest }) =>
    classes.indexOf(likeliest),
  );
  const { accuracy, macroF1 } = figuresOf(predicted, labels, classes);
  t.log(`accuracy ${accuracy}, macro-F1 ${macroF1}`);
  t.is(metrics.flows, labels.length);
  // Another processor may round a probability another way: one flow may change sides.
  t.true(Math.abs(metrics.accuracy - accuracy) <= 1 / labels.length);
  t.true(Math.abs(metrics.macroF1 - macroF1) <= 8 / labels.length);
  t.true(metrics.int8Agreement >= 0.99);
});

test.serial(
  'once onnxruntime has optimised it, only those layers are float that its report names',
  async (t) => {
    const directory = temporaryFolder('bundle');
    const file = join(directory, 'optimised.onnx');
    const { model } = await loadBundle(BUNDLE);
    await (await OnnxModel.open(model, { optimizedModelFile: file })).close();
    const { nodes } = decodeModel(await readFile(file));
    const report = JSON.parse(await readFile(join(BUNDLE, 'quantization.json'), 'utf8'));
    const left = (report.layers as { precision: string }[]).filter(
      ({ precision }) => precision === 'float',
    ).length;
    const count = (...ops: string[]) => nodes.filter(({ op }) => ops.includes(op)).length;
    t.log(`${left} of ${report.layers.length} layers are float`);
    t.is(count('Conv', 'FusedConv', 'Gemm', 'FusedGemm', 'MatMul', 'FusedMatMul'), left);
    t.is(count('QLinearConv', 'QGemm'), report.layers.length - left);
  },
);

test('the report holds which layers were asked for, as --layers reads them', async (t) => {
  const report = JSON.parse(await readFile(join(BUNDLE, 'quantization.json'), 'utf8'));
  const text = await readFile(
    join(ROOT, 'models/configs/router-cnn.layers.json'),
    'utf8',
  );
  const asked = parseLayers(JSON.stringify(report.asked), 'asked');
  t.deepEqual(asked, parseLayers(text, 'layers'));
  t.regex(
    await readFile(join(BUNDLE, 'card.md'), 'utf8'),
    /by name .*: series_conv2 int8,/,
  );
});

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
