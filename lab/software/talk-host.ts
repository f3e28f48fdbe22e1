// The browser at the other end of conversations: Chromium, in the servers' namespace, answering whoever calls.
// Arguments: a home folder, the origin's address. Says "ready" on standard error.

import { chromium } from 'playwright-core';
import { readPushes } from '../origin/pushes.ts';
import type { Offer } from '../origin/signalling.ts';
import { CHROMIUM_EXECUTABLE, CHROMIUM_QUIET, IN_PAGE } from '../players/page-means.ts';

const [home = '', origin = ''] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: CHROMIUM_EXECUTABLE,
  args: [...CHROMIUM_QUIET],
  env: { ...process.env, HOME: home },
});
const page = await browser.newPage();
await page.addInitScript({ path: IN_PAGE });
await page.goto(`${origin}/p/100/0`);
process.stderr.write('ready\n');

for (;;) {
  const next = await fetch(`${origin}/w/next`);
  const { number, offer } = (await next.json()) as { number: number; offer: Offer };
  const pushes = readPushes(offer.push).map(({ at, bytes }) => [at, bytes]);
  const call = [offer.sdp, offer.media, pushes].map((one) => JSON.stringify(one));
  // Of one call that goes wrong the others are none the wiser: the caller hears nothing and gives up.
  const answered = page
    .evaluate<string>(`labPage.answer(${call.join(', ')})`)
    .then((sdp) => fetch(`${origin}/w/answer/${number}`, { method: 'POST', body: sdp }));
  answered.catch((fault) => process.stderr.write(`${fault}\n`));
}
