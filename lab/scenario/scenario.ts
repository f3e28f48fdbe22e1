// The schema of a scenario file (scenarios/SERVICE/NAME.yaml): what a user does with a service, in steps whose figures
// are distributions. docs/lab.md explains it with an example.

import { z } from 'zod';
import { SERVICES } from '../../models/labels.ts';
import { FIGURE } from './figure.ts';
import { HTTP_PROTOCOLS, IMAP_ACTS, PROTOCOLS, SMTP_ACTS } from './step.ts';

/** A number, or the name of a figure. */
const amount = z.union([z.number().finite().nonnegative(), z.string().min(1)]);
const host = z.string().min(1);

const request = { host, up: amount.default(0), down: amount, hold: amount.default(0) };

const send = z.strictObject({
  /** From when on and until when, in ms since the channel was opened; by default all the time. */
  from: amount.default(0),
  until: amount.optional(),
  /** Between two messages. */
  every: amount,
  up: amount,
  replies: z
    .array(
      z.strictObject({
        after: amount.default(0),
        down: amount,
        chance: z.number().min(0).max(1).default(1),
      }),
    )
    .default([]),
});

const push = z.strictObject({
  from: amount.default(0),
  until: amount.optional(),
  every: amount,
  down: amount,
});

/** As it stands in a file. Exactly one key but for the options of the same object says what is done. */
export type ScenarioStep =
  | { wait: string | number }
  | { get: z.infer<typeof GET> }
  | { post: z.infer<typeof POST> }
  | { page: z.infer<typeof PAGE> }
  | { channel: z.infer<typeof CHANNEL> }
  | { play: z.infer<typeof PLAY> }
  | { talk: z.infer<typeof TALK> }
  | { imap: z.infer<typeof IMAP> }
  | { smtp: z.infer<typeof SMTP> }
  | { repeat: string | number; steps: ScenarioStep[] }
  | { maybe: number; steps: ScenarioStep[] }
  | { choose: { weight: number; steps: ScenarioStep[] }[] }
  | { together: number; times: string | number; steps: ScenarioStep[] }
  | {
      pace: string | number;
      ahead: string | number;
      times: string | number;
      steps: ScenarioStep[];
    };

const GET = z.strictObject({ ...request, rate: amount.default(0) });
const POST = z.strictObject({ ...request });
const PAGE = z.strictObject({
  ...request,
  objects: amount,
  objectDown: amount,
  objectHold: amount.default(0),
  /** Of which hosts the objects are, by lot. */
  objectHosts: z.array(host).min(1),
});
const CHANNEL = z.strictObject({
  host,
  lasts: amount,
  send: z.array(send).default([]),
  push: z.array(push).default([]),
});

const PLAY = z.strictObject({ host, film: amount, lasts: amount });
const TALK = z.strictObject({
  ...CHANNEL.shape,
  media: z.enum(['voice', 'video', 'none']),
});
const IMAP = z.strictObject({ host, act: z.enum(IMAP_ACTS), amount: amount.default(0) });
const SMTP = z.strictObject({ host, act: z.enum(SMTP_ACTS), amount: amount.default(0) });

const STEP: z.ZodType<ScenarioStep> = z.lazy(() =>
  z.union([
    z.strictObject({ wait: amount }),
    z.strictObject({ get: GET }),
    z.strictObject({ post: POST }),
    z.strictObject({ page: PAGE }),
    z.strictObject({ channel: CHANNEL }),
    z.strictObject({ play: PLAY }),
    z.strictObject({ talk: TALK }),
    z.strictObject({ imap: IMAP }),
    z.strictObject({ smtp: SMTP }),
    z.strictObject({ repeat: amount, steps: STEPS }),
    z.strictObject({ maybe: z.number().min(0).max(1), steps: STEPS }),
    z.strictObject({
      choose: z
        .array(z.strictObject({ weight: z.number().positive(), steps: STEPS }))
        .min(2),
    }),
    z.strictObject({
      together: z.number().int().min(1).max(100),
      times: amount,
      steps: STEPS,
    }),
    z.strictObject({
      pace: amount,
      ahead: amount.default(1),
      times: amount,
      steps: STEPS,
    }),
  ]),
);
const STEPS: z.ZodType<ScenarioStep[]> = z.array(STEP).min(1);

export const SCENARIO = z.strictObject({
  service: z.enum(SERVICES),
  /** What the user would call it; below the service, as `application` of a label. */
  application: z.string().regex(/^[a-z0-9-]+$/),
  /** One sentence. */
  title: z.string().min(10),
  /** How often it is chosen among those of its service. */
  weight: z.number().positive().default(1),
  protocols: z
    .array(z.enum(PROTOCOLS))
    .min(1)
    .default([...HTTP_PROTOCOLS]),
  /** Names used in the steps; a host of the batch is drawn for each. */
  hosts: z.array(host).min(1).default(['main']),
  figures: z.record(z.string(), FIGURE),
  steps: STEPS,
});
export type Scenario = z.infer<typeof SCENARIO>;
