// Data sets built by the command line, as a user does.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { jsonLines, type Outcome, ROOT, sluice } from './sluice.ts';

export const DEMO: string = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');
/** Sixteen captures with labels beside them. */
export const LAB: string = join(ROOT, 'lab/dataset');

/** Runs `sluice dataset`, with patience. */
export function dataset(...args: readonly string[]): Promise<Outcome> {
  return sluice(['dataset', ...args], undefined, BUILD_LIMIT_MS);
}

/** Builds without a fault; what --json tells. */
export async function build(
  t: ExecutionContext,
  out: string,
  ...args: readonly string[]
): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await dataset(
    'build',
    '--json',
    '--out',
    out,
    ...args,
  );
  t.is(code, 0, stderr);
  const [summary = {}] = jsonLines(stdout);
  return summary;
}

/** For a machine under load; a build of the lab takes seconds. */
const BUILD_LIMIT_MS = 300_000;

/** All files of a folder with their bytes, by name. */
export async function contentOf(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const names = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  const content = await Promise.all(
    names.map(async (name) => [name.slice(folder.length), await readFile(name)] as const),
  );
  return new Map(content);
}

/** Both folders hold the same files with the same bytes. */
export async function sameContent(
  t: ExecutionContext,
  one: string,
  other: string,
): Promise<void> {
  const [a, b] = [await contentOf(one), await contentOf(other)];
  t.deepEqual([...a.keys()], [...b.keys()]);
  for (const [name, bytes] of a) t.true(b.get(name)?.equals(bytes), name);
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
