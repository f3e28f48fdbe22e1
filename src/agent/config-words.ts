// The words of the configuration's schema, for comments and documentation.

import type { z } from 'zod';
import { factsOf, keysOf } from './config-key.ts';
import { configSchema } from './config-schema.ts';

export interface KeyWords {
  readonly name: string;
  /** Meaning and allowed values, in sentences. */
  readonly meaning: string;
  /** A value as YAML, or words where there is none. */
  readonly fallback: { readonly value: unknown } | { readonly words: string };
}

export interface SectionWords {
  /** undefined: the keys at the top. */
  readonly name: string | undefined;
  readonly meaning: string;
  readonly keys: readonly KeyWords[];
}

/** All sections in the order of the schema, the keys at the top first. */
export function configWords(): SectionWords[] {
  const entries: [string, z.ZodType][] = Object.entries(configSchema.shape);
  const top = entries.filter(([, schema]) => keysOf(schema) === undefined);
  return [
    {
      name: undefined,
      meaning: 'At the top of the file.',
      keys: top.map(([name, schema]) => keyWords(name, schema)),
    },
    ...entries.flatMap(([name, schema]) => {
      const keys = keysOf(schema);
      if (keys === undefined) return [];
      const { meaning } = factsOf(schema);
      const words = Object.entries(keys).map(([inner, each]) => keyWords(inner, each));
      return [{ name, meaning, keys: words }];
    }),
  ];
}

function keyWords(name: string, schema: z.ZodType): KeyWords {
  const { meaning, expected, absent } = factsOf(schema);
  return {
    name,
    meaning: `${meaning} ${expected.charAt(0).toUpperCase()}${expected.slice(1)}.`,
    fallback:
      absent === undefined ? { value: schema.parse(undefined) } : { words: absent },
  };
}
