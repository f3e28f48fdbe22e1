// What the controller knows the site by: taken from the configuration, a file or the environment, and never shown.

import { fstatSync } from 'node:fs';
import { readBounded } from './bounded-file.ts';
import { TOKEN_EXPECTED, tokenSchema } from './config-schema.ts';

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

/** A token, or why there is none: completes "report.tokenFile is …". */
export type TokenFound =
  | { readonly token: Token; readonly warning?: string }
  | { readonly fault: string };

const TOKEN_FILE_BYTES_MAX = 64 * 1024;
const READABLE_BY_OTHERS = 0o004;

/** The first line of a file. */
export function tokenOfFile(path: string): TokenFound {
  let mode = 0;
  let text: string | undefined;
  try {
    text = readBounded(path, TOKEN_FILE_BYTES_MAX, (file) => {
      ({ mode } = fstatSync(file));
    });
  } catch (cause) {
    return { fault: `cannot be read (${(cause as NodeJS.ErrnoException).code})` };
  }
  const [line = ''] = (text ?? '').split(/\r?\n/, 1);
  const value = line.trim();
  if (!tokenSchema.safeParse(value).success) {
    return { fault: `has no token in its first line, expected ${TOKEN_EXPECTED}` };
  }
  const token = new Token('tokenFile', value);
  if ((mode & READABLE_BY_OTHERS) === 0) return { token };
  return {
    token,
    warning: `${path} can be read by every user of this machine, and holds a token: chmod o-r ${path}`,
  };
}

/** The value of an environment variable; undefined where it is not set or empty. */
export function tokenOfVariable(value: string | undefined): TokenFound | undefined {
  const trimmed = value?.trim() ?? '';
  if (trimmed === '') return undefined;
  return tokenSchema.safeParse(trimmed).success
    ? { token: new Token('tokenEnv', trimmed) }
    : { fault: `holds no token, expected ${TOKEN_EXPECTED}` };
}
