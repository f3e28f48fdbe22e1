// Category lists in the layout of UT1 (Université Toulouse Capitole): a folder a category, in it `domains`, a domain a line,
// or `domains.gz`. The paper's authors label by them too (paper 4). The lists are fetched by whoever uses them.

import { createReadStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { InputError } from '../errors.ts';
import { type CategoryLookup, domainsOf, type LabelMatch } from './label-table.ts';

/** Categories of UT1 that stand for a service; what is in several is what the first one says. */
const UT1_SERVICES: Readonly<Record<string, string>> = {
  publicite: 'infrastructure',
  doh: 'infrastructure',
  vpn: 'infrastructure',
  chat: 'chat',
  webmail: 'mail',
  social_networks: 'social',
  games: 'games',
  'audio-video': 'streaming',
  radio: 'streaming',
  filehosting: 'download',
  download: 'download',
  update: 'download',
  search_engines: 'search',
  press: 'web',
  shopping: 'web',
  blog: 'web',
  forums: 'web',
  bank: 'web',
};

/**
 * Reads the lists of a folder that UT1_SERVICES knows; others are left alone.
 *
 * @throws InputError ERR_LABELS: no such folder, or none of the lists in it
 */
export async function readUt1(folder: string): Promise<CategoryLookup> {
  const facts = await stat(folder).catch(() => undefined);
  if (facts?.isDirectory() !== true) {
    throw new InputError(
      'ERR_LABELS',
      `category lists ${folder}: no such directory, expected one folder a category with a file "domains" in it`,
    );
  }
  const categories = new Map<string, string>();
  const lists = listFiles(folder);
  for (const [category, path] of lists) {
    const source = path.endsWith('.gz')
      ? createReadStream(path).pipe(createGunzip())
      : createReadStream(path);
    for await (const line of createInterface({ input: source })) {
      const domain = line.trim().toLowerCase();
      if (domain !== '' && !categories.has(domain)) categories.set(domain, category);
    }
  }
  if (lists.length === 0) {
    throw new InputError(
      'ERR_LABELS',
      `category lists ${folder}: none of ${Object.keys(UT1_SERVICES).join(', ')} in it`,
    );
  }
  return { find: (host) => findCategory(host, categories, folder) };
}

/** Categories and files of the lists that there are. */
export function listFiles(folder: string): [category: string, path: string][] {
  return Object.keys(UT1_SERVICES).flatMap((category) => {
    const path = join(folder, category, 'domains');
    const found = [path, `${path}.gz`].find((name) => existsSync(name));
    return found === undefined ? [] : [[category, found]];
  });
}

/** The most special domain that is listed. */
function findCategory(
  host: string,
  categories: ReadonlyMap<string, string>,
  folder: string,
): LabelMatch | undefined {
  for (const domain of domainsOf(host)) {
    const category = categories.get(domain);
    const service = category === undefined ? undefined : UT1_SERVICES[category];
    if (category !== undefined && service !== undefined) {
      return {
        service,
        application: undefined,
        by: 'category',
        matched: domain,
        place: join(folder, category),
      };
    }
  }
  return undefined;
}
