// A YAML file -> a training's configuration; every fault with its place, all of them at once.

import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { ConfigError, InputError } from '../../src/errors.ts';
import { type TrainingConfig, trainingConfigSchema } from './training-config.ts';

/** What the command line may say instead of the file. */
export interface ConfigOverrides {
  readonly data?: string | undefined;
  readonly split?: string | undefined;
  readonly seed?: number | undefined;
  readonly epochs?: number | undefined;
}

/**
 * @throws InputError ERR_CONFIG_FILE: cannot be read
 * @throws ConfigError ERR_TRAINING_CONFIG: no YAML, unknown keys, wrong values
 */
export async function readTrainingConfig(
  path: string,
  overrides: ConfigOverrides = {},
): Promise<TrainingConfig> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new InputError(
      'ERR_CONFIG_FILE',
      `configuration ${path} cannot be read (${cause.code}); expected a YAML file, \`sluice train --keys\` lists its keys`,
      { cause },
    );
  });
  return parseTrainingConfig(text, path, overrides);
}

/** @throws ConfigError ERR_TRAINING_CONFIG */
export function parseTrainingConfig(
  text: string,
  path: string,
  overrides: ConfigOverrides = {},
): TrainingConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw configError(
      document.errors.map(
        ({ message, pos }) => `${path} line ${lines.linePos(pos[0]).line}: ${message}`,
      ),
    );
  }
  const parsed = trainingConfigSchema.safeParse(
    overridden(document.toJS({ maxAliasCount: 10 }), overrides),
  );
  if (parsed.success) return parsed.data;
  throw configError(
    parsed.error.issues.map((issue) => {
      const key = issue.path.join('.');
      return `${path}: ${key === '' ? '' : `${key}: `}${issue.message}`;
    }),
  );
}

function configError(faults: readonly string[]): ConfigError {
  const hint = '`sluice train --keys` lists every key with its meaning';
  return new ConfigError('ERR_TRAINING_CONFIG', [...faults, hint].join('\n'));
}

function overridden(value: unknown, overrides: ConfigOverrides): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const given = value as Record<string, unknown>;
  const { data, split, seed, epochs } = overrides;
  const part = (name: string, own: Record<string, unknown>) => {
    const set = Object.entries(own).filter(([, wanted]) => wanted !== undefined);
    if (set.length === 0) return given[name];
    const known = given[name];
    return {
      ...(typeof known === 'object' ? known : {}),
      ...Object.fromEntries(set),
    };
  };
  return {
    ...given,
    data: part('data', { directory: data, split }),
    // Left out altogether, a key is not there; it is not undefined.
    ...(seed === undefined && epochs === undefined
      ? {}
      : { training: part('training', { seed, epochs }) }),
  };
}

/** Every key with its default and meaning, a line each. */
export function configKeys(): string[] {
  const schema = z.toJSONSchema(trainingConfigSchema, { io: 'input' }) as JsonSchema;
  return keysOf(schema, '');
}

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

function keysOf(schema: JsonSchema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${prefix}${name}`;
    if (property.properties !== undefined) return keysOf(property, `${key}.`);
    const standard =
      property.default !== undefined
        ? `default ${JSON.stringify(property.default)}`
        : schema.required?.includes(name)
          ? 'to be given'
          : 'optional';
    const values = (property.enum ?? property.items?.enum ?? []).join(', ');
    const words = [property.description ?? '', values === '' ? '' : `(${values})`];
    return [`${key}  [${standard}]`, `    ${words.join(' ').trim()}`];
  });
}
