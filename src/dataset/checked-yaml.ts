// A YAML file that people write -> a checked value; faults name the file, the line and what was expected there.

import { LineCounter, parseDocument } from 'yaml';
import type { ZodType } from 'zod';
import { InputError } from '../errors.ts';

export interface YamlSource {
  /** What the text is called in faults. */
  readonly place: string;
  /** What it is: "labels", "apps". */
  readonly what: string;
  /** Of the fault. */
  readonly code: string;
}

export interface CheckedYaml<T> {
  readonly value: T;
  /** "FILE:LINE" of the value at a path, or of the nearest above it. */
  readonly lineOf: (path: readonly PropertyKey[]) => string;
}

/** @throws InputError what is wrong first, with its line */
export function parseCheckedYaml<T>(
  text: string,
  schema: ZodType<T>,
  source: YamlSource,
): CheckedYaml<T> {
  const { place, what, code } = source;
  const fault = (line: string, message: string): InputError =>
    new InputError(code, `${what} ${line}: ${message}`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): string =>
    `${place}:${lines.linePos(offset).line || 1}`;
  const [broken] = document.errors;
  if (broken !== undefined) throw fault(lineAt(broken.pos[0]), broken.message);
  const lineOf = (path: readonly PropertyKey[]): string => {
    for (let depth = path.length; depth > 0; depth--) {
      const node = document.getIn(path.slice(0, depth), true) as
        | { range?: readonly number[] }
        | undefined;
      if (node?.range?.[0] !== undefined) return lineAt(node.range[0]);
    }
    return `${place}:1`;
  };
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw fault(`${place}:1`, (cause as Error).message);
  }
  const parsed = schema.safeParse(plain);
  if (parsed.success) return { value: parsed.data, lineOf };
  const [issue] = parsed.error.issues;
  const path = issue?.path ?? [];
  const where = path.length === 0 ? '' : `${path.join('.')}: `;
  throw fault(lineOf(path), `${where}${issue?.message ?? `not ${what}`}`);
}
