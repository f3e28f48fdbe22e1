// Keys and signatures: ours read by minisign, minisign's read by us, and hostile text read by neither.

import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {
  isSignedBy,
  parsePublicKey,
  parseSignature,
  type SigningKey,
  signatureText,
} from '../../src/bundle/minisign.ts';
import { type KeyPair, makeKeyPair, readSecretKey } from '../../src/bundle/secret-key.ts';
import { InputError } from '../../src/errors.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** The least that scrypt can be asked for: tests should not take a GiB each. */
const CHEAP = { operations: 32_768, memoryBytes: 2 ** 24 };
const FILE = Buffer.from('{"format":"sluice-bundle"}\n');

let pair: KeyPair;
let key: SigningKey;
const folder = temporaryFolder('minisign');
test.before(async () => {
  pair = await makeKeyPair(undefined);
  key = await readSecretKey(pair.secretFile, 'test.key', undefined);
});

const signatureOf = (file: Uint8Array, comment = 'a comment') => {
  const signature = parseSignature(signatureText(file, key, comment));
  if (signature === undefined) throw new Error('our own signature cannot be read');
  return signature;
};

test('a signature verifies, and tells its key and comment', (t) => {
  const signature = signatureOf(FILE);
  const known = parsePublicKey(pair.publicFile, 'test.pub');
  t.is(signature.id, pair.id);
  t.is(known.id, pair.id);
  t.is(signature.trustedComment, 'a comment');
  t.true(signature.prehashed);
  t.true(isSignedBy(FILE, signature, known));
});

test('one changed bit in the file, the signature or the comment is found', (t) => {
  const known = parsePublicKey(pair.publicFile, 'test.pub');
  const signature = signatureOf(FILE);
  const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
    const copy = Uint8Array.from(bytes);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return copy;
  };
  fc.assert(
    fc.property(fc.nat(8 * FILE.length - 1), fc.nat(511), (ofFile, ofSignature) => {
      t.false(isSignedBy(flipped(FILE, ofFile), signature, known));
      for (const part of ['ofFile', 'ofComment'] as const) {
        const changed = { ...signature, [part]: flipped(signature[part], ofSignature) };
        t.false(isSignedBy(FILE, changed, known));
      }
    }),
  );
  t.false(isSignedBy(FILE, { ...signature, trustedComment: 'another' }, known));
  t.false(isSignedBy(FILE, { ...signature, prehashed: false }, known));
});

test('another key of the same number does not verify', async (t) => {
  const other = await makeKeyPair(undefined);
  const known = parsePublicKey(other.publicFile, 'other.pub');
  t.false(isSignedBy(FILE, signatureOf(FILE), known));
});

test('any text is read as a signature or not, and never throws', (t) => {
  const good = signatureText(FILE, key, 'a comment');
  const known = parsePublicKey(pair.publicFile, 'test.pub');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      t.is(parseSignature(text), undefined);
    }),
  );
  // One character of a good one is replaced: it is refused, or it does not verify, or only the untrusted comment changed.
  fc.assert(
    fc.property(
      fc.nat(good.length - 1),
      fc.string({ unit: 'binary-ascii', maxLength: 3 }),
      (at, text) => {
        const changed = good.slice(0, at) + text + good.slice(at + 1);
        const signature = parseSignature(changed);
        if (signature === undefined || !isSignedBy(FILE, signature, known)) return;
        const rest = (whole: string) => whole.trimEnd().split(/\r?\n/).slice(1);
        t.deepEqual(rest(changed), rest(good));
      },
    ),
  );
});

test('any text is a public key, or an InputError in one line', (t) => {
  const [, line = ''] = pair.publicFile.split('\n');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.nat(line.length - 1).map((at) => `${line.slice(0, at)}!${line.slice(at + 1)}`),
        fc.nat(line.length - 1).map((at) => line.slice(0, at)),
      ),
      (text) => {
        const fault = t.throws(() => parsePublicKey(text, 'given.pub'), {
          instanceOf: InputError,
        });
        t.false(fault?.message.includes('\n'));
      },
    ),
  );
});

test('any text is a secret key, or an InputError in one line', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
      const fault = await t.throwsAsync(readSecretKey(text, 'given.key', 'x'), {
        instanceOf: InputError,
      });
      t.false(fault?.message.includes('\n'));
    }),
  );
});

