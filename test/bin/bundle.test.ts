// `sluice bundle ...` as a user runs it, and what an agent makes of bundles of all kinds.

import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { manifestSchemaJson } from '../../src/bundle/manifest-docs.ts';
import { makeKeyPair } from '../../src/bundle/secret-key.ts';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const BUNDLE = join(ROOT, 'models/bundles/router-cnn');
const DEMO = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');

const folder = temporaryFolder('bundles');
let publicKey: string;
const at = (name: string) => join(folder, name);
const bundle = (...args: string[]) => sluice(['bundle', ...args]);

/** A copy of the shipped bundle, signed by our key. */
async function signedCopy(name: string): Promise<string> {
  await cp(BUNDLE, at(name), { recursive: true });
  await bundle('sign', at(name), '-s', at('a.key'));
  return at(name);
}

test.before(async (t) => {
  t.timeout(120_000);
  const made = await bundle('keygen', '-W', '-p', at('a.pub'), '-s', at('a.key'));
  publicKey = made.stdout.trim();
  await bundle('keygen', '-W', '-p', at('b.pub'), '-s', at('b.key'));
});

test('keygen prints the public key, keeps the secret one to its owner, and overwrites nothing', async (t) => {
  t.regex(publicKey, /^RW[A-Za-z0-9+/]{54}$/);
  t.true((await readFile(at('a.pub'), 'utf8')).includes(publicKey));
  t.is((await stat(at('a.key'))).mode & 0o777, 0o600);
  const before = await readFile(at('a.key'));
  const again = await bundle('keygen', '-W', '-p', at('a.pub'), '-s', at('a.key'));
  t.is(again.code, 2);
  t.regex(again.stderr, /is there already/);
  t.deepEqual(await readFile(at('a.key')), before);
});

test('a password cannot be asked for without a terminal, and is read from a file', async (t) => {
  t.timeout(120_000);
  const names = ['-p', at('c.pub'), '-s', at('c.key')];
  const asked = await bundle('keygen', ...names);
  t.is(asked.code, 2);
  t.regex(asked.stderr, /without a terminal; give --password-file/);
  await writeFile(at('password'), 'open sesame\nignored\n');
  // Made with the least that scrypt takes: keygen's own takes seconds and a GiB, test/bundle/minisign.test.ts opens one.
  const cheap = { operations: 32_768, memoryBytes: 2 ** 24 };
  const pair = await makeKeyPair('open sesame', cheap);
  await writeFile(at('c.key'), pair.secretFile);
  await writeFile(at('c.pub'), pair.publicFile);
  await cp(BUNDLE, at('encrypted'), { recursive: true });
  const sign = (file: string) =>
    bundle('sign', at('encrypted'), '-s', at('c.key'), '--password-file', file);
  await writeFile(at('wrong'), 'open barley\n');
  const wrong = await sign(at('wrong'));
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /does not open/);
  t.is((await sign(at('password'))).code, 0);
  t.is((await bundle('verify', at('encrypted'), '-k', at('c.pub'))).code, 0);
});

test('a bundle is signed, verified, packed, signed again and unpacked', async (t) => {
  t.timeout(120_000);
  const directory = await signedCopy('whole');
  const verified = await bundle('verify', directory, '-k', publicKey, '--json');
  const [line] = jsonLines(verified.stdout);
  t.is((line as { origin: { verified: boolean } }).origin.verified, true);
  const archive = at('whole.tar');
  t.is((await bundle('pack', directory, '-o', archive)).code, 0);
  const bytes = await readFile(archive);
  t.is((await bundle('pack', directory, '-o', archive)).code, 2, 'it is there');
  t.is((await bundle('pack', directory, '-o', archive, '--force')).code, 0);
  t.deepEqual(await readFile(archive), bytes);
  const tested = await bundle('verify', archive, '-k', at('a.pub'), '--self-test');
  t.regex(tested.stderr, /self-test passes/);
  t.is((await bundle('sign', archive, '-s', at('b.key'), '-t', 'by b')).code, 0);
  t.is((await bundle('verify', archive, '-k', at('a.pub'))).code, 2);
  const byB = await bundle('verify', archive, '-k', at('a.pub'), at('b.pub'));
  t.regex(byB.stdout, /trusted comment: by b/);
  t.is((await bundle('unpack', archive, '-o', at('out'))).code, 0);
  for (const name of ['manifest.json', 'model.onnx', 'card.md']) {
    t.deepEqual(
      await readFile(join(at('out'), name)),
      await readFile(join(BUNDLE, name)),
    );
  }
  const over = await bundle('unpack', archive, '-o', at('out'));
  t.is(over.code, 2);
  t.regex(over.stderr, /is not empty/);
});

