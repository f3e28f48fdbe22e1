// The scenario files of a folder, checked.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { InputError } from '../../src/errors.ts';
import { compileScenario } from './compile.ts';
import { SCENARIO, type Scenario, type ScenarioStep } from './scenario.ts';
import { type Ability, NEEDS } from './step.ts';

/** A scenario and its name: SERVICE/FILE without the ending. */
export interface NamedScenario extends Scenario {
  readonly name: string;
  /** Of whoever plays it. */
  readonly needs: ReadonlySet<Ability>;
}

/** All of `directory`/SERVICE/*.yaml, in order of name. @throws InputError in one line a fault, with the file's name. */
export function loadScenarios(directory: string): NamedScenario[] {
  if (!existsSync(directory))
    throw new InputError('ERR_LAB_SCENARIO', `${directory}: no such folder of scenarios`);
  const files = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(directory, name))
        .filter((file) => file.endsWith('.yaml'))
        .map((file) => join(name, file)),
    );
  return files.sort().map((file) => loadScenario(join(directory, file), file));
}

function loadScenario(path: string, file: string): NamedScenario {
  const scenario = readYaml(path, SCENARIO, 'ERR_LAB_SCENARIO');
  const [service = '', name = ''] = file.split('/');
  if (service !== scenario.service) {
    throw new InputError(
      'ERR_LAB_SCENARIO',
      `${path}: service ${scenario.service} in the folder of ${service}`,
    );
  }
  const needs = new Set(needsOf(scenario.steps));
  const named = { ...scenario, needs, name: `${service}/${basename(name, '.yaml')}` };
  // So that a wrong name shows at once, whichever way is drawn later.
  for (let seed = 0; seed < 20; seed++) compileScenario(named, seed);
  return named;
}

function needsOf(steps: readonly ScenarioStep[]): Ability[] {
  return steps.flatMap((step) =>
    Object.entries(step).flatMap(([key, value]) => {
      if (key === 'steps') return needsOf(value);
      if (key === 'choose')
        return (value as { steps: ScenarioStep[] }[]).flatMap((way) =>
          needsOf(way.steps),
        );
      return NEEDS[key] ?? [];
    }),
  );
}

/** A YAML file by its schema. @throws InputError with `code`: what is wrong and where, in one line. */
export function readYaml<T>(path: string, schema: z.ZodType<T>, code: string): T {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (fault) {
    throw new InputError(code, `${path}: cannot be read`, { cause: fault });
  }
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined)
    throw new InputError(code, `${path}: ${error.message.split('\n')[0]}`);
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  throw new InputError(
    code,
    `${path}: ${z.prettifyError(parsed.error).replace(/\n\s*/g, ' ')}`,
  );
}
