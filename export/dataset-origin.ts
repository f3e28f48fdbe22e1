// What manifest and card say of the data set behind a run of `sluice train`. Where the data lay is nobody else's business.

import { majority } from '../models/baselines/look-up.ts';
import type { LabelledRow } from '../models/data/flow-source.ts';
import type { OpenData } from '../models/data/open-data.ts';
import { agreement, likeliest } from '../models/metrics.ts';
import type { Run } from '../models/training/run.ts';
import { C45 } from '../models/tree/c45-kind.ts';
import type { Part } from '../src/dataset/split-file.ts';
import { table } from './card-table.ts';
import type { Origin } from './trained-model.ts';

/** Flows that an export computes with, drawn from each part. */
export type DrawnFlows = Readonly<Record<Part, readonly LabelledRow[]>>;

export function originOf(run: Run, data: OpenData, drawn: DrawnFlows): Origin {
  const { config, data: trainedOn } = run;
  const { split, fold } = config.data;
  const flows = flowsOf(run);
  const named = `split "${split}" by ${data.split.by}${fold === undefined ? '' : `, fold ${fold}`}`;
  const sources = trainedOn.sources.join(', ');
  return {
    data: `flows of a data set of ${sources}`,
    dataSha256: trainedOn.sha256,
    split: `${named}: ${flows.train} flows train, ${flows.validation} validate, ${flows.test} test; SHA-256 of the split ${trainedOn.splitSha256}`,
    flows: flows.train,
    testData: `test part of ${named}, never trained on${drawn.test.length < flows.test ? `; ${drawn.test.length} flows of ${flows.test}, drawn` : ''}`,
    baselines: { majorityClass: majorityAccuracy(run, drawn) },
    card: {
      data: dataSection(run, named),
      limits: limitsOf(run, drawn),
      recipe: `sluice train --config FILE --data DIR    # FILE: the configuration in the manifest, under training
sluice export --run runs/${config.name} --data DIR`,
    },
  };
}

/** Flows of each part whose class the network knows. */
function flowsOf({ data: { counts } }: Run): Record<Part, number> {
  const sum = (own: readonly number[]) => own.reduce((a, b) => a + b, 0);
  return {
    train: sum(counts.train),
    validation: sum(counts.validation),
    test: sum(counts.test),
  };
}

/** Of the class that most training flows have, on the test flows. */
function majorityAccuracy({ data, classes }: Run, { test }: DrawnFlows): number {
  const trained = Int32Array.from(
    data.counts.train.flatMap((count, k) => new Array<number>(count).fill(k)),
  );
  const answers = majority(trained, test.length, classes.length);
  const labels = Int32Array.from(test, ({ label }) => label);
  return agreement(likeliest(answers, classes.length), labels);
}

const NETWORK_WORDS = [
  'Weights, normaliser and int8 ranges come from the training flows; the best epoch, temperature and thresholds from the',
  'validation flows, and which layers stay in float; the test flows decided nothing.',
];
const TREE_WORDS = [
  'The tree comes from the training flows, temperature and thresholds from the validation flows; the test flows decided nothing.',
];

function dataSection(run: Run, named: string): string {
  const { data, config } = run;
  const { train, validation, test } = flowsOf(run);
  return [
    `Flows of a data set whose sources are ${data.sources.map((name) => `\`${name}\``).join(', ')}; a class is what the data set`,
    `gives as a flow’s ${config.data.level}.`,
    '',
    table(
      [named, 'flows'],
      [
        ['train', String(train)],
        ['validation', String(validation)],
        ['test', String(test)],
      ],
    ),
    '',
    ...(config.network.name === C45.name ? TREE_WORDS : NETWORK_WORDS),
    `SHA-256 of the data set’s content: \`${data.sha256}\`, of the split: \`${data.splitSha256}\`.`,
  ].join('\n');
}

function limitsOf({ config }: Run, { train }: DrawnFlows): string[] {
  return [
    '- The figures are of flows from the same sources as those that trained. On another network expect less: other clients,',
    '  other servers, other people. Measure there, with labels of your own, before anything acts on the labels.',
    `- Protocols of the training flows (${train.length} drawn): ${protocolsOf(train)}. Flows of others are labelled too, by a model that has seen none.`,
    ...(config.data.heldOut.length === 0
      ? []
      : [`- Kept out of training on purpose: ${config.data.heldOut.join(', ')}.`]),
  ];
}

function protocolsOf(flows: readonly LabelledRow[]): string {
  const counts = new Map<string, number>();
  for (const { row } of flows) {
    counts.set(row.protocol, (counts.get(row.protocol) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
