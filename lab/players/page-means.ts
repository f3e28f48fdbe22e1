// What a browser does: pages are navigated to, the rest is done by scripts in the page (in-page.js).

import { fileURLToPath } from 'node:url';
import { FILMS } from '../media/films.ts';
import {
  channelMessage,
  channelOpening,
  getPath,
  padding,
  pagePath,
  postPath,
} from '../origin/request-path.ts';
import type { Activity, Channel, Page, Play, Talk } from '../scenario/step.ts';
import type { Means } from './play.ts';

/** Not compiled: it runs in pages, as it is; to be run at the start of each. From dist/lab/players. */
export const IN_PAGE = fileURLToPath(
  new URL('../../../lab/players/in-page.js', import.meta.url),
);
const OPENING_BYTES = 160;

export const CHROMIUM_EXECUTABLE = '/usr/bin/chromium';
/** A browser that looks after itself would make flows of its own; cameras and microphones are drawn ones, and allowed. */
export const CHROMIUM_QUIET = [
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
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  // Addresses as names of multicast DNS, which nobody answers here.
  '--disable-features=WebRtcHideLocalIpsWithMdns',
] as const;
/** The page of an application: what is loaded before its scripts do anything. */
const SHELL = { down: 700, hold: 20, up: 0 } as const;

/** A tab with connections of its own. */
export interface Tab {
  /** Over when the page has been loaded, with what it shows. */
  go(url: string): Promise<unknown>;
  /** Runs a script in the page and waits for its promise. */
  run(expression: string): Promise<unknown>;
  close(): Promise<void>;
}

export class PageMeans implements Means {
  readonly #activity: Activity;
  readonly #tab: Tab;
  /** No WebSocket then: it would be a connection of HTTP/1.1. */
  readonly #quic: boolean;
  #shell: Promise<unknown> | undefined;

  constructor(activity: Activity, tab: Tab) {
    this.#activity = activity;
    this.#tab = tab;
    this.#quic = activity.protocol === 'h3';
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
    this.#shell = this.#tab.go(this.#url(step.host, pagePath(step, objects)));
    await this.#shell;
  }

  channel(step: Channel): Promise<void> {
    return this.#quic ? this.#polling(step) : this.#webSocket(step);
  }

  play(step: Play): Promise<void> {
    const film = FILMS[step.film % FILMS.length]?.name;
    const [player, playlist] = ['hls.js', `${film}/film.m3u8`].map((path) =>
      text(this.#url(step.host, `/h/${path}`)),
    );
    return this.#run(`labPage.watch(${player}, ${playlist}, ${step.lasts})`);
  }

  talk(step: Talk): Promise<void> {
    const url = text(this.#url(step.host, '/w'));
    const sends = messagesOf(step);
    const said = [step.media, step.push, sends].map(text).join(', ');
    return this.#run(`labPage.talk(${url}, ${said}, ${step.lasts})`);
  }

  async close(): Promise<void> {
    await this.#tab.close();
  }

  #webSocket(step: Channel): Promise<void> {
    const url = `wss://${this.#activity.hosts[step.host]}/c`;
    const sends = messagesOf(step);
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
    this.#shell ??= this.#tab.go(this.#url(0, pagePath(SHELL, [])));
    await this.#shell;
    await this.#tab.run(expression);
  }
}

/** When, and what. */
function messagesOf({ sends }: Pick<Channel, 'sends'>): [number, string][] {
  return sends.map(({ at, replies, up }) => [at, channelMessage(replies, up)]);
}

/** As a literal of JavaScript. */
function text(value: unknown): string {
  return JSON.stringify(value);
}
