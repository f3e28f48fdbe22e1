// Plays the steps of an activity with whatever means a client software has.

import type {
  Activity,
  Channel,
  Get,
  Imap,
  Page,
  Play,
  Post,
  Smtp,
  Step,
  Talk,
} from '../scenario/step.ts';

/** How one client software does what steps ask for. Each is over when the last byte has come. */
export interface Means {
  get(step: Get): Promise<void>;
  post(step: Post): Promise<void>;
  page(step: Page): Promise<void>;
  channel(step: Channel): Promise<void>;
  /** Software that is not able to is given no activities that want it (`abilities`). */
  play?(step: Play): Promise<void>;
  talk?(step: Talk): Promise<void>;
  mail?(step: Imap | Smtp): Promise<void>;
  /** Closes every connection. */
  close(): Promise<void>;
}

/** A browser's connections to a host, RFC 9112 9.4 leaves the number open; six is what browsers have in common. */
const PAGE_PARALLEL = 6;

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

async function play(steps: readonly Step[], means: Means): Promise<void> {
  for (const step of steps) await playStep(step, means);
}

async function playStep(step: Step, means: Means): Promise<void> {
  switch (step.op) {
    case 'wait':
      return pause(step.ms);
    case 'get':
      return means.get(step);
    case 'post':
      return means.post(step);
    case 'page':
      return means.page(step);
    case 'channel':
      return means.channel(step);
    case 'play':
      if (means.play === undefined) throw new Error('this software shows no films');
      return means.play(step);
    case 'talk':
      if (means.talk === undefined) throw new Error('this software holds no talks');
      return means.talk(step);
    case 'imap':
    case 'smtp':
      if (means.mail === undefined) throw new Error('this software speaks no mail');
      return means.mail(step);
    case 'sequence':
      return play(step.steps, means);
    case 'together':
      return together(step.steps, step.limit, (one) => playStep(one, means));
    case 'pace':
      return paced(step, means);
    default:
      return step satisfies never;
  }
}

async function paced(step: Extract<Step, { op: 'pace' }>, means: Means): Promise<void> {
  const start = performance.now();
  for (const [i, one] of step.steps.entries()) {
    await pause(start + (i - step.ahead) * step.every - performance.now());
    await playStep(one, means);
  }
}

/** Each item, at most `limit` at a time. */
async function together<T>(
  items: readonly T[],
  limit: number,
  each: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++])
      await each(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
}

/** A page for software that shows none: the document, then its objects as a browser would fetch them. */
export async function fetchPage(page: Page, means: Pick<Means, 'get'>): Promise<void> {
  await means.get({ ...page, op: 'get', rate: 0 });
  await together(page.objects, PAGE_PARALLEL, (object) =>
    means.get({ ...object, op: 'get', up: 0, rate: 0 }),
  );
}

/** Hands over each message of a channel when its time has come; over after `lasts`. */
export async function playSends(
  channel: Channel,
  send: (message: Channel['sends'][number]) => void,
): Promise<void> {
  const start = performance.now();
  for (const one of channel.sends) {
    await pause(start + one.at - performance.now());
    send(one);
  }
  await pause(start + channel.lasts - performance.now());
}

/** What came of an activity. */
export interface Outcome {
  readonly id: string;
  /** Since the epoch. */
  readonly startUs: number;
  readonly endUs: number;
  /** What went wrong, if anything: the flows are there all the same. */
  readonly fault?: string;
}

/** Plays an activity within its time. */
export async function perform(
  activity: Activity,
  open: (activity: Activity) => Promise<Means>,
): Promise<Outcome> {
  const startUs = Date.now() * 1000;
  let fault: string | undefined;
  let means: Means | undefined;
  try {
    means = await open(activity);
    await Promise.race([play(activity.steps, means), pause(activity.within)]);
  } catch (caught) {
    fault = caught instanceof Error ? caught.message.split('\n')[0] : String(caught);
  }
  await means?.close().catch(() => {});
  const outcome = { id: activity.id, startUs, endUs: Date.now() * 1000 };
  return fault === undefined ? outcome : { ...outcome, fault };
}
