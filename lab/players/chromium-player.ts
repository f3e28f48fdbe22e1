// Client software "chromium": a real browser, driven by playwright-core.
// Arguments: h2 or h3, a home folder whose NSS database trusts the authority, names of all hosts that speak QUIC.

import { chromium } from 'playwright-core';
import { CHROMIUM_EXECUTABLE, CHROMIUM_QUIET, IN_PAGE, PageMeans } from './page-means.ts';
import { playerLoop } from './player-loop.ts';

const [protocol = 'h2', home = '', quicHosts = ''] = process.argv.slice(2);
const PAGE_TIMEOUT_MS = 60_000;

/** Alt-Svc alone does not move a short visit to QUIC. */
function quicFlags(): string[] {
  if (protocol !== 'h3') return ['--disable-quic'];
  const origins = quicHosts.split(',').map((host) => `${host}:443`);
  return ['--enable-quic', `--origin-to-force-quic-on=${origins.join(',')}`];
}

const browser = await chromium.launch({
  executablePath: CHROMIUM_EXECUTABLE,
  args: [...CHROMIUM_QUIET, ...quicFlags()],
  env: { ...process.env, HOME: home },
});

await playerLoop(async (activity) => {
  const context = await browser.newContext();
  await context.addInitScript({ path: IN_PAGE });
  const tab = await context.newPage();
  tab.setDefaultTimeout(PAGE_TIMEOUT_MS);
  return new PageMeans(activity, {
    go: (url) => tab.goto(url, { waitUntil: 'load', timeout: PAGE_TIMEOUT_MS }),
    run: (expression) => tab.evaluate(expression),
    close: () => context.close(),
  });
});
await browser.close();
process.exit(0);
