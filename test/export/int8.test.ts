// fp32 against int8, on a network trained for some seconds on flows that never were; test/export/bundle.test.ts does the
// same on the lab's flows and the shipped bundle.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { calibrate } from '../../export/calibrate.ts';
import { weightedSteps } from '../../export/layer-report.ts';
import type { Network } from '../../export/network.ts';
import { type Inputs, OnnxModel, rowsOf, runAll } from '../../export/onnx-model.ts';
import { decodeModel } from '../../export/proto.ts';
import { readNetwork } from '../../export/read-network.ts';
import { writeFp32 } from '../../export/write-fp32.ts';
import { writeInt8 } from '../../export/write-int8.ts';
import { chooseBackend } from '../../models/backend.ts';
import { WEIGHT_LIMIT } from '../../models/int8-grid.ts';
import { SERVICES } from '../../models/labels.ts';
import { agreement, likeliest } from '../../models/metrics.ts';
import { TENSORS } from '../../models/networks/network.ts';
import { networkNamed } from '../../models/networks/networks.ts';
import { predict } from '../../models/predict.ts';
import { ROUTER_SERIES_STEPS } from '../../src/features/shapes.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { type SyntheticShape, syntheticSamples } from '../models/synthetic.ts';
import { trainOnSamples } from '../models/train-on-samples.ts';
import { closeTo } from './differences.ts';

const CLASSES = SERVICES.length;
const SHAPE: SyntheticShape = {
  count: 512,
  classes: CLASSES,
  seriesSteps: ROUTER_SERIES_STEPS,
  statistics: STATISTICS.length,
};
const trainSamples = syntheticSamples(1, SHAPE);
const testSamples = syntheticSamples(2, SHAPE);

let network: Network;
let int8: Uint8Array;

test.before(async (t) => {
  t.timeout(600_000);
  await chooseBackend('wasm');
  const model = networkNamed('router-cnn').build({ ...SHAPE, seed: 1 });
  trainOnSamples(model, trainSamples, SERVICES);
  network = readNetwork(model);
  const ranges = await calibrate(network, trainSamples);
  int8 = writeInt8(network, ranges);
  const tfjs = likeliest(predict({ kind: 'network', model }, testSamples), CLASSES);
  t.log(`accuracy ${agreement(tfjs, testSamples.labels)}`);
});

async function probabilitiesOf(
  model: Uint8Array,
  inputs: Inputs,
  flows: number,
): Promise<Float32Array> {
  const onnx = await OnnxModel.open(model);
  const probabilities = await runAll(onnx, inputs, flows, TENSORS.probabilities);
  await onnx.close();
  return probabilities;
}

test.serial('int8 decides as fp32 does on flows it was not calibrated on', async (t) => {
  const { inputs, count } = testSamples;
  const fp32 = await probabilitiesOf(writeFp32(network), inputs, count);
  const got = await probabilitiesOf(int8, inputs, count);
  const share = agreement(likeliest(fp32, CLASSES), likeliest(got, CLASSES));
  t.log(`agreement ${(100 * share).toFixed(2)}%`);
  // A fifth of these flows fp32 itself gets wrong: noise decides them, and rounding may.
  t.true(share >= 0.98);
});

test.serial('the optimised int8 graph holds no float Conv or Gemm', async (t) => {
  const directory = temporaryFolder('int8');
  const file = join(directory, 'optimised.onnx');
  const onnx = await OnnxModel.open(int8, { optimizedModelFile: file });
  await onnx.close();
  const { nodes } = decodeModel(await readFile(file));
  const count = (op: string) => nodes.filter((node) => node.op === op).length;
  t.log(nodes.map((node) => node.op).join(' '));
  for (const op of ['Conv', 'FusedConv', 'Gemm', 'FusedGemm', 'MatMul', 'FusedMatMul']) {
    t.is(count(op), 0, op);
  }
  t.is(count('DequantizeLinear'), 0, 'every value stays in 8 bits up to the logits');
  const kinds = network.steps.map((step) => step.kind);
  t.is(count('QLinearConv'), kinds.filter((kind) => kind === 'convolve').length);
  t.is(count('QGemm'), kinds.filter((kind) => kind === 'dense').length);
});

test.serial(
  'with all layers in float nothing is rounded on the way between them',
  async (t) => {
    const { inputs, count } = testSamples;
    const float = new Set(weightedSteps(network).map(({ name }) => name));
    const ranges = await calibrate(network, trainSamples);
    const got = await probabilitiesOf(
      writeInt8(network, ranges, { float }),
      inputs,
      count,
    );
    closeTo(t, got, await probabilitiesOf(writeFp32(network), inputs, count), 1e-5);
  },
);

test.serial('every int8 weight lies within the limit that AVX2 wants', (t) => {
  let largest = 0;
  for (const { type, bytes } of decodeModel(int8).initializers.values()) {
    if (type !== 'int8') continue;
    for (const weight of new Int8Array(bytes.buffer)) {
      largest = Math.max(largest, Math.abs(weight));
    }
  }
  t.is(largest, WEIGHT_LIMIT);
});

test.serial('the largest inputs do not saturate', async (t) => {
  // All bytes 255: the sums of the first convolution are as large as they get (DESIGN 7).
  const flows = 4;
  const inputs = {
    ...rowsOf(testSamples.inputs, testSamples.count, 0, flows),
    [TENSORS.handshakeBytes]: new Uint8Array(
      rowsOf(testSamples.inputs, testSamples.count, 0, flows)[TENSORS.handshakeBytes]
        ?.length ?? 0,
    ).fill(255),
  };
  const want = await probabilitiesOf(writeFp32(network), inputs, flows);
  const got = await probabilitiesOf(int8, inputs, flows);
  // Far outside of what was calibrated, ranges clip; saturated sums would turn the answer round.
  closeTo(t, got, want, 0.15);
});

test.serial('the same weights and sample give the same bytes', async (t) => {
  const { inputs, count } = trainSamples;
  const again = writeInt8(network, await calibrate(network, { inputs, count }));
  t.deepEqual(again, int8);
  t.deepEqual(writeFp32(network), writeFp32(network));
});
