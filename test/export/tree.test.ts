// Decision trees: as ONNX they say what a walk from the root says.

import test from 'ava';
import fc from 'fast-check';
import { OnnxModel } from '../../export/onnx-model.ts';
import { writeTree } from '../../export/write-tree.ts';
import {
  type DecisionTree,
  probabilitiesByTree,
  type TreeNode,
} from '../../models/tree/decision-tree.ts';
import { closeTo } from './differences.ts';

const NAMES = { name: 'c45', input: 'statistics', output: 'probabilities' };
const leaf = (...probabilities: number[]): TreeNode => ({ kind: 'leaf', probabilities });
const split = (
  feature: number,
  threshold: number,
  [atMost, above]: readonly [TreeNode, TreeNode],
  missing: 'atMost' | 'above' = 'atMost',
): TreeNode => ({ kind: 'split', feature, threshold, atMost, above, missing });

async function byOnnx(
  trees: readonly DecisionTree[],
  rows: readonly (readonly number[])[],
): Promise<Float32Array> {
  const model = await OnnxModel.open(writeTree(trees, NAMES));
  const inputs = { statistics: Float32Array.from(rows.flat()) };
  const { probabilities = new Float32Array(0) } = await model.run(inputs, rows.length);
  await model.close();
  return probabilities;
}

/** Small packets that come quickly are chat, large ones video; else web. NaN: no second packet. */
const HAND_MADE: DecisionTree = {
  features: 2,
  classes: ['chat', 'video', 'web'],
  root: split(0, 300, [
    split(1, 0.125, [leaf(0.9, 0, 0.1), leaf(0.25, 0.25, 0.5)], 'above'),
    split(0, 1200.5, [leaf(0, 0.2, 0.8), leaf(0, 1, 0)]),
  ]),
};

test.serial('a tree made by hand', async (t) => {
  const rows = [
    [100, 0.05],
    [300, 0.125],
    [300, 0.13],
    [100, Number.NaN],
    [301, 0],
    [1200.5, 0],
    [1201, 0],
    [Number.NaN, 0.05],
  ];
  closeTo(
    t,
    await byOnnx([HAND_MADE], rows),
    [
      [0.9, 0, 0.1],
      [0.9, 0, 0.1],
      [0.25, 0.25, 0.5],
      [0.25, 0.25, 0.5],
      [0, 0.2, 0.8],
      [0, 0.2, 0.8],
      [0, 1, 0],
      [0.9, 0, 0.1],
    ].flat(),
    1e-6,
  );
});

test.serial('a tree that is a single leaf, and one of two classes', async (t) => {
  const only = { features: 1, classes: ['a', 'b'], root: leaf(0.25, 0.75) };
  closeTo(t, await byOnnx([only], [[1], [2]]), [0.25, 0.75, 0.25, 0.75], 1e-6);
  const two = { ...only, root: split(0, 1, [leaf(1, 0), leaf(0, 1)]) };
  closeTo(t, await byOnnx([two], [[1], [2]]), [1, 0, 0, 1], 1e-6);
});

test.serial('a threshold that float32 has not decides as the double does', async (t) => {
  for (const threshold of [0.1, -0.1, 16_777_217, 1e-46, -1e-46, 0.3, -0.7]) {
    const root = split(0, threshold, [leaf(1, 0), leaf(0, 1)]);
    const tree = { features: 1, classes: ['a', 'b'], root };
    const near = Math.fround(threshold);
    const step = Math.max(Math.abs(near) * 2 ** -23, 2 ** -149);
    const rows = [near - step, near, near + step].map((value) => [Math.fround(value)]);
    const want = rows.flatMap((row) => probabilitiesByTree(tree, row));
    t.deepEqual([...(await byOnnx([tree], rows))], want, String(threshold));
  }
});

test.serial('a tree as deep as a list', async (t) => {
  let root = leaf(0, 1);
  for (let depth = 2000; depth > 0; depth--) root = split(0, depth, [leaf(1, 0), root]);
  const tree = { features: 1, classes: ['a', 'b'], root };
  closeTo(t, await byOnnx([tree], [[0.5], [1999.5], [3000]]), [1, 0, 1, 0, 0, 1], 1e-6);
});

const { node } = fc.letrec<{ node: TreeNode }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 })
      .map((counts) => leaf(...counts.map((c) => c / counts.reduce((a, b) => a + b)))),
    fc.record({
      kind: fc.constant('split' as const),
      feature: fc.nat(3),
      threshold: fc.double({ min: -2, max: 2, noNaN: true }),
      atMost: tie('node'),
      above: tie('node'),
      missing: fc.constantFrom('atMost' as const, 'above' as const),
    }),
  ),
}));

test.serial('whatever the trees, ONNX averages what walks say', async (t) => {
  t.timeout(120_000);
  const value = fc.oneof(
    fc.float({ min: -2, max: 2, noNaN: true }),
    fc.constant(Number.NaN),
  );
  const rows = fc.array(fc.array(value, { minLength: 4, maxLength: 4 }), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(node, { minLength: 1, maxLength: 3 }),
      rows,
      async (roots, flows) => {
        const trees = roots.map((root) => ({
          features: 4,
          classes: ['a', 'b', 'c'],
          root,
        }));
        const want = flows.flatMap((row) => {
          const each = trees.map((tree) => probabilitiesByTree(tree, row));
          return [0, 1, 2].map(
            (k) => each.reduce((sum, p) => sum + (p[k] ?? 0), 0) / trees.length,
          );
        });
        const got = await byOnnx(trees, flows);
        t.true(want.every((p, i) => Math.abs(p - (got[i] ?? Number.NaN)) < 1e-5));
      },
    ),
    { numRuns: 60 },
  );
});

test('the same tree gives the same bytes, another shape is refused', (t) => {
  t.deepEqual(writeTree([HAND_MADE], NAMES), writeTree([HAND_MADE], NAMES));
  const other = { ...HAND_MADE, classes: ['x', 'y', 'z'] };
  t.throws(() => writeTree([HAND_MADE, other], NAMES), {
    message: /other features or classes/,
  });
  const narrow = { ...HAND_MADE, features: 1 };
  t.throws(() => writeTree([narrow], NAMES), { message: /no feature 1/ });
});
