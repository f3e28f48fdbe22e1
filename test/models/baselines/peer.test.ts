// Our baselines beside scikit-learn's, on data sets that come with it. CART is no C4.5: accuracies have to be near, not equal.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { c45Probabilities, growC45 } from '../../../models/baselines/c45.ts';
import { extraTrees } from '../../../models/baselines/extra-trees.ts';
import { nearestNeighbours } from '../../../models/baselines/nearest.ts';
import { PEERS_PYTHON, PEERS_SETUP } from '../../../models/baselines/peers.ts';
import { type Table, tableOf } from '../../../models/baselines/table.ts';
import { agreement, likeliest } from '../../../models/metrics.ts';

interface Part {
  readonly rows: number[][];
  readonly labels: number[];
}

interface PeerSet {
  readonly name: string;
  readonly classes: number;
  readonly known: Part;
  readonly asked: Part;
  readonly accuracy: Readonly<Record<'tree' | 'extraTrees' | 'nearest', number>>;
}

const SCRIPT = fileURLToPath(
  new URL('../../../../test/models/baselines/peer.py', import.meta.url),
);

function peerSets(): PeerSet[] {
  const { stdout, stderr, status } = spawnSync(PEERS_PYTHON, [SCRIPT], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`peer.py failed: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function ours({ known, asked, classes }: PeerSet): PeerSet['accuracy'] {
  const table: Table = tableOf(known.rows, Int32Array.from(known.labels), classes);
  const labels = Int32Array.from(asked.labels);
  const values = Float32Array.from(asked.rows.flat());
  const accuracyOf = (answers: Float32Array) =>
    agreement(likeliest(answers, classes), labels);
  const tree = growC45(table, { confidence: 0.25 });
  const knownRows = {
    values: Float32Array.from(known.rows.flat()),
    labels: table.labels,
    columns: table.columns,
    classes,
  };
  return {
    tree: accuracyOf(c45Probabilities(tree, values, table.columns)),
    extraTrees: accuracyOf(extraTrees(table, values, { seed: 1, trees: 100 })),
    nearest: accuracyOf(nearestNeighbours(knownRows, values)),
  };
}

test("baselines are as good as scikit-learn's", (t) => {
  if (!existsSync(PEERS_PYTHON)) {
    t.log(`skipped: scikit-learn is not in place; ${PEERS_SETUP} gets it`);
    t.pass();
    return;
  }
  for (const set of peerSets()) {
    const { accuracy } = set;
    const got = ours(set);
    const line = (a: PeerSet['accuracy']) =>
      `tree ${a.tree.toFixed(3)}, extra trees ${a.extraTrees.toFixed(3)}, 1-NN ${a.nearest.toFixed(4)}`;
    t.log(`${set.name}: ours ${line(got)}; scikit-learn ${line(accuracy)}`);
    // Another family of trees, on some hundred rows: a standard error is 2 points.
    t.true(got.tree > accuracy.tree - 0.05);
    t.true(got.extraTrees > accuracy.extraTrees - 0.02);
    // The same rule, but float32 here: a tie or two may fall the other way.
    t.true(Math.abs(got.nearest - accuracy.nearest) < 0.006);
  }
});