test('inspect tells what a bundle is, in words, JSON and as a schema', async (t) => {
  const words = await bundle('inspect', BUNDLE);
  t.regex(words.stdout, /^name +router-cnn/);
  t.regex(words.stdout, /signature +came with the program/);
  const [line] = jsonLines((await bundle('inspect', BUNDLE, '--json')).stdout);
  t.is((line as { manifest: { name: string } }).manifest.name, 'router-cnn');
  const schema = JSON.parse((await bundle('inspect', '--schema')).stdout) as unknown;
  t.deepEqual(schema, JSON.parse(JSON.stringify(manifestSchemaJson())));
  const page = await readFile(join(ROOT, 'docs/manifest.schema.json'), 'utf8');
  t.deepEqual(JSON.parse(page), schema, 'run npm run -s docs');
  t.is((await bundle('inspect')).code, 2);
});

/** One line on stderr, exit code 2. */
async function refused(
  t: ExecutionContext,
  args: readonly string[],
  message: RegExp,
): Promise<void> {
  const { code, stderr } = await sluice(args);
  t.is(code, 2, stderr);
  t.regex(stderr, message);
  t.is(stderr.trim().split('\n').length, 1, stderr);
}

const SPOILED: readonly [string, (directory: string) => Promise<void>, RegExp][] = [
  [
    'whose manifest was changed',
    async (directory) => {
      const path = join(directory, 'manifest.json');
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace('"precision": "int8"', '"precision": "fp32"'));
    },
    /was changed after key [0-9A-F]{16} had signed it/,
  ],
  [
    'whose model was changed',
    async (directory) => {
      const path = join(directory, 'model.onnx');
      const bytes = await readFile(path);
      bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
      await writeFile(path, bytes);
    },
    /model\.onnx has SHA-256/,
  ],
  [
    'whose card was changed',
    (directory) => writeFile(join(directory, 'card.md'), '# Perfect\n'),
    /card\.md has SHA-256/,
  ],
  [
    'whose card is gone',
    (directory) => rm(join(directory, 'card.md')),
    /card\.md cannot be read/,
  ],
  [
    'whose signature is none',
    (directory) => writeFile(join(directory, 'manifest.json.minisig'), 'trust me'),
    /is no signature of minisign/,
  ],
  [
    'whose signature is gone',
    (directory) => rm(join(directory, 'manifest.json.minisig')),
    /is not signed; sign it/,
  ],
];

for (const [i, [what, spoil, message]] of SPOILED.entries()) {
  test(`a signed bundle ${what} is refused by verify and by the agent`, async (t) => {
    t.timeout(120_000);
    const directory = await signedCopy(`spoiled${i}`);
    await spoil(directory);
    await refused(t, ['bundle', 'verify', directory, '-k', publicKey], message);
    const trusted = ['--trusted-key', publicKey];
    const agent = ['agent', '--read', DEMO, '--bundle', directory, ...trusted];
    await refused(t, agent, message);
  });
}

test('an agent takes what came with the program, what is signed by a known key, and what it is told to take', async (t) => {
  t.timeout(240_000);
  const signed = await signedCopy('for-agent');
  await bundle('pack', signed, '-o', at('for-agent.tar'));
  await cp(BUNDLE, at('unsigned'), { recursive: true });
  const agent = (...args: string[]) => sluice(['agent', '--read', DEMO, ...args]);
  for (const [args, words] of [
    [[], /came with the program/],
    [['--bundle', signed, '--trusted-key', publicKey], /signed by key [0-9A-F]{16}"/],
    [['--bundle', at('for-agent.tar'), '--trusted-key', publicKey], /signed by key/],
    [['--bundle', at('unsigned'), '--allow-unsigned'], /not signed/],
    [['--bundle', signed, '--allow-unsigned'], /which is not among the trusted ones/],
  ] as const) {
    const { code, stderr } = await agent(...args);
    t.is(code, 0, stderr);
    t.regex(stderr, words);
  }
  for (const [args, message] of [
    [['--bundle', at('unsigned')], /is not signed/],
    [['--bundle', signed], /trusted are none/],
    [['--bundle', signed, '--trusted-key', 'RWnonsense'], /classify\.trustedKeys/],
  ] as const) {
    await refused(t, ['agent', '--read', DEMO, ...args], message);
  }
});

test('an archive with a file that no manifest names is refused', async (t) => {
  const { packArchive } = await import('../../src/bundle/archive.ts');
  const files = new Map<string, Uint8Array>();
  for (const name of await readdir(BUNDLE))
    files.set(name, await readFile(join(BUNDLE, name)));
  await writeFile(at('more.tar'), packArchive(files.set('extra', Buffer.of(1))));
  await refused(
    t,
    ['bundle', 'inspect', at('more.tar')],
    /holds extra, which its manifest/,
  );
  await writeFile(at('no.tar'), 'no archive, but long enough'.repeat(40));
  await refused(t, ['bundle', 'unpack', at('no.tar')], /cannot be read as an archive/);
});
