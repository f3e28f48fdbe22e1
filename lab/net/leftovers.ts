// What a run that was killed has left: namespaces with their devices, processes in them, folders.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../processes.ts';
import { NETNS_CONFIG, PREFIX } from './names.ts';
import { endProcesses } from './space-processes.ts';

const NAMESPACES = '/run/netns';

/** Removes it all; to be called before anything of this process is made. Gives what was removed, in words. */
export async function removeLeftovers(): Promise<string[]> {
  const removed: string[] = [];
  for (const name of orphans(NAMESPACES)) {
    const ended = await endProcesses(name);
    await run('ip', ['netns', 'delete', name]);
    removed.push(
      `namespace ${name}${ended === 0 ? '' : ` and ${ended} processes in it`}`,
    );
  }
  for (const folder of [NETNS_CONFIG, tmpdir()]) {
    for (const name of orphans(folder)) {
      rmSync(join(folder, name), { recursive: true, force: true });
      removed.push(join(folder, name));
    }
  }
  return removed;
}

/** Entries of the lab's whose process is gone. */
function orphans(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => {
    if (!name.startsWith(PREFIX)) return false;
    const owner = Number(/^\d+/.exec(name.slice(PREFIX.length))?.[0] ?? Number.NaN);
    // One that bears our own number is of an earlier process: nothing has been made yet.
    return owner === process.pid || (Number.isInteger(owner) && !isLab(owner));
  });
}

/** A lab is running under that process id. */
function isLab(pid: number): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return command.includes('lab/run') || command.includes('test/lab');
  } catch {
    return false;
  }
}
