// Names of applications as public sets have them -> service and application, by a table of rules.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { parseCheckedYaml } from '../checked-yaml.ts';

export const SHIPPED_APPS: string = fileURLToPath(
  new URL('../../../../src/dataset/import/apps.yaml', import.meta.url),
);

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and -');
const tableSchema = z.strictObject({
  version: z.literal(1),
  apps: z
    .array(
      z.strictObject({
        /** None: the application is known, but of no one service. */
        service: name.optional(),
        application: name,
        names: z.array(z.string().min(1)).min(1),
      }),
    )
    .min(1),
});

export interface AppLabel {
  readonly service: string | undefined;
  readonly application: string;
}

export class AppTable {
  readonly #labels: ReadonlyMap<string, AppLabel>;

  constructor(labels: ReadonlyMap<string, AppLabel>) {
    this.#labels = labels;
  }

  get labels(): readonly AppLabel[] {
    return [...this.#labels.values()];
  }

  /** undefined: no rule has the name. */
  find(app: string): AppLabel | undefined {
    return this.#labels.get(plainName(app));
  }
}

/** One name however a set spells it: "Google Drive", "google-drive" and "google_drive" are the same. */
function plainName(app: string): string {
  return app.trim().toLowerCase().replaceAll(/[ _]+/g, '-');
}

/** @throws InputError ERR_APPS: what is wrong first, with its line */
export function parseAppTable(text: string, place: string): AppTable {
  const source = { place, what: 'apps', code: 'ERR_APPS' };
  const { value, lineOf } = parseCheckedYaml(text, tableSchema, source);
  const labels = new Map<string, AppLabel>();
  for (const [i, { service, application, names }] of value.apps.entries()) {
    for (const [n, name] of names.entries()) {
      const plain = plainName(name);
      if (labels.has(plain)) {
        const line = lineOf(['apps', i, 'names', n]);
        throw new InputError('ERR_APPS', `apps ${line}: ${name} stands in two rules`);
      }
      labels.set(plain, { service, application });
    }
  }
  return new AppTable(labels);
}

export interface ReadApps {
  readonly table: AppTable;
  readonly text: string;
}

/** @throws InputError ERR_APPS */
export async function readAppTable(path: string): Promise<ReadApps> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new InputError('ERR_APPS', `apps ${path}: cannot be read (${cause.code})`, {
      cause,
    });
  });
  const place = path === SHIPPED_APPS ? 'apps.yaml' : path;
  return { table: parseAppTable(text, place), text };
}
