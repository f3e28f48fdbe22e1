// A model's figures -> card.md: what it was trained on, how well it does, and what it cannot do, for people.

import type { InputName } from '../models/networks/network.ts';
import type { Manifest } from '../src/bundle/manifest.ts';
import { table } from './card-table.ts';
import type { Measured } from './measure.ts';
import type { BuiltModel, Int8Model } from './model-files.ts';
import { layersWritten, type Quantized } from './quantization.ts';
import type { TrainedModel } from './trained-model.ts';

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}

const BASELINE_TITLES: Readonly<Record<string, string>> = {
  majorityClass: 'majority class',
  nearestNeighbourOnSizes: '1-NN on the signed sizes of the first 30 packets',
  nearestNeighbourOnStatistics: '1-NN on the statistics',
};

export interface CardInputs {
  readonly manifest: Manifest;
  readonly trained: TrainedModel;
  readonly measured: Measured;
  readonly built: BuiltModel;
}

/** The whole card, Markdown. */
export function cardOf({ manifest, trained, measured, built }: CardInputs): string {
  return [
    `# ${manifest.name}`,
    ...warning(manifest),
    summary(manifest, trained, measured),
    '## Data',
    trained.origin.card.data,
    '## How well it does',
    figuresSection(manifest, measured),
    '## Per class',
    classesSection(manifest, measured),
    built.int8 === undefined ? '## Tree' : '## int8',
    built.int8 === undefined
      ? treeSection(manifest, measured)
      : int8Section(manifest, measured, built.int8),
    '## Limits',
    limitsSection(trained, measured),
    '## How to make it again',
    recipe(manifest, trained),
    '',
  ].join('\n\n');
}

/** Nobody is to take a model that was forced out for a good one. */
function warning({ failedChecks }: Manifest): string[] {
  if (failedChecks.length === 0) return [];
  const lines = failedChecks.map((text) => `- ${text}`);
  return [
    `**This bundle failed ${failedChecks.length} of the export's checks and was written by --force:**\n${lines.join('\n')}`,
  ];
}

const INPUT_WORDS: Readonly<Record<InputName, string>> = {
  handshake_bytes: 'its occluded handshake',
  series: 'its packet series',
  statistics: 'its statistics',
};

function summary(
  { model, classes, training }: Manifest,
  { inputs, trained }: TrainedModel,
  { test }: Measured,
): string {
  const words = inputs.map((name) => INPUT_WORDS[name]);
  const [last] = words.slice(-1);
  const seen =
    words.length < 2 ? `${last}` : `${words.slice(0, -1).join(', ')} and ${last}`;
  return [
    `Tells which of ${classes.length} classes (${classes.join(', ')}) an encrypted flow belongs to,`,
    `from ${seen}; the server’s name is not among them.`,
    `${model.parameters.toLocaleString('en-US')} ${trained.kind === 'tree' ? 'nodes of a decision tree' : `parameters in ${model.precision}`}, ${Math.round(model.sizeBytes / 1024)} KiB.`,
    `Accuracy ${percent(test.whole.accuracy)}, macro-F1 ${percent(test.whole.macroF1)} on flows that it was never trained on`,
    `(${test.whole.flows} flows; trained on ${training.flows}).`,
  ].join('\n');
}

function figuresSection(
  { metrics, model }: Manifest,
  { test, decided, trained }: Measured,
): string {
  const [low, high] = test.accuracyInterval;
  const early = test.afterPackets.map(({ packets, accuracy, macroF1 }) => [
    `after ${packets} packets`,
    percent(accuracy),
    percent(macroF1),
  ]);
  const without = Object.entries(test.without).map(([name, accuracy]) => [
    `without ${name} (zeros)`,
    percent(accuracy),
    '',
  ]);
  const baselines = Object.entries(metrics.baselines).map(([name, accuracy]) => [
    `baseline: ${BASELINE_TITLES[name] ?? name}`,
    percent(accuracy),
    '',
  ]);
  const whole = [
    `**${model.precision}, whole flows**`,
    `**${percent(test.whole.accuracy)}**`,
  ];
  const { accuracy, macroF1 } = trained;
  return [
    table(
      ['on the test flows', 'accuracy', 'macro-F1'],
      [
        [...whole, `**${percent(test.whole.macroF1)}**`],
        ['before export, whole flows', percent(accuracy), percent(macroF1)],
        ...early,
        ...without,
        ...baselines,
      ],
    ),
    '',
    `95% interval of the accuracy over resampled sessions: ${percent(low)} to ${percent(high)}; it says nothing of other networks.`,
    `Expected calibration error ${percent(test.calibrationError)}. With the thresholds of the manifest ${percent(decided.share)} of the flows`,
    `get a class, ${percent(decided.accuracy)} of those the right one; the others are \`unknown\`.`,
  ].join('\n');
}

