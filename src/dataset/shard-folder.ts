// What lies in a data set's folder of shards, and what of it nobody works on any more.

import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { PARTIAL_SUFFIX, SHARD_FOLDER } from './dataset-file.ts';

const SHARD = /^([0-9a-f]{16})\.parquet$/;
/** Of a shard that another machine is at; no capture takes so long from one write to the next. */
const STALE_MS = 86_400_000;

/** Ids of the shards that stand. */
export async function standingShards(directory: string): Promise<string[]> {
  const names = await namesIn(directory);
  return names.flatMap((name) => SHARD.exec(name)?.[1] ?? []);
}

/**
 * Removes what builds have left behind that were killed: of this machine where their process has gone, of others after a day.
 * Nothing of a build that is at work.
 */
export async function removeStale(directory: string): Promise<number> {
  const partial = (await namesIn(directory)).filter((n) => n.endsWith(PARTIAL_SUFFIX));
  let removed = 0;
  for (const name of partial) {
    const path = join(directory, SHARD_FOLDER, name);
    if (isOwned(name) && !(await isOld(path))) continue;
    await rm(path, { force: true });
    removed++;
  }
  return removed;
}

/** Removes what this process has not finished. */
export async function removeOwn(directory: string): Promise<void> {
  const own = `.${hostname()}.${process.pid}${PARTIAL_SUFFIX}`;
  for (const name of await namesIn(directory)) {
    if (name.endsWith(own))
      await rm(join(directory, SHARD_FOLDER, name), { force: true });
  }
}

/** Whether somebody may still be writing it. The name: partialPath of dataset-file.ts. */
function isOwned(name: string): boolean {
  const [, host, pid] = /^[^.]+\.(?:spool\.)?(.+)\.(\d+)\.partial$/.exec(name) ?? [];
  if (host === undefined || pid === undefined) return false;
  if (host !== hostname()) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function isOld(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined);
  return facts !== undefined && Date.now() - facts.mtimeMs > STALE_MS;
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(join(directory, SHARD_FOLDER)).catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === 'ENOENT') return [];
    throw fault;
  });
}
