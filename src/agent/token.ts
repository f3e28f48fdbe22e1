// What the controller knows the site by: taken from the configuration, a file or the environment, and never shown.

import { fstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { readBounded } from './bounded-file.ts';
import { show } from './config-faults.ts';
import { type FileSettings, TOKEN_EXPECTED, tokenSchema } from './config-schema.ts';

/** `process.env` or the like. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The key of the configuration that has led to the token. */
export type TokenSource = 'token' | 'tokenFile' | 'tokenEnv';

/** A secret that does not get into logs and dumps by mistake. */
export class Token {
  readonly source: TokenSource;
  readonly #value: string;

  constructor(source: TokenSource, value: string) {
    this.source = source;
    this.#value = value;
  }

  /** The secret itself. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return `<from ${this.source}>`;
  }

  toJSON(): string {
    return this.toString();
  }
}

export interface TokenSearch {
  readonly token?: Token;
  /** A line for people. */
  readonly warning?: string;
  readonly fault?: { readonly key: string; readonly text: string };
}

const TOKEN_FILE_BYTES_MAX = 64 * 1024;
const READABLE_BY_OTHERS = 0o004;

/** @param directory from which a relative path leads to the token's file */
export function findToken(
  { token, tokenFile, tokenEnv, controller }: FileSettings['report'],
  directory: string,
  env: Environment,
): TokenSearch {
  if (token !== undefined) return { token: new Token('token', token) };
  if (tokenFile !== undefined) return tokenOfFile(resolve(directory, tokenFile));
  // What every object has, such as toString, is no variable.
  const value = (Object.hasOwn(env, tokenEnv) ? env[tokenEnv]?.trim() : undefined) ?? '';
  // Who reports nothing does not care what some variable holds.
  if (controller === undefined || value === '') return {};
  if (tokenSchema.safeParse(value).success)
    return { token: new Token('tokenEnv', value) };
  const key = 'report.tokenEnv';
  const text = `${key} is ${tokenEnv}, which holds no token, expected ${TOKEN_EXPECTED}`;
  return { fault: { key, text } };
}

/** The first line of a file. */
function tokenOfFile(path: string): TokenSearch {
  const key = 'report.tokenFile';
  let mode = 0;
  let text: string | undefined;
  try {
    text = readBounded(path, TOKEN_FILE_BYTES_MAX, (file) => {
      ({ mode } = fstatSync(file));
    });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = `${key} is ${show(path)}, which cannot be read (${code})`;
    return { fault: { key, text: `${why}, expected a file with the token` } };
  }
  const [line = ''] = (text ?? '').split(/\r?\n/, 1);
  const value = line.trim();
  if (!tokenSchema.safeParse(value).success) {
    const why = `${key} is ${show(path)}, which has no token in its first line`;
    return { fault: { key, text: `${why}, expected ${TOKEN_EXPECTED}` } };
  }
  const token = new Token('tokenFile', value);
  if ((mode & READABLE_BY_OTHERS) === 0) return { token };
  return {
    token,
    warning: `${path} holds a token and can be read by every user of this machine: chmod o-r ${path}`,
  };
}
