// What a file holds, and the choices of the command line over it: keys and sections, not validated yet.

import { resolve } from 'node:path';
import type { z } from 'zod';
import { keysOf } from './config-key.ts';
import { configSchema } from './config-schema.ts';

/** Keys and sections by name; a copy of its own, of which sections may be changed. */
export type Tree = Record<string, unknown>;

/** What a person chose on the command line; paths are from the working directory. */
export interface ConfigOverrides {
  readonly interface?: string | undefined;
  readonly site?: string | undefined;
  readonly controller?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly bundle?: string | undefined;
  readonly trustedKeys?: readonly string[] | undefined;
  readonly allowUnsigned?: boolean | undefined;
  readonly windowMs?: number | undefined;
}

/** A choice's flag and the key that it stands for. */
const OVERRIDES: Readonly<
  Record<keyof ConfigOverrides, { flag: string; path: readonly string[]; isPath?: true }>
> = {
  interface: { flag: '--interface', path: ['interface'] },
  site: { flag: '--site', path: ['site'] },
  controller: { flag: '--controller', path: ['report', 'controller'] },
  tokenFile: { flag: '--token-file', path: ['report', 'tokenFile'], isPath: true },
  bundle: { flag: '--bundle', path: ['classify', 'bundle'], isPath: true },
  trustedKeys: { flag: '--trusted-key', path: ['classify', 'trustedKeys'] },
  allowUnsigned: { flag: '--allow-unsigned', path: ['classify', 'allowUnsigned'] },
  windowMs: { flag: '--window-ms', path: ['report', 'windowMs'] },
};

/** Sections that are empty have their defaults; undefined for what is no map. */
export function treeOf(value: unknown): Tree | undefined {
  if (value === null) return {};
  if (!isMap(value)) return undefined;
  // Aliases may have made one section of two.
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      if (inner === null && isSection(key)) return [];
      return [[key, isMap(inner) ? { ...inner } : inner]];
    }),
  );
}

export function isMap(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSection(name: string): boolean {
  const known: Readonly<Record<string, z.ZodType>> = configSchema.shape;
  const schema = Object.hasOwn(known, name) ? known[name] : undefined;
  return schema !== undefined && keysOf(schema) !== undefined;
}

/** Puts choices over a tree; gives their flags by the keys' names. */
export function override(tree: Tree, overrides: ConfigOverrides): Map<string, string> {
  const flags = new Map<string, string>();
  for (const [name, { flag, path, isPath }] of Object.entries(OVERRIDES)) {
    const given = overrides[name as keyof ConfigOverrides];
    if (given === undefined) continue;
    const value = isPath && given !== '' ? resolve(String(given)) : given;
    const [key = '', inner] = path;
    if (inner === undefined) tree[key] = value;
    else {
      tree[key] ??= {};
      const section = tree[key];
      // What stands there is no section: a fault of its own.
      if (!isMap(section)) continue;
      section[inner] = value;
      if (name === 'tokenFile') delete section.token;
    }
    flags.set(path.join('.'), flag);
  }
  return flags;
}
