// Channels made alike in size: the same answers in float32, better ones in int8.

import test from 'ava';
import { calibrate, type Sample } from '../../export/calibrate.ts';
import { equalised } from '../../export/equalise.ts';
import { type Network, outputOf } from '../../export/network.ts';
import { OnnxModel } from '../../export/onnx-model.ts';
import { readNetwork } from '../../export/read-network.ts';
import { writeFp32 } from '../../export/write-fp32.ts';
import { writeInt8 } from '../../export/write-int8.ts';
import { chooseBackend } from '../../models/backend.ts';
import { networkNamed } from '../../models/networks/networks.ts';
import { seededRandom } from '../../models/random.ts';

const FLOWS = 32;
const STEPS = 16;
const SHAPE = { seriesSteps: STEPS, statistics: 4, classes: 3, seed: 3 };

function build(entries: readonly string[]): Network {
  const options = {
    inputs: ['series'],
    series: { groups: [[[16, 3, 1]]], pool: 2, dense: 8 },
    head: [8],
    sizes: { entries },
  };
  return readNetwork(networkNamed('flow-cnn').build(SHAPE, options));
}

/** Times of up to 9 as sign-log-ms writes them, sizes in bytes, directions. */
function sampleOf(): Sample {
  const random = seededRandom(8);
  const series = new Float32Array(FLOWS * STEPS * 3);
  for (let at = 0; at < series.length; at += 3) {
    const direction = random() < 0.5 ? 1 : -1;
    series.set([9 * random(), direction * Math.floor(1460 * random()), direction], at);
  }
  return { inputs: { series }, count: FLOWS };
}

async function answers(file: Uint8Array, network: Network): Promise<Float32Array> {
  const model = await OnnxModel.open(file);
  const outputs = await model.run(sampleOf().inputs, FLOWS);
  await model.close();
  return outputs[outputOf(network).name] ?? new Float32Array(0);
}

function meanDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? NaN)), 0) / a.length;
}

for (const entries of [['embedded'], ['scaled', 'embedded', 'soft-bins']]) {
  test.serial(
    `${entries.join(', ')}: the same in float32, nearer to it in int8`,
    async (t) => {
      await chooseBackend('wasm');
      const [network, sample] = [build(entries), sampleOf()];
      const even = await equalised(network, sample);
      const wanted = await answers(writeFp32(network), network);
      t.true(meanDifference(wanted, await answers(writeFp32(even), even)) < 1e-6);
      const off = async (of: Network) =>
        meanDifference(
          wanted,
          await answers(writeInt8(of, await calibrate(of, sample)), of),
        );
      const [before, after] = [await off(network), await off(even)];
      t.log(`mean difference of a probability: ${before} before, ${after} after`);
      // Weights here are drawn. Of trained ones the tables are smaller, and more is gained.
      t.true(after < before);
    },
  );
}
