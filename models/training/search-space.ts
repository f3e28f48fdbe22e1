// What a search may turn: dotted keys of a training's configuration, with lists of values or ranges. Unknown keys are refused by
// the configuration's own schema before anything is trained.

import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConfigError, InputError } from '../../src/errors.ts';
import { type Random, seededRandom } from '../random.ts';
import { type TrainingConfig, trainingConfigSchema } from './training-config.ts';

const range = z
  .strictObject({
    from: z.number(),
    to: z.number(),
    /** Drawn evenly in the logarithm: for rates and sizes. */
    log: z.boolean().default(false),
    whole: z.boolean().default(false),
  })
  .refine(({ from, to }) => from < to, 'from is not below to')
  .refine(({ from, log }) => !log || from > 0, 'with log, from has to be above 0');
const spaceSchema = z.record(
  z
    .string()
    .regex(
      /^[A-Za-z]\w*(\.[A-Za-z]\w*)+$/,
      'expected a key such as training.learningRate',
    ),
  z.union([z.array(z.unknown()).min(1), range]),
);
export type SearchSpace = z.infer<typeof spaceSchema>;

/** What a search must not turn: it would compare what cannot be compared. */
const FIXED = ['data.directory', 'data.split', 'data.fold', 'data.level', 'data.heldOut'];

/** @throws InputError ERR_CONFIG_FILE, ConfigError ERR_SEARCH_SPACE */
export async function readSearchSpace(path: string): Promise<SearchSpace> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new InputError(
      'ERR_CONFIG_FILE',
      `search space ${path} cannot be read (${cause.code})`,
      {
        cause,
      },
    );
  });
  return parseSearchSpace(text, path);
}

/** @throws ConfigError ERR_SEARCH_SPACE */
export function parseSearchSpace(text: string, path: string): SearchSpace {
  const fault = (words: string) =>
    new ConfigError(
      'ERR_SEARCH_SPACE',
      `${path}: ${words}; expected keys of a configuration, each with a list of values or {from, to, log}`,
    );
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw fault((cause as Error).message.split('\n')[0] ?? 'no YAML');
  }
  const parsed = spaceSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw fault(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
  }
  if (Object.keys(parsed.data).length === 0) throw fault('no key to turn');
  const fixed = Object.keys(parsed.data).find((key) => FIXED.includes(key));
  if (fixed !== undefined) throw fault(`${fixed} cannot be searched`);
  return parsed.data;
}

/** The values of trial `number` (from 1): the same number always draws the same. */
export function drawTrial(space: SearchSpace, seed: number, number: number) {
  const random = seededRandom(seed * 7919 + number);
  const keys = Object.keys(space).sort();
  return Object.fromEntries(
    keys.map((key) => [key, drawValue(space[key] ?? [], random)] as const),
  );
}

function drawValue(values: SearchSpace[string], random: Random): unknown {
  const share = random();
  if (Array.isArray(values)) return values[Math.floor(share * values.length)];
  const { from, to, log, whole } = values;
  const drawn = log ? from * (to / from) ** share : from + (to - from) * share;
  return whole ? Math.round(drawn) : Number(drawn.toPrecision(4));
}

/** The configuration with these values. @throws ConfigError ERR_SEARCH_SPACE: no such key, or no value for it */
export function withValues(
  config: TrainingConfig,
  values: Readonly<Record<string, unknown>>,
): TrainingConfig {
  const changed = structuredClone(config) as Record<string, unknown>;
  for (const [key, value] of Object.entries(values)) {
    const path = key.split('.');
    const last = path.pop() ?? '';
    let place = changed;
    for (const name of path) {
      const next = place[name] ?? {};
      place[name] = next;
      place = next as Record<string, unknown>;
    }
    place[last] = value;
  }
  const parsed = trainingConfigSchema.safeParse(changed);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConfigError(
    'ERR_SEARCH_SPACE',
    `the search space makes a wrong configuration: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
}
