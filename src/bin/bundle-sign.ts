// `sluice bundle keygen` and `sluice bundle sign`: keys and signatures that minisign reads, and those that it wrote.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { packArchive } from '../bundle/archive.ts';
import { MANIFEST_FILE, SIGNATURE_FILE } from '../bundle/bundle-parts.ts';
import { readBundle, type WholeBundle } from '../bundle/load-bundle.ts';
import { keyId, signatureText } from '../bundle/minisign.ts';
import { isEncrypted, makeKeyPair, readSecretKey } from '../bundle/secret-key.ts';
import { TRUST_ANY } from '../bundle/trust.ts';
import { InputError } from '../errors.ts';
import { readSmall, writeNew, writeOver } from './bundle-files.ts';
import { passwordFor } from './password.ts';
import { emit, say } from './terminal.ts';

interface KeygenOptions {
  readonly public: string;
  readonly secret: string;
  readonly password: boolean;
  readonly passwordFile?: string;
  readonly force?: true;
}

export function bundleKeygenCommand(): Command {
  return new Command('keygen')
    .description('make a pair of keys, in files that minisign reads')
    .option('-p, --public <file>', 'the public key goes here', 'sluice.pub')
    .option('-s, --secret <file>', 'the secret key goes here, mode 600', 'sluice.key')
    .option('-W, --no-password', 'do not encrypt the secret key')
    .option('--password-file <file>', 'its first line is the password')
    .option('-f, --force', 'over keys that are there')
    .addHelpText(
      'after',
      '\nThe password is asked for at a terminal. Opening an encrypted key takes some seconds and 1 GiB of memory, as with\n' +
        'minisign. The public key is printed; agents take it as classify.trustedKeys or --trusted-key.',
    )
    .action(keygen);
}

async function keygen(options: KeygenOptions): Promise<void> {
  const { public: publicPath, secret: secretPath, force = false } = options;
  for (const path of force ? [] : [publicPath, secretPath]) {
    if ((await stat(path).catch(() => undefined)) !== undefined) {
      throw new InputError(
        'ERR_KEY',
        `${path} is there already; name another file, or give --force and lose it`,
      );
    }
  }
  const password = options.password
    ? await passwordFor(secretPath, options.passwordFile, 'new')
    : undefined;
  const pair = await makeKeyPair(password);
  const write = force ? writeOver : writeNew;
  await write(secretPath, Buffer.from(pair.secretFile), 0o600);
  await write(publicPath, Buffer.from(pair.publicFile), 0o644);
  say(`key ${pair.id}: ${secretPath} is secret, ${publicPath} is for everyone`);
  await emit(pair.publicFile.split('\n')[1] ?? '');
}

interface SignOptions {
  readonly secret: string;
  readonly passwordFile?: string;
  readonly trustedComment?: string;
}

export function bundleSignCommand(): Command {
  return new Command('sign')
    .description('sign a bundle: its manifest, which holds the hash of every other file')
    .argument('<bundle>', 'a directory or an archive')
    .requiredOption('-s, --secret <file>', 'the secret key')
    .option('--password-file <file>', 'its first line is the password')
    .option('-t, --trusted-comment <text>', 'signed, too; by default time and name')
    .addHelpText(
      'after',
      `\nA directory gets ${SIGNATURE_FILE}, an archive is written anew with it. The bundle is checked before.`,
    )
    .action(sign);
}

async function sign(path: string, options: SignOptions): Promise<void> {
  const bundle = await readBundle(path, TRUST_ANY);
  await checkAllNamed(bundle);
  const file = await readSmall(options.secret, 'a secret key');
  const password = isEncrypted(file, options.secret)
    ? await passwordFor(options.secret, options.passwordFile, 'known')
    : undefined;
  const key = await readSecretKey(file, options.secret, password);
  const manifest = bundle.files.get(MANIFEST_FILE) ?? new Uint8Array();
  const { name, model } = bundle.manifest;
  const comment =
    options.trustedComment ??
    `timestamp:${Math.floor(Date.now() / 1000)}\tfile:${MANIFEST_FILE}\tbundle:${name}@${model.sha256.slice(0, 12)}\thashed`;
  const signature = Buffer.from(signatureText(manifest, key, comment));
  if ((await stat(path)).isDirectory()) {
    await writeOver(join(path, SIGNATURE_FILE), signature, 0o644);
  } else {
    const files = new Map(bundle.files).set(SIGNATURE_FILE, signature);
    await writeOver(path, packArchive(inOrder(files)), 0o644);
  }
  say(`${path} is signed by key ${keyId(key.number)}`);
}

/** The manifest first, its signature behind it, then by name: one order, whatever was read first. */
export function inOrder(
  files: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, Uint8Array> {
  const rank = (name: string): string =>
    name === MANIFEST_FILE ? '0' : name === SIGNATURE_FILE ? '1' : `2${name}`;
  const sorted = [...files].sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1));
  return new Map(sorted);
}

/** A card that no manifest names would look signed, and could be changed by anyone. */
async function checkAllNamed({ path, files }: WholeBundle): Promise<void> {
  const card = 'card.md';
  if (files.has(card)) return;
  if ((await stat(join(path, card)).catch(() => undefined)) === undefined) return;
  throw new InputError(
    'ERR_BUNDLE_CARD',
    `${card} of bundle ${path} is not named by its manifest, so no signature covers it; export the bundle again, or remove the card`,
  );
}
