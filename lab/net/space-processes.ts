// Ends the processes in a namespace: those of a run that was killed, and what players have left, such as a browser.

import { run } from '../processes.ts';

const GRACE_MS = 1500;
const LOOK_MS = 50;

/** Whatever runs in a namespace of the lab's was started by the lab: SIGTERM, and SIGKILL where that does not do. */
export async function endProcesses(space: string): Promise<number> {
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
