// C4.5 as ONNX: what the tree says of rows that have all values, and which way the others go.

import test from 'ava';
import { OnnxModel } from '../../export/onnx-model.ts';
import { writeTree } from '../../export/write-tree.ts';
import { c45Probabilities, c45Size, growC45 } from '../../models/baselines/c45.ts';
import { tableOf } from '../../models/baselines/table.ts';
import { seededRandom } from '../../models/random.ts';
import { treeOfC45 } from '../../models/tree/c45-tree.ts';
import { closeTo } from './differences.ts';

const CLASSES = ['chat', 'mail', 'web'];
const COLUMNS = 5;

/** Classes are bands of the sum of two columns, with noise; one value in ten is missing where `gaps`. */
function madeRows(seed: number, gaps: boolean) {
  const random = seededRandom(seed);
  const rows = Array.from({ length: 400 }, () =>
    Float32Array.from({ length: COLUMNS }, random),
  );
  const labels = Int32Array.from(rows, ([a = 0, b = 0]) =>
    random() < 0.1 ? Math.floor(3 * random()) : Math.min(2, Math.floor(1.5 * (a + b))),
  );
  if (gaps) {
    for (const row of rows) {
      for (const d of row.keys()) if (random() < 0.1) row[d] = Number.NaN;
    }
  }
  return { rows, labels };
}

async function byOnnx(
  root: ReturnType<typeof growC45>,
  rows: readonly Float32Array[],
): Promise<Float32Array> {
  const tree = treeOfC45(root, { columns: COLUMNS, classes: CLASSES });
  const names = { name: 'c45', input: 'statistics', output: 'probabilities' };
  const model = await OnnxModel.open(writeTree([tree], names));
  const statistics = Float32Array.from(rows.flatMap((row) => [...row]));
  const { probabilities } = await model.run({ statistics }, rows.length);
  await model.close();
  return probabilities ?? new Float32Array();
}

test.serial(
  'ONNX says what C4.5 says, pruned or not, learnt with gaps or without',
  async (t) => {
    const asked = madeRows(2, false).rows;
    const matrix = asked.flatMap((row) => [...row]);
    for (const gaps of [false, true]) {
      for (const confidence of [0.25, undefined]) {
        const { rows, labels } = madeRows(1, gaps);
        const root = growC45(tableOf(rows, labels, CLASSES.length), { confidence });
        t.true(c45Size(root) > 5);
        const want = c45Probabilities(root, matrix, COLUMNS);
        closeTo(t, await byOnnx(root, asked), want, 1e-6);
      }
    }
  },
);

test.serial('a row without a value goes the way of most training rows', async (t) => {
  const leaf = (...counts: number[]) => ({ counts: Float64Array.from(counts) });
  const node = (leftShare: number) => ({
    counts: Float64Array.of(6, 3, 1),
    split: { column: 1, threshold: 0.5, leftShare },
    left: leaf(3, 0, 1),
    right: leaf(0, 3, 0),
  });
  const unknown = [new Float32Array(COLUMNS).fill(Number.NaN)];
  closeTo(t, await byOnnx(node(0.7), unknown), [0.75, 0, 0.25], 1e-6);
  closeTo(t, await byOnnx(node(0.3), unknown), [0, 1, 0], 1e-6);
});
