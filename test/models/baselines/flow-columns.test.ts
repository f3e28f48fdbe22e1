import test from 'ava';
import { BASELINE_MODELS } from '../../../models/baselines/baseline-models.ts';
import {
  beside,
  matrixOf,
  sizesAndGaps,
} from '../../../models/baselines/flow-columns.ts';
import { openData } from '../../../models/data/open-data.ts';
import { figuresOf, likeliest } from '../../../models/metrics.ts';
import { labelledRows } from '../../../models/training/preparation.ts';
import { packetSourceOf } from '../../../src/dataset/row-tensors.ts';
import { PAPER_PACKETS } from '../../../src/features/features.ts';
import { PAPER_RULE } from '../../../src/features/packet-rule.ts';
import { emptyPacket } from '../../../src/flow/flow-record.ts';
import { makeDataset } from '../../helpers/made-dataset.ts';

async function flowsOf() {
  const { directory } = await makeDataset({
    classes: ['chat', 'mail', 'web'],
    flows: [80, 80, 80],
  });
  const data = await openData({ directory, split: 'parts', level: 'service' });
  return {
    train: await labelledRows(data, 'train', 64),
    test: await labelledRows(data, 'test', 64),
    classes: data.classes,
  };
}

test('columns are signed sizes and gaps of the first packets, padded behind the last', async (t) => {
  const { train } = await flowsOf();
  const short = train.filter(({ row }) => row.seen < 12);
  t.true(short.length > 0);
  const { values } = matrixOf(short, 24, sizesAndGaps(12, PAPER_RULE, -7));
  for (const [r, { row }] of short.entries()) {
    const source = packetSourceOf(row);
    const packet = emptyPacket();
    for (let i = 0; i < 12; i++) {
      const [size, gap] = [values[r * 24 + i], values[r * 24 + 12 + i]];
      if (i >= row.seen) {
        t.deepEqual([size, gap], [-7, -7]);
        continue;
      }
      source.packet(i, packet);
      t.is(size, packet.ipLength * packet.direction);
      // Gaps of 1, 2 or 3 ms by the class; none in front of the first packet.
      t.is(
        gap,
        Math.fround(i === 0 ? 0 : Math.log1p((1 + (short[r]?.label ?? 0)) * 1e3)),
      );
    }
  }
});

test('two matrices side by side keep their rows', (t) => {
  const a = { columns: 1, values: Float32Array.of(1, 2) };
  const b = { columns: 2, values: Float32Array.of(3, 4, 5, 6) };
  t.deepEqual(beside(a, b), { columns: 3, values: Float32Array.of(1, 3, 4, 2, 5, 6) });
});

test('every baseline beats chance where classes differ, and the majority does not', async (t) => {
  const flows = await flowsOf();
  const labels = Int32Array.from(flows.train, ({ label }) => label);
  const tested = Int32Array.from(flows.test, ({ label }) => label);
  const spec = {
    ...PAPER_PACKETS,
    seriesSteps: 16,
    packets: 64,
    occlusion: { shown: [] },
  };
  for (const model of BASELINE_MODELS.filter(({ peer }) => !peer)) {
    const answers = model.run({ flows, labels, packets: 10, spec, seed: 1 });
    const { accuracy } = figuresOf(likeliest(answers, 3), tested, flows.classes);
    t.log(`${model.name}: ${accuracy.toFixed(3)}`);
    if (model.name === 'majority class') t.true(Math.abs(accuracy - 1 / 3) < 0.01);
    else t.true(accuracy > 0.6, model.name);
  }
});
