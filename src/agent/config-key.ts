// What a key of the configuration says about itself beside its schema: one place for messages, comments and documentation.

import { z } from 'zod';

/** Facts of a key or a section. */
export interface KeyFacts {
  /** A sentence or two. */
  readonly meaning: string;
  /** Completes "expected …". */
  readonly expected: string;
  /** What holds where the key is left out and the schema has no default. */
  readonly absent?: string;
}

const FACTS = z.registry<KeyFacts>();

/** The schema with its facts. `absent` makes the key optional. */
export function key<S extends z.ZodType>(
  schema: S,
  facts: KeyFacts & { readonly absent: string },
): z.ZodOptional<S>;
export function key<S extends z.ZodType>(schema: S, facts: KeyFacts): S;
export function key(schema: z.ZodType, facts: KeyFacts): z.ZodType {
  const whole = facts.absent === undefined ? schema : schema.optional();
  const described = whole.describe(facts.meaning);
  FACTS.add(described, facts);
  return described;
}

/** Keys under a name; left out or empty, all of them have their defaults. */
export function section<Shape extends z.ZodRawShape>(meaning: string, shape: Shape) {
  const described = z
    .strictObject(shape)
    .prefault({} as never)
    .describe(meaning);
  FACTS.add(described, { meaning, expected: 'a map of keys' });
  return described;
}

export function factsOf(schema: z.ZodType): KeyFacts {
  const facts = FACTS.get(schema);
  if (facts === undefined)
    throw new Error('every key of the configuration has its facts');
  return facts;
}

/** The keys of a section; undefined for a plain key. */
export function keysOf(
  schema: z.ZodType,
): Readonly<Record<string, z.ZodType>> | undefined {
  if (!(schema instanceof z.ZodPrefault)) return undefined;
  const inner = schema.unwrap();
  return inner instanceof z.ZodObject
    ? (inner.shape as Record<string, z.ZodType>)
    : undefined;
}

/** A whole number with a default. */
export function whole(
  fallback: number,
  [least, most]: readonly [number, number],
  meaning: string,
) {
  return key(z.number().int().min(least).max(most).default(fallback), {
    meaning,
    expected: `a whole number from ${least} to ${most}`,
  });
}

/** `true` or `false`. */
export function flag(fallback: boolean, meaning: string) {
  return key(z.boolean().default(fallback), { meaning, expected: 'true or false' });
}
