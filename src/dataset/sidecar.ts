// NAME.labels.jsonl beside a capture -> the labels of its flows: what whoever made the traffic says that it is. A line a flow.

import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { CAPTURE_SUFFIX } from './find-captures.ts';

const port = z.int().min(0).max(65_535);
const text = z.string().min(1).optional();

/** A line; what else stands in it is left alone. */
const lineSchema = z.object({
  client: z.string(),
  clientPort: port,
  server: z.string(),
  serverPort: port,
  startUs: z.int(),
  service: z.string().min(1),
  session: z.string().min(1),
  application: text,
  scenario: text,
  seed: z.int().optional(),
  clientSoftware: text,
  /** The lab's first data sets call it so. */
  clientProfile: text,
  serverSoftware: text,
  /** Of the network. */
  profile: text,
});
export type SidecarLabel = z.infer<typeof lineSchema>;

/** Two flows on one five-tuple lie further apart; clocks of label and capture are the same. */
const SAME_FLOW_US = 1_000_000;

export function sidecarPath(capture: string): string {
  const stem = basename(capture).replace(CAPTURE_SUFFIX, '');
  return join(dirname(capture), `${stem}.labels.jsonl`);
}

/** The sidecar's bytes; undefined: there is none. */
export async function readSidecar(capture: string): Promise<Buffer | undefined> {
  const path = sidecarPath(capture);
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new InputError('ERR_LABELS', `labels ${path}: cannot be read (${cause.code})`, {
      cause,
    });
  });
}

/** Labels by five-tuple, each given out once. */
export class Sidecar {
  readonly #byFlow = new Map<string, SidecarLabel[]>();
  /** Labels whose flow has not come. */
  left = 0;

  /** @throws InputError ERR_LABELS with the line */
  constructor(content: string, place: string) {
    for (const [i, line] of content.split('\n').entries()) {
      if (line.trim() === '') continue;
      const label = parseLine(line, `${place} line ${i + 1}`);
      const key = endsOf(label);
      const same = this.#byFlow.get(key);
      if (same === undefined) this.#byFlow.set(key, [label]);
      else same.push(label);
      this.left++;
    }
  }

  /**
   * The label of a flow. Flows come in the order of their start, so that of several labels in reach the earliest goes to
   * the earliest.
   *
   * @param ends of the flow: endsOf
   */
  take(ends: string, startUs: number): SidecarLabel | undefined {
    const labels = this.#byFlow.get(ends);
    const at = labels?.findIndex((l) => Math.abs(l.startUs - startUs) <= SAME_FLOW_US);
    if (labels === undefined || at === undefined || at < 0) return undefined;
    this.left--;
    return labels.splice(at, 1)[0];
  }
}

/** Both ends of a flow: one text. */
export function endsOf(
  flow: Pick<SidecarLabel, 'client' | 'clientPort' | 'server' | 'serverPort'>,
): string {
  return `${flow.client} ${flow.clientPort} ${flow.server} ${flow.serverPort}`;
}

function parseLine(line: string, place: string): SidecarLabel {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new InputError(
      'ERR_LABELS',
      `labels ${place}: no JSON: ${(cause as Error).message}`,
      { cause },
    );
  }
  const parsed = lineSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(
    'ERR_LABELS',
    `labels ${place}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'no label'}`,
  );
}
