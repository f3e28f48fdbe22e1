// Maildirs full of drawn mail, and new mail that arrives in them: what the mail servers of a batch serve.

import { chown, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Draw } from '../draw.ts';

/** Mailboxes of a batch: user0, user1, … */
const MAILBOXES = 8;
export const MAIL_DOMAIN = 'mail.example';
const FOLDERS = ['', '.Sent', '.Drafts', '.Archive'] as const;
const MAILS = [40, 120] as const;
/** Median and sigma of the logarithm of a mail's length, and how many of a hundred are like that (assumptions). */
const KINDS = [
  { share: 62, median: 9000, sigma: 0.9 },
  { share: 26, median: 45_000, sigma: 0.6 },
  { share: 12, median: 260_000, sigma: 0.9 },
] as const;
const LENGTHS = [600, 2_500_000] as const;
/** Between two arrivals in the mailboxes of a batch, all told, in ms (assumption). */
const ARRIVAL_MEAN_MS = 1200;
const LINE = 76;

/** Who the mail servers are when they touch mailboxes: Debian's `nobody`. */
export const MAIL_USER = 65_534;

/** Of a server's folder: the mailboxes that all mail servers of a batch share. */
export function mailRoot(folder: string): string {
  return join(dirname(folder), 'mail');
}

/** Makes the mailboxes; they hold what the seed says. */
export async function fillMailboxes(root: string, seed: number): Promise<void> {
  const draw = new Draw(seed);
  await makeOwned(root);
  for (let box = 0; box < MAILBOXES; box++) {
    const home = join(root, `user${box}`);
    await makeOwned(home);
    for (const name of FOLDERS) {
      const folder = join(home, name);
      await makeOwned(folder);
      for (const part of ['cur', 'new', 'tmp']) await makeOwned(join(folder, part));
    }
    const count = draw.whole(...MAILS);
    for (let i = 0; i < count; i++)
      await writeMail(join(home, 'cur'), `${1_700_000_000 + i}.${i}.lab:2,`, draw);
  }
}

/** Delivers new mail, one after the other, until `signal` aborts. */
export async function deliverArrivals(
  root: string,
  seed: number,
  signal: AbortSignal,
): Promise<void> {
  const draw = new Draw(seed).fork('arrivals');
  for (let i = 0; !signal.aborted; i++) {
    const ms = -Math.log(1 - draw.uniform(0, 1)) * ARRIVAL_MEAN_MS;
    await new Promise((resolve) => setTimeout(resolve, ms));
    const home = join(root, `user${draw.whole(0, MAILBOXES - 1)}`);
    const name = `${1_800_000_000 + i}.${i}.lab`;
    await writeMail(join(home, 'tmp'), name, draw);
    // Whoever watches the mailbox sees a whole mail.
    await rename(join(home, 'tmp', name), join(home, 'new', name));
  }
}

async function writeMail(folder: string, name: string, draw: Draw): Promise<void> {
  const path = join(folder, name);
  await writeFile(path, drawMail(draw));
  await chown(path, MAIL_USER, MAIL_USER);
}

function drawMail(draw: Draw): string {
  const kind = draw.weighted(KINDS, ({ share }) => share) ?? KINDS[0];
  const bytes = draw.bytes(kind.median, kind.sigma, LENGTHS);
  const person = () =>
    `${draw.token(draw.whole(3, 10))}@${draw.token(draw.whole(4, 12))}.example`;
  const head = [
    `From: ${draw.token(draw.whole(4, 16))} <${person()}>`,
    `To: <${person()}>`,
    `Subject: ${draw.token(draw.whole(6, 70))}`,
    `Message-ID: <${draw.token(draw.whole(16, 40))}@lab.example>`,
    'Date: Thu, 26 Nov 2026 12:00:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
  ].join('\r\n');
  return `${head}\r\n\r\n${mailText(bytes)}`;
}

/** So many bytes of lines as mail has them. */
function mailText(bytes: number): string {
  const line = `${'lorem ipsum dolor sit amet '.repeat(3).slice(0, LINE)}\r\n`;
  return line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes);
}

async function makeOwned(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chown(folder, MAIL_USER, MAIL_USER);
}
