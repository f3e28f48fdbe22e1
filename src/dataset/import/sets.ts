// What a set means by its packets and sizes: a known set by its name, any other by a file that describes it.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { PACKET_KINDS } from '../../features/packet-rule.ts';
import { parseCheckedYaml } from '../checked-yaml.ts';
import { SIZE_MEANINGS } from './headers.ts';

const KNOWN_SETS: string = fileURLToPath(
  new URL('../../../../src/dataset/import/sets.yaml', import.meta.url),
);

const setSchema = z.strictObject({
  /** The `source` of its rows. */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and -'),
  size: z.enum(SIZE_MEANINGS),
  kinds: z.enum(PACKET_KINDS),
  repeats: z.boolean(),
  /** Where all its flows are of one. */
  protocol: z.enum(['tcp', 'udp']).optional(),
  ipVersion: z.union([z.literal(4), z.literal(6)]).optional(),
  leftOut: z.string().min(1),
  licence: z.string().min(1),
  origin: z.string().min(1),
});
export type SetDescription = z.infer<typeof setSchema>;

const fileSchema = z.strictObject({
  version: z.literal(1),
  sets: z.array(setSchema).min(1),
});

/** @throws InputError ERR_SETS */
export async function readSets(path: string = KNOWN_SETS): Promise<SetDescription[]> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new InputError('ERR_SETS', `sets ${path}: cannot be read (${cause.code})`, {
      cause,
    });
  });
  const place = path === KNOWN_SETS ? 'sets.yaml' : path;
  const source = { place, what: 'sets', code: 'ERR_SETS' };
  return parseCheckedYaml(text, fileSchema, source).value.sets;
}

/**
 * @param name of a set
 * @param file that describes sets; undefined: the known ones
 * @throws InputError ERR_SETS
 */
export async function findSet(
  name: string,
  file: string | undefined,
): Promise<SetDescription> {
  const sets = await readSets(file);
  const found = sets.find((set) => set.name === name);
  if (found !== undefined) return found;
  const names = sets.map((set) => set.name).join(', ');
  throw new InputError(
    'ERR_SETS',
    `no set is called "${name}"; ${file ?? 'known'} ${file === undefined ? 'are' : 'has'} ${names}. Describe another one in a file: --sets FILE (docs/import.md)`,
  );
}
