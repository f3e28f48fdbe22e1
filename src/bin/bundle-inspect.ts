// `sluice bundle verify` and `sluice bundle inspect`: is it whole and whose is it; what is in it.

import { Command } from 'commander';
import { type Bundle, loadBundle, readBundle } from '../bundle/load-bundle.ts';
import { incompatibility, type Manifest } from '../bundle/manifest.ts';
import { parsePublicKey, publicKeyText } from '../bundle/minisign.ts';
import { TRUST_ANY, trustWords } from '../bundle/trust.ts';
import { readSmall } from './bundle-files.ts';
import { type Column, emit, formatBytes, row, say, thousands } from './terminal.ts';

interface VerifyOptions {
  readonly key?: readonly string[];
  readonly selfTest?: true;
  readonly json?: true;
}

export function bundleVerifyCommand(): Command {
  return new Command('verify')
    .description('check that a bundle is whole, and signed by a key that you trust')
    .argument('<bundle>', 'a directory or an archive')
    .option('-k, --key <key...>', 'public keys, or files that hold one')
    .option('--self-test', 'run its model on its self-test, too')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      '\nWithout a key only what came with the program is trusted. Exit code 2: not to be trusted, or damaged.',
    )
    .action(verify);
}

async function verify(path: string, options: VerifyOptions): Promise<void> {
  const keys = await Promise.all((options.key ?? []).map(publicKey));
  const bundle = await loadBundle(path, { keys, allowUnsigned: false });
  const { origin, manifest } = bundle;
  if (options.selfTest === true) await selfTest(bundle);
  if (options.json === true) {
    await emit(JSON.stringify({ bundle: path, origin, model: manifest.model.sha256 }));
    return;
  }
  await emit(`${path}: whole, ${trustWords(origin)}`);
  if (origin.kind === 'signed') await emit(`trusted comment: ${origin.trustedComment}`);
}

async function selfTest(bundle: Bundle): Promise<void> {
  const { Classifier } = await import('../classify/classifier.ts');
  await (await Classifier.open(bundle)).close();
  say('its self-test passes here');
}

/** A key as it is, or out of a file. */
async function publicKey(text: string): Promise<string> {
  const content = text.startsWith('RW') ? text : await readSmall(text, 'a public key');
  const { number, key } = parsePublicKey(content, text);
  return publicKeyText(number, key);
}

interface InspectOptions {
  readonly schema?: true;
  readonly json?: true;
}

export function bundleInspectCommand(): Command {
  return new Command('inspect')
    .description('tell what a bundle holds and what it says of itself; proves nothing')
    .argument('[bundle]', 'a directory or an archive')
    .option('--json', 'its manifest and what signed it, one JSON object')
    .option('--schema', 'the JSON Schema of a manifest')
    .action(inspect);
}

async function inspect(
  path: string | undefined,
  options: InspectOptions,
  command: Command,
) {
  if (options.schema === true) {
    const { manifestSchemaJson } = await import('../bundle/manifest-docs.ts');
    await emit(JSON.stringify(manifestSchemaJson(), null, 2));
    return;
  }
  if (path === undefined) command.error("error: missing required argument 'bundle'");
  const bundle = await readBundle(path, TRUST_ANY);
  const { manifest, origin, files } = bundle;
  const sizes = [...files].map(([name, bytes]) => [name, bytes.byteLength] as const);
  if (options.json === true) {
    const fits = incompatibility(manifest) === undefined;
    const line = {
      bundle: path,
      origin,
      fits,
      files: Object.fromEntries(sizes),
      manifest,
    };
    await emit(JSON.stringify(line));
    return;
  }
  for (const [what, value] of factsOf(manifest)) await emit(row(COLUMNS, [what, value]));
  await emit(row(COLUMNS, ['signature', trustWords(origin)]));
  for (const [name, size] of sizes) {
    await emit(row(COLUMNS, ['file', `${name}, ${formatBytes(size)}`]));
  }
  const reason = incompatibility(manifest);
  if (reason !== undefined) say(`this sluice cannot serve it: ${reason}`);
}

const COLUMNS: readonly Column[] = [
  { title: '', width: 12, align: 'left' },
  { title: '', width: 0, align: 'left' },
];

function factsOf(manifest: Manifest): [what: string, value: string][] {
  const { model, classes, features, inputs, metrics, training, failedChecks } = manifest;
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
  const shapes = Object.values(inputs).flatMap((input) =>
    input === undefined ? [] : [`${input.name} [${input.shape}]`],
  );
  return [
    ['name', `${manifest.name} (${manifest.network}), made ${manifest.createdAt}`],
    [
      'model',
      `${model.precision}, ${thousands(model.parameters)} parameters, SHA-256 ${model.sha256}`,
    ],
    ['classes', classes.join(', ')],
    ['inputs', shapes.join(', ')],
    ['features', `version ${features.version}, occlusion ${manifest.occlusion.version}`],
    [
      'figures',
      `accuracy ${percent(metrics.accuracy)}, macro-F1 ${percent(metrics.macroF1)}, ${metrics.flows} flows: ${metrics.data}`,
    ],
    ['trained on', `${training.data}, ${training.flows} flows, seed ${training.seed}`],
    ['split', training.split],
    ...failedChecks.map((text): [string, string] => ['FAILED CHECK', text]),
  ];
}
