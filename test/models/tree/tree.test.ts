// A tree as a run keeps it: its file, its leaves, its temperature.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { treeAtTemperature } from '../../../export/fold-temperature.ts';
import { atTemperature } from '../../../models/calibration.ts';
import { answersOf } from '../../../models/trained.ts';
import { treeOfC45 } from '../../../models/tree/c45-tree.ts';
import { type DecisionTree, nodesOf } from '../../../models/tree/decision-tree.ts';
import { loadTree, saveTree } from '../../../models/tree/tree-file.ts';
import { InputError } from '../../../src/errors.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const CLASSES = ['chat', 'mail', 'web'];
const TREE: DecisionTree = {
  features: 2,
  classes: CLASSES,
  root: {
    kind: 'split',
    feature: 1,
    threshold: 0.5,
    missing: 'above',
    atMost: { kind: 'leaf', probabilities: [0.5, 0.25, 0.25] },
    above: { kind: 'leaf', probabilities: [0.125, 0.125, 0.75] },
  },
};
const ROWS = {
  count: 2,
  inputs: { statistics: Float32Array.of(9, 0.5, 9, 0.6) },
  labels: Int32Array.of(0, 2),
};

test('what is written is what is read', async (t) => {
  const directory = temporaryFolder('tree');
  await saveTree(directory, TREE);
  t.deepEqual(await loadTree(directory, CLASSES), TREE);
});

test('a file that is not there, damaged or of other classes is refused in one line', async (t) => {
  const directory = temporaryFolder('tree');
  const refused = async (message: RegExp, classes = CLASSES) => {
    const fault = await t.throwsAsync(loadTree(directory, classes), {
      instanceOf: InputError,
      message,
    });
    t.regex(fault?.message ?? '', /; train it anew$/);
  };
  await refused(/tree\.json cannot be read \(ENOENT\)/);
  await saveTree(directory, TREE);
  await refused(/is no tree of the classes of this run/, ['chat', 'web']);
  await writeFile(join(directory, 'tree.json'), '{"features": 2, "cl');
  await refused(/is no JSON/);
  await writeFile(join(directory, 'tree.json'), 'null');
  await refused(/is no tree/);
});

test('a row gets the probabilities of its leaf, at a temperature those of all leaves at it', (t) => {
  const answers = answersOf({ kind: 'tree', tree: TREE }, ROWS);
  t.deepEqual([...answers], [0.5, 0.25, 0.25, 0.125, 0.125, 0.75]);
  const warm = answersOf({ kind: 'tree', tree: treeAtTemperature(TREE, 2) }, ROWS);
  t.deepEqual(warm, atTemperature(answers, CLASSES.length, 2));
});

test('a pseudo-count keeps a leaf of two flows from being sure', (t) => {
  const leaf = { counts: Float64Array.of(2, 0, 0) };
  const [sure] = nodesOf(treeOfC45(leaf, { columns: 1, classes: CLASSES }));
  const [unsure] = nodesOf(
    treeOfC45(leaf, { columns: 1, classes: CLASSES, pseudoCount: 1 }),
  );
  t.deepEqual(sure, { kind: 'leaf', probabilities: [1, 0, 0] });
  t.deepEqual(unsure, { kind: 'leaf', probabilities: [0.6, 0.2, 0.2] });
});
