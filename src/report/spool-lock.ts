// One process a spool. A lock is an empty file whose name tells its holder: it needs no room on a full disk, is never
// seen half written, and one of a dead process can be removed without taking a newer one with it.

import { open, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SpoolError } from '../errors.ts';

const PREFIX = 'lock-';

/**
 * Takes the lock; the answer is its path, to be removed at the end. Two that come at the same moment may both be refused.
 *
 * @throws SpoolError ERR_SPOOL_LOCKED, or what the system says
 */
export async function takeLock(directory: string): Promise<string> {
  const mine = `${PREFIX}${await lifeOf(process.pid)}`;
  const path = join(directory, mine);
  const handle = await open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'EEXIST' ? locked(directory, process.pid) : cause;
  });
  await handle.close();
  try {
    for (const name of await readdir(directory)) {
      if (name.startsWith(PREFIX) && name !== mine) await removeDead(directory, name);
    }
  } catch (cause) {
    await unlink(path);
    throw cause;
  }
  return path;
}

async function removeDead(directory: string, name: string): Promise<void> {
  const pid = Number(name.slice(PREFIX.length).split('-')[0]);
  if (name === `${PREFIX}${await lifeOf(pid)}`) throw locked(directory, pid);
  await unlink(join(directory, name)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
  });
}

function locked(directory: string, pid: number): SpoolError {
  return new SpoolError(
    'ERR_SPOOL_LOCKED',
    `spool ${directory} is in use by process ${pid}, expected one process a spool: stop that one, or name another folder`,
  );
}

/**
 * `pid-start-boot`: a pid alone comes again, after a restart of the machine or of a container most likely the same.
 * undefined where no such process lives (proc(5): `stat` fields 3 and 22).
 */
async function lifeOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in brackets and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'latin1');
    return `${pid}-${fields[19]}-${boot.slice(0, 8)}`;
  } catch {
    return undefined;
  }
}
