// What a run that was killed has left: namespaces with their devices, processes in them, folders.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../processes.ts';
import { NETNS_CONFIG, PREFIX } from './world.ts';

const NAMESPACES = '/run/netns';
const GRACE_MS = 1500;
const LOOK_MS = 50;

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

/** Whatever runs in a namespace of that name was started by a lab that is gone. */
async function endProcesses(space: string): Promise<number> {
  const pidsIn = async (): Promise<number[]> =>
    (await run('ip', ['netns', 'pids', space])).split('\n').filter(Boolean).map(Number);
  const found = await pidsIn();
  signal(found, 'SIGTERM');
  const end = Date.now() + GRACE_MS;
  let left = found;
  while (left.length > 0 && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    left = await pidsIn();
  }
  signal(left, 'SIGKILL');
  return found.length;
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It ended by itself.
    }
  }
}
