// What an agent tells a controller: class counts of one site over one window. The one schema of both: type and validation
// come from here.

import { z } from 'zod';

/** Raised whenever a field changes its meaning; a controller refuses what is newer than it knows. */
export const REPORT_VERSION = 1;
/** Reports of one request at most. */
export const REPORTS_PER_REQUEST = 100;

/** Counters stay far below what a double holds exactly: more is a fault of the sender. */
const COUNT_MAX = 2 ** 50;
/** From here on (2020) to a century later. */
const TIME_LEAST_MS = 1_577_836_800_000;
const TIME_MOST_MS = 4_733_510_400_000;
const DAY_MS = 86_400_000;
const CLASSES_MAX = 256;

const count = z.number().int().min(0).max(COUNT_MAX);
const timeMs = z.number().int().min(TIME_LEAST_MS).max(TIME_MOST_MS);
const name = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[\x21-\x7e][\x20-\x7e]*$/, 'printable ASCII');

/** A site's name: part of addresses, so letters, digits and `-._` only. */
export const siteNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'lower case letters, digits, - . and _, at most 63',
  );

/** Up is client to server. Bytes are IP bytes. */
const classCountSchema = z.strictObject({
  flows: count,
  packetsUp: count,
  packetsDown: count,
  bytesUp: count,
  bytesDown: count,
});
export type ClassCount = z.infer<typeof classCountSchema>;

/** All counts are of the window alone; a flow counts in the window in which it ended. */
export const reportSchema = z
  .strictObject({
    version: z.literal(REPORT_VERSION),
    site: siteNameSchema,
    /** Drawn at each start of the agent: with `sequence` it names the report, for ever. */
    boot: z.uuid(),
    /** From 0 on, one more with every report of a boot. */
    sequence: count,
    startMs: timeMs,
    endMs: timeMs,
    agent: z.strictObject({
      version: name(64),
      /** `name@first 12 digits of the SHA-256`. */
      model: name(128),
    }),
    /** By class of the model, with `unknown` (not sure enough) and `other` (no handshake: not classified). */
    classes: z
      .record(name(64), classCountSchema)
      .refine(
        (classes) => Object.keys(classes).length <= CLASSES_MAX,
        `at most ${CLASSES_MAX} classes`,
      ),
    /** Packets that became part of no flow, by reason; `kernel` are those that the ring had no room for. */
    drops: z.record(name(64), count),
    /** Flows and predictions that were given up because a queue was full, by queue. */
    lost: z.record(name(64), count),
  })
  .refine(
    ({ startMs, endMs }) => endMs > startMs && endMs - startMs <= DAY_MS,
    'a window ends after its start, within a day',
  );
export type Report = z.infer<typeof reportSchema>;

/** Body of `POST /v1/reports`. */
export const reportsRequestSchema = z.strictObject({
  reports: z.array(reportSchema).min(1).max(REPORTS_PER_REQUEST),
});
