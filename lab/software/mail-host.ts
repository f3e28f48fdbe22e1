// Dovecot with mailboxes that fill while it runs. Arguments: its configuration, the mailboxes' folder, a seed.
// Ends Dovecot when it is ended itself.

import { spawn } from 'node:child_process';
import { deliverArrivals, fillMailboxes } from './mailboxes.ts';

const [configuration = '', root = '', seed = '1'] = process.argv.slice(2);
const ended = new AbortController();

await fillMailboxes(root, Number(seed));
const dovecot = spawn('dovecot', ['-F', '-c', configuration], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
dovecot.once('exit', (code) => {
  ended.abort();
  process.exit(code ?? 1);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => dovecot.kill('SIGTERM'));
await deliverArrivals(root, Number(seed), ended.signal);