function classesSection({ classes, calibration }: Manifest, { test }: Measured): string {
  const figures = table(
    ['class', 'precision', 'recall', 'F1', 'flows', 'threshold'],
    Object.entries(test.whole.perClass).map(([name, c]) => [
      name,
      percent(c.precision),
      percent(c.recall),
      percent(c.f1),
      String(c.flows),
      (calibration.thresholds[name] ?? 1).toFixed(2),
    ]),
  );
  const confusion = table(
    ['label \\ prediction', ...classes],
    test.whole.confusion.map((row, k) => [classes[k] ?? '', ...row.map(String)]),
  );
  return [figures, '', confusion].join('\n');
}

function int8Section(
  { model, calibration }: Manifest,
  measured: Measured,
  { quantized }: Int8Model,
): string {
  const early = [...measured.earlyAgreement].map(
    ([packets, share]) => `${percent(share)} after ${packets} packets`,
  );
  return [
    `fp32 and int8 choose the same class for ${percent(measured.int8Agreement)} of the test flows (${early.join(', ')}).`,
    `fp32 ONNX and the trained network differ by at most ${measured.parity.toExponential(1)} in a probability.`,
    'Static QDQ quantization: uint8 activations, int8 weights within ±64 (AVX2 without VNNI saturates beyond), int32',
    `biases. Temperature ${calibration.temperature.toFixed(3)} is folded into the last layer. SHA-256 of the model:`,
    `\`${model.sha256}\`.`,
    '',
    fallbackWords(quantized),
    ...askedWords(quantized),
    '',
    layersTable(quantized),
    '',
    'error: root mean square of the layer’s differences from fp32, in parts of its values; clipped: values that 8 bits',
    'cannot reach; shift: mean difference of a probability when this layer alone is int8.',
  ].join('\n');
}

function treeSection({ model, calibration }: Manifest, { parity }: Measured): string {
  return [
    'C4.5 on the statistics: gain ratio, pessimistic pruning, one pseudo-count a class in each leaf; as ai.onnx.ml',
    `TreeEnsembleClassifier. It and the trained tree differ by at most ${parity.toExponential(1)} in a probability.`,
    `Temperature ${calibration.temperature.toFixed(3)} is put into the leaves. SHA-256 of the model:`,
    `\`${model.sha256}\`.`,
  ].join('\n');
}

function fallbackWords({ first, fallbacks }: Quantized): string {
  const agreed = `on ${percent(first.agreement)} of the validation flows`;
  if (fallbacks.length === 0)
    return `No layer had to be left in float: all in int8 agree with fp32 ${agreed}.`;
  const layers = fallbacks.map(
    ({ layer, agreement }) => `${layer} (then ${percent(agreement)})`,
  );
  return `All in int8 agreed with fp32 only ${agreed}; left in float: ${layers.join(', ')}.`;
}

function askedWords({ asked }: Quantized): string[] {
  const layers = Object.entries(layersWritten(asked)).map(
    ([name, { precision, range }]) =>
      [name, precision, range].filter((word) => word !== undefined).join(' '),
  );
  if (layers.length === 0) return [];
  return [
    `Asked for by name (\`--layers\`; \`asked\` in \`quantization.json\`), by people who may have seen the test flows: ${layers.join(', ')}.`,
  ];
}

function layersTable({ layers }: Quantized): string {
  return table(
    [
      'layer',
      'kind',
      'precision',
      'parameters',
      'bytes, fp32',
      'bytes',
      'error',
      'clipped',
      'shift',
    ],
    layers.map((layer) => [
      layer.name,
      layer.kind,
      layer.precision,
      layer.parameters.toLocaleString('en-US'),
      layer.fp32Bytes.toLocaleString('en-US'),
      layer.int8Bytes.toLocaleString('en-US'),
      percent(layer.error),
      percent(layer.clipped),
      layer.shift.toFixed(5),
    ]),
  );
}

function limitsSection({ origin }: TrainedModel, { test }: Measured): string {
  const worst = Object.entries(test.whole.perClass)
    .filter(([, { flows }]) => flows > 0)
    .sort(([, a], [, b]) => a.f1 - b.f1)
    .slice(0, 2)
    .map(([name, { f1 }]) => `${name} (F1 ${percent(f1)})`);
  return [
    ...origin.card.limits,
    '- Only these classes: traffic of any other kind gets one of them too, or `unknown` where the model is unsure.',
    `- Weakest classes: ${worst.join(', ')}.`,
    '- One training, one seed: no interval over seeds.',
  ].join('\n');
}

function recipe({ training }: Manifest, { origin }: TrainedModel): string {
  return [
    '```',
    origin.card.recipe,
    '```',
    '',
    `Seed ${training.seed}, commit \`${training.commit}\`, backend ${training.backend}. The same backend and machine give the same weights.`,
  ].join('\n');
}
