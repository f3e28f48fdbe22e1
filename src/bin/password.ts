// The password of a secret key: the first line of a file, or asked for at the terminal, unseen.

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { InputError } from '../errors.ts';
import { readSmall } from './bundle-files.ts';

/**
 * Finds a password.
 *
 * @param use a new one is asked for twice
 * @throws InputError ERR_PASSWORD
 */
export async function passwordFor(
  key: string,
  file: string | undefined,
  use: 'new' | 'known',
): Promise<string> {
  const password =
    file === undefined
      ? await ask(`Password of ${key}: `, key)
      : ((await readSmall(file, 'a file whose first line is the password')).split(
          /\r?\n/,
        )[0] ?? '');
  if (password === '') {
    throw new InputError(
      'ERR_PASSWORD',
      `the password of ${key} is empty; give one, or make the key with --no-password`,
    );
  }
  if (
    file === undefined &&
    use === 'new' &&
    (await ask('Once more: ', key)) !== password
  ) {
    throw new InputError('ERR_PASSWORD', 'the two passwords differ, nothing was made');
  }
  return password;
}

async function ask(question: string, key: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new InputError(
      'ERR_PASSWORD',
      `the password of ${key} cannot be asked for without a terminal; give --password-file, or make the key with --no-password`,
    );
  }
  process.stderr.write(question);
  const mute = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: mute, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () =>
        reject(new InputError('ERR_PASSWORD', 'interrupted, nothing was made')),
      );
      lines.once('close', () => reject(new InputError('ERR_PASSWORD', 'no password')));
    });
  } finally {
    lines.removeAllListeners();
    lines.close();
    process.stderr.write('\n');
  }
}
