// The protocol between the lab and a player process: a line of JSON an activity on standard input, a line of JSON an
// outcome on standard output, one activity after the other; "ready" on standard error; the end of standard input ends it.

import { createInterface } from 'node:readline';
import type { Activity } from '../scenario/step.ts';
import { type Means, perform } from './play.ts';

export async function playerLoop(
  open: (activity: Activity) => Promise<Means>,
): Promise<void> {
  process.stderr.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const outcome = await perform(JSON.parse(line), open);
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }
}
