// Client software "chromium": a real browser, driven. Pages are navigated to, the rest is done by scripts in the page.
// Arguments: h2 or h3, a home folder whose NSS database trusts the authority, names of all hosts that speak QUIC.

import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page as Tab } from 'playwright-core';
import {
  channelMessage,
  channelOpening,
  getPath,
  padding,
  pagePath,
  postPath,
} from '../origin/request-path.ts';
import type { Activity, Channel, Page } from '../scenario/step.ts';
import type { Means } from './play.ts';
import { playerLoop } from './player-loop.ts';

const [protocol = 'h2', home = '', quicHosts = ''] = process.argv.slice(2);
const EXECUTABLE = '/usr/bin/chromium';
/** Not compiled: it runs in pages, as it is. From dist/lab/players. */
const IN_PAGE = fileURLToPath(
  new URL('../../../lab/players/in-page.js', import.meta.url),
);
const OPENING_BYTES = 160;
/** The page of an application: what is loaded before its scripts do anything. */
const SHELL = { down: 9000, hold: 20, up: 0 } as const;
const PAGE_TIMEOUT_MS = 60_000;

// A browser that looks after itself would make flows of its own.
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-client-side-phishing-detection',
  '--no-pings',
  '--mute-audio',
  '--autoplay-policy=no-user-gesture-required',
];
const quicFlags =
  protocol === 'h3'
    ? [
        '--enable-quic',
        `--origin-to-force-quic-on=${quicHosts
          .split(',')
          .map((host) => `${host}:443`)
          .join(',')}`,
      ]
    : ['--disable-quic'];

const browser = await chromium.launch({
  executablePath: EXECUTABLE,
  args: [...QUIET, ...quicFlags],
  env: { ...process.env, HOME: home },
});

async function open(activity: Activity): Promise<Means> {
  const context = await browser.newContext();
  await context.addInitScript({ path: IN_PAGE });
  const tab = await context.newPage();
  tab.setDefaultTimeout(PAGE_TIMEOUT_MS);
  return new BrowserMeans(activity, context, tab);
}

class BrowserMeans implements Means {
  readonly #activity: Activity;
  readonly #context: BrowserContext;
  readonly #tab: Tab;
  #shell: Promise<unknown> | undefined;

  constructor(activity: Activity, context: BrowserContext, tab: Tab) {
    this.#activity = activity;
    this.#context = context;
    this.#tab = tab;
  }

  get(step: Parameters<Means['get']>[0]): Promise<void> {
    const path = getPath({ ...step, push: '' }, padding(step.up));
    return this.#run(`labPage.exchange(${text(this.#url(step.host, path))})`);
  }

  post(step: Parameters<Means['post']>[0]): Promise<void> {
    const url = text(this.#url(step.host, postPath(step)));
    return this.#run(`labPage.exchange(${url}, 'x'.repeat(${step.up}))`);
  }

  async page(step: Page): Promise<void> {
    const objects = step.objects.map((object) => ({
      ...object,
      host: this.#activity.hosts[object.host] ?? '',
    }));
    this.#shell = this.#tab.goto(this.#url(step.host, pagePath(step, objects)), {
      waitUntil: 'load',
      timeout: PAGE_TIMEOUT_MS,
    });
    await this.#shell;
  }

  channel(step: Channel): Promise<void> {
    return protocol === 'h3' ? this.#polling(step) : this.#webSocket(step);
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  #webSocket(step: Channel): Promise<void> {
    const url = `wss://${this.#activity.hosts[step.host]}/c`;
    const sends = step.sends.map(({ at, replies, up }) => [
      at,
      channelMessage(replies, up),
    ]);
    const opening = channelOpening(step.push, OPENING_BYTES);
    return this.#run(
      `labPage.webSocket(${text(url)}, ${text(opening)}, ${text(sends)}, ${step.lasts})`,
    );
  }

  #polling(step: Channel): Promise<void> {
    const { host, push, lasts } = step;
    const stream =
      push === ''
        ? ''
        : this.#url(host, getPath({ down: 0, hold: 0, rate: 0, push }, ''));
    const sends = step.sends.map(({ at, up, replies }) => {
      const down = replies.reduce((sum, [, bytes]) => sum + bytes, 0);
      const hold = replies[0]?.[0] ?? 0;
      return { at, up, url: this.#url(host, postPath({ down, hold })) };
    });
    return this.#run(`labPage.polling(${text(stream)}, ${text(sends)}, ${lasts})`);
  }

  #url(host: number, path: string): string {
    return `https://${this.#activity.hosts[host]}${path}`;
  }

  /** Scripts need a page: the first one to run loads the application's shell. */
  async #run(expression: string): Promise<void> {
    this.#shell ??= this.#tab.goto(this.#url(0, pagePath(SHELL, [])));
    await this.#shell;
    await this.#tab.evaluate(expression);
  }
}

/** As a literal of JavaScript. */
function text(value: unknown): string {
  return JSON.stringify(value);
}

await playerLoop(open);
await browser.close();
process.exit(0);