test('an encrypted key opens with its password and no other', async (t) => {
  const { secretFile, publicFile } = await makeKeyPair('right', CHEAP);
  const opened = await readSecretKey(secretFile, 'a.key', 'right');
  const known = parsePublicKey(publicFile, 'a.pub');
  const signature = parseSignature(signatureText(FILE, opened, 'c'));
  t.true(signature !== undefined && isSignedBy(FILE, signature, known));
  for (const password of ['wrong', '', undefined]) {
    await t.throwsAsync(readSecretKey(secretFile, 'a.key', password), {
      instanceOf: InputError,
      code: 'ERR_PASSWORD',
    });
  }
});

test('a key that wants more memory than minisign takes is refused', async (t) => {
  const { secretFile } = await makeKeyPair('x', CHEAP);
  const [comment, line = ''] = secretFile.split('\n');
  const bytes = Buffer.from(line, 'base64');
  bytes.writeBigUInt64LE(2n ** 40n, 46);
  const greedy = `${comment}\n${bytes.toString('base64')}\n`;
  await t.throwsAsync(readSecretKey(greedy, 'a.key', 'x'), { message: /at most/ });
});

test('a trusted comment is one line', (t) => {
  for (const comment of ['two\nlines', 'x'.repeat(9_000), 'bell\x07']) {
    t.throws(() => signatureText(FILE, key, comment), { instanceOf: InputError });
  }
});

const minisign = spawnSync('minisign', ['-v']).status === null ? undefined : 'minisign';

/** Runs where the machine has minisign: apt-get install minisign. */
const peer = test.macro({
  title: (name = '') => `minisign: ${name}`,
  async exec(t, check: (run: (...args: string[]) => string) => Promise<void>) {
    if (minisign === undefined) {
      t.log('skipped: there is no minisign here (apt-get install minisign)');
      t.pass();
      return;
    }
    await check((...args) => {
      // It may end before it has read the password: that is no fault.
      const input = 'secret words\nsecret words\n';
      const { status, stdout, stderr } = spawnSync('minisign', args, {
        cwd: folder,
        input,
      });
      if (status !== 0) throw new Error(`minisign ${args.join(' ')}: ${stderr}`);
      return stdout.toString();
    });
    t.pass();
  },
});

test('our signature verifies there', peer, async (run) => {
  await writeFile(join(folder, 'ours'), FILE);
  await writeFile(join(folder, 'ours.pub'), pair.publicFile);
  await writeFile(join(folder, 'ours.minisig'), signatureText(FILE, key, 'für alle'));
  const said = run('-Vm', 'ours', '-p', 'ours.pub');
  if (!said.includes('für alle')) throw new Error(said);
});

for (const [title, flags, prehashed] of [
  ['pre-hashed', [], true],
  ['legacy', ['-l'], false],
] as const) {
  test(
    `its ${title} signature by an unencrypted key verifies here`,
    peer,
    async (run) => {
      const name = `theirs-${title}`;
      await writeFile(join(folder, name), FILE);
      run('-G', '-W', '-p', `${name}.pub`, '-s', `${name}.key`);
      run('-S', ...flags, '-s', `${name}.key`, '-m', name, '-t', 'hello');
      const text = (file: string) => readFile(join(folder, file), 'utf8');
      const signature = parseSignature(await text(`${name}.minisig`));
      const known = parsePublicKey(await text(`${name}.pub`), name);
      if (signature?.prehashed !== prehashed) throw new Error('not the wanted kind');
      if (!isSignedBy(FILE, signature, known)) throw new Error('does not verify');
    },
  );
}

test('its encrypted key signs here, ours signs there', peer, async (run) => {
  run('-G', '-p', 'b.pub', '-s', 'b.key');
  const secret = await readFile(join(folder, 'b.key'), 'utf8');
  const theirs = await readSecretKey(secret, 'b.key', 'secret words');
  await writeFile(join(folder, 'b'), FILE);
  await writeFile(join(folder, 'b.minisig'), signatureText(FILE, theirs, 'x'));
  run('-Vm', 'b', '-p', 'b.pub');
  for (const password of ['secret words', undefined]) {
    const made = await makeKeyPair(password, CHEAP);
    await writeFile(join(folder, 'c.key'), made.secretFile);
    await writeFile(join(folder, 'c.pub'), made.publicFile);
    run('-S', '-s', 'c.key', '-m', 'b', '-x', 'c.minisig');
    run('-Vm', 'b', '-x', 'c.minisig', '-p', 'c.pub');
  }
});
