// The tree of a run: tree.json.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../src/errors.ts';
import type { DecisionTree } from './decision-tree.ts';

const FILE = 'tree.json';

export async function saveTree(directory: string, tree: DecisionTree): Promise<void> {
  await writeFile(join(directory, FILE), `${JSON.stringify(tree)}\n`);
}

/** @throws InputError ERR_RUN: none there, damaged, or of other classes */
export async function loadTree(
  directory: string,
  classes: readonly string[],
): Promise<DecisionTree> {
  const path = join(directory, FILE);
  const fault = (words: string, cause?: unknown) =>
    new InputError('ERR_RUN', `${path} ${words}; train it anew`, { cause });
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw fault(`cannot be read (${cause.code})`, cause);
  });
  let tree: DecisionTree;
  try {
    tree = JSON.parse(text);
  } catch (cause) {
    throw fault('is no JSON', cause);
  }
  if (tree?.root === undefined || tree.classes?.join() !== classes.join()) {
    throw fault('is no tree of the classes of this run');
  }
  return tree;
}
